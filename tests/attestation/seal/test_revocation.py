"""Revoked certificates, and PAdES up to B-LTA: lists from a server, validated by pyHanko."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from pyhanko.sign.ades.report import AdESPassed
from revocation_material import make_list, serve_revocations, validate_offline, with_addresses

from audit.attestation.seal.keys import KeySigner
from audit.attestation.seal.pdf import sign_pdf
from audit.attestation.seal.pdf_check import PdfStamp, check_pdf, check_pdf_marks
from audit.attestation.seal.pdf_level import level_of
from audit.attestation.seal.revocation import Revocations, find_revoked, read_lists
from audit.attestation.seal.revocation_source import RevocationSource
from audit.attestation.seal.timestamp import StampServer
from audit.attestation.seal.trust import doubt_certificate, read_anchors, read_revoked
from audit.errors import ConfigError, SealError, TryAgain

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def list_server():
    """A server of lists by path; `asked` counts."""
    with serve_revocations() as server:
        yield server


@pytest.fixture
def listed(list_server, certify, stamp_server):
    """Authority, signer and time stamp authority, all with lists on the server."""
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = certify(root_key, "Listing Root", ca=True)
    leaf = with_addresses(
        certify(key, "Lea", issuer=root, issuer_key=root_key), root_key, lists=f"{list_server.address}/r"
    )
    list_server.lists["/r"] = make_list(root, root_key).public_bytes(Encoding.DER)

    def signer(**more):
        stamps = StampServer(stamp_server.address)
        return KeySigner(leaf, (root,), stamps, key, RevocationSource(**more))

    signer.root, signer.root_key, signer.leaf = root, root_key, leaf
    return signer


@pytest.fixture
def stamping_with_lists(authority, list_server):
    """Give the time stamp authority a certificate with an address, for as long as the test runs."""
    before = authority.stamp
    authority.stamp = with_addresses(before, authority.root_key, lists=f"{list_server.address}/t")
    list_server.lists["/t"] = make_list(authority.root, authority.root_key).public_bytes(Encoding.DER)
    yield
    authority.stamp = before


@pytest.fixture
def everything(stamping_with_lists, listed):
    return listed


def test_as_far_as_the_servers_allow(plain_pdf, everything, list_server):
    data = sign_pdf(plain_pdf, everything(), moment=NOW)
    marks = check_pdf_marks(data)
    assert data.startswith(plain_pdf)
    assert level_of(data, marks) == "B-LTA"
    assert isinstance(marks[-1], PdfStamp)
    assert list_server.asked == 2
    assert len(check_pdf(data)) == 1


def test_pyhanko_validates_for_the_long_term(plain_pdf, everything, authority, list_server):
    data = sign_pdf(plain_pdf, everything(), moment=NOW)
    list_server.lists.clear()
    found = validate_offline(data, (everything.root, authority.root))
    assert found.ades_subindic is AdESPassed.OK, found.failure_msg
    assert found.api_status.bottom_line


def test_second_signer_keeps_the_data_of_the_first(plain_pdf, everything):
    once = sign_pdf(plain_pdf, everything(), moment=NOW)
    twice = sign_pdf(once, everything(), moment=NOW, field="Reviewer")
    marks = check_pdf_marks(twice)
    assert [type(one).__name__ for one in marks] == ["PdfSignature", "PdfStamp"] * 2
    assert level_of(twice, marks) == "B-LTA"


@pytest.mark.parametrize("place", range(-40_000, 0, 1777))
def test_changed_bytes_after_the_signature_are_noticed(plain_pdf, everything, place):
    """In validation data and document time stamp, too; a token's spare certificates nothing covers."""
    data = bytearray(sign_pdf(plain_pdf, everything(), moment=NOW))
    stamp = check_pdf_marks(bytes(data))[-1]
    at = len(data) + place
    if stamp.gap[0] <= at < stamp.gap[1] or at < len(plain_pdf):
        return
    data[at] ^= 1
    with pytest.raises(SealError):
        assert check_pdf(bytes(data)) == ()
        raise SealError("without a signature, which the caller refuses")


@pytest.mark.parametrize("needed", [False, True])
def test_server_down_costs_the_level_and_nothing_else(plain_pdf, listed, list_server, needed):
    list_server.lists.clear()
    signer = listed(needed=needed)
    data = sign_pdf(plain_pdf, signer, moment=NOW)
    assert level_of(data, check_pdf_marks(data)) == "B-T"
    assert bool(signer.revocation.notes) == needed


def test_level_that_is_required(plain_pdf, listed, list_server):
    list_server.lists.clear()
    with pytest.raises(TryAgain):
        sign_pdf(plain_pdf, listed(needed=True, required=True), moment=NOW)


@pytest.mark.parametrize("data", [b"", b"junk", b"\x30\x03\x02\x01\x01"])
def test_what_is_no_list(plain_pdf, listed, list_server, data):
    list_server.lists["/r"] = data
    signed = sign_pdf(plain_pdf, listed(), moment=NOW)
    assert level_of(signed, check_pdf_marks(signed)) == "B-T"


def test_list_that_ran_out_is_none(plain_pdf, listed, list_server):
    old = make_list(listed.root, listed.root_key, start=NOW - timedelta(days=30))
    list_server.lists["/r"] = old.public_bytes(Encoding.DER)
    signed = sign_pdf(plain_pdf, listed(), moment=NOW)
    assert level_of(signed, check_pdf_marks(signed)) == "B-T"


def test_revoked_certificate_does_not_sign(listed, list_server):
    gone = make_list(listed.root, listed.root_key, [(listed.leaf, NOW - timedelta(days=1))])
    list_server.lists["/r"] = gone.public_bytes(Encoding.DER)
    with pytest.raises(ConfigError, match="was revoked on") as caught:
        listed().revocation.refuse_revoked((listed.leaf, (listed.root,)))
    assert caught.value.exit_code == 2


def test_revoked_certificate_is_not_trusted_from_then_on(listed, tmp_path):
    since = NOW - timedelta(hours=10)
    gone = make_list(listed.root, listed.root_key, [(listed.leaf, since)])
    text = listed.root.public_bytes(Encoding.PEM) + gone.public_bytes(Encoding.PEM)
    (tmp_path / "trust.pem").write_bytes(text)
    anchors, lists = read_anchors(tmp_path / "trust.pem"), read_revoked(tmp_path / "trust.pem")
    assert anchors == (listed.root,)
    doubt = doubt_certificate(listed.leaf, (listed.root,), anchors, NOW, said=Revocations(lists))
    assert "was revoked" in doubt
    assert (
        doubt_certificate(listed.leaf, (listed.root,), anchors, since - timedelta(hours=1), said=Revocations(lists))
        == ""
    )
    assert doubt_certificate(listed.leaf, (listed.root,), anchors, NOW) == ""


def test_list_by_somebody_else_is_not_heeded(listed, certify):
    key = ec.generate_private_key(ec.SECP256R1())
    eve = certify(key, "Listing Root", ca=True)
    assert eve.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "Listing Root"
    forged = make_list(eve, key, [(listed.leaf, NOW - timedelta(days=1))]).public_bytes(Encoding.DER)
    assert find_revoked(listed.leaf, (listed.root,), Revocations((forged,)), NOW) == ""
    true = make_list(listed.root, listed.root_key, [(listed.leaf, NOW - timedelta(days=1))])
    assert find_revoked(listed.leaf, (listed.root,), Revocations((forged, true.public_bytes(Encoding.DER))), NOW)


def test_damaged_list_in_a_trust_file(tmp_path):
    (tmp_path / "t.pem").write_bytes(b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n")
    with pytest.raises(ConfigError):
        read_revoked(tmp_path / "t.pem")
    assert read_lists(b"nothing") == ()
