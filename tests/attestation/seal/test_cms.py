"""Detached CMS: openssl accepts what we write, we accept nothing else."""

from __future__ import annotations

import hashlib
import subprocess
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from hypothesis import given
from hypothesis import strategies as st

from audit.attestation.seal.cms import certificate_bytes, check_digest, der, sign_digest
from audit.attestation.seal.keys import certificates_pem
from audit.errors import SealError

NOW = datetime(2026, 3, 1, 12, 0, 0, 987654, tzinfo=UTC)
TEXT = b"line one\r\nline two\n\x00\xff"
DIGEST = hashlib.sha256(TEXT).digest()


def openssl_verify(folder, signature, content, anchors, *extra):
    (folder / "s.p7s").write_bytes(signature)
    (folder / "c").write_bytes(content)
    (folder / "ca.pem").write_bytes(anchors)
    command = [
        "openssl",
        "cms",
        "-verify",
        "-binary",
        "-inform",
        "DER",
        "-purpose",
        "any",
        "-in",
        "s.p7s",
        "-content",
        "c",
    ]
    done = subprocess.run(
        [*command, "-CAfile", "ca.pem", "-out", "out", *extra], cwd=folder, capture_output=True, text=True
    )
    return done.returncode == 0, done.stderr


@pytest.mark.parametrize("who", ["ada", "rsa_signer"])
def test_openssl_verifies_up_to_the_root(who, request, authority, tmp_path):
    signature = sign_digest(DIGEST, request.getfixturevalue(who), moment=NOW)
    ok, said = openssl_verify(tmp_path, signature, TEXT, certificates_pem((authority.root,)))
    assert ok, said
    assert (tmp_path / "out").read_bytes() == TEXT


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP521R1()])
def test_larger_curves(curve, authority, tmp_path):
    signer = authority.signer(ec.generate_private_key(curve))
    signature = sign_digest(DIGEST, signer, moment=NOW)
    assert check_digest(signature, DIGEST).certificate == signer.certificate
    assert openssl_verify(tmp_path, signature, TEXT, certificates_pem((authority.root,)))[0]


def test_openssl_refuses_other_content(ada, authority, tmp_path):
    signature = sign_digest(DIGEST, ada, moment=NOW)
    assert not openssl_verify(tmp_path, signature, TEXT + b" ", certificates_pem((authority.root,)))[0]


def test_openssl_checks_the_signing_certificate_attribute(ada, authority, tmp_path):
    signature = sign_digest(DIGEST, ada, moment=NOW)
    ok, said = openssl_verify(tmp_path, signature, TEXT, certificates_pem((authority.root,)), "-cades")
    assert ok, said


def test_what_was_signed_comes_back(ada):
    found = check_digest(sign_digest(DIGEST, ada, moment=NOW), DIGEST)
    assert found.certificate == ada.certificate
    assert found.chain == ada.chain
    assert found.moment == NOW.replace(microsecond=0)
    assert found.content_stamp is None
    assert found.signature_stamp is None


def test_time_is_left_out_for_pdf(ada):
    assert check_digest(sign_digest(DIGEST, ada), DIGEST).moment is None


@given(st.binary(min_size=32, max_size=32))
def test_every_digest_comes_back(ada, digest):
    assert check_digest(sign_digest(digest, ada, moment=NOW), digest).certificate == ada.certificate


@given(st.binary(min_size=32, max_size=32).filter(lambda digest: digest != DIGEST))
def test_no_other_digest_passes(ada, digest):
    with pytest.raises(SealError, match="other content"):
        check_digest(sign_digest(DIGEST, ada, moment=NOW), digest)


@pytest.mark.parametrize("who", ["ada", "rsa_signer"])
def test_every_changed_byte_is_noticed(who, request):
    """CMS itself leaves hundreds of these bytes uncovered; a chain certificate, an algorithm's parameters."""
    signature = sign_digest(DIGEST, request.getfixturevalue(who), moment=NOW)
    for place in range(len(signature)):
        changed = bytearray(signature)
        changed[place] ^= 1 << (place % 8)
        with pytest.raises(SealError):
            check_digest(bytes(changed), DIGEST)


def test_lengthened_and_shortened_are_refused(ada):
    signature = sign_digest(DIGEST, ada, moment=NOW)
    for changed in (signature + b"\0", signature[:-1], b"", b"0", b"\x30\x80", signature * 2):
        with pytest.raises(SealError):
            check_digest(changed, DIGEST)


@given(st.binary(max_size=200))
def test_anything_else_is_refused_calmly(data):
    with pytest.raises(SealError):
        check_digest(data, DIGEST)


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()])
def test_the_twin_of_an_ecdsa_signature_is_a_change(curve, authority):
    """(r, n - s) holds where (r, s) does; one of them must not be a second file that passes."""
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

    from audit.attestation.seal import cms

    signer = authority.signer(ec.generate_private_key(curve))
    order = cms._ORDERS[curve.name]
    for _ in range(8):
        r, s = decode_dss_signature(cms.sign_data(signer, TEXT))
        assert s <= order // 2
        twin = encode_dss_signature(r, order - s)
        signer.key.public_key().verify(twin, TEXT, ec.ECDSA(hashes.SHA256()))
        with pytest.raises(SealError):
            cms.check_signature(signer.certificate, twin, TEXT)


def test_a_foreign_form_is_refused_even_where_it_holds(ada, tmp_path, authority):
    """A valid signature by another program is not in our one form; accepting forms is what lets bytes slip."""
    builder = pkcs7.PKCS7SignatureBuilder().set_data(TEXT).add_signer(ada.certificate, ada.key, hashes.SHA256())
    options = [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary]
    foreign = builder.sign(Encoding.DER, options)
    assert openssl_verify(tmp_path, foreign, TEXT, certificates_pem((ada.chain[0], authority.root)))[0]
    with pytest.raises(SealError):
        check_digest(foreign, DIGEST)


def test_certificate_of_somebody_with_the_same_key_is_refused(ada, authority):
    """The certificate is bound: one with the same key and another name cannot take its place."""
    twin = authority.signer(ada.key, name="Bob")
    signature = sign_digest(DIGEST, ada, moment=NOW)
    swapped = signature.replace(certificate_bytes(ada.certificate), certificate_bytes(twin.certificate))
    with pytest.raises(SealError):
        check_digest(swapped, DIGEST)


def test_lengths_follow_der():
    assert der(0x04, b"x" * 127)[:2] == b"\x04\x7f"
    assert der(0x04, b"x" * 128)[:3] == b"\x04\x81\x80"
    assert der(0x04, b"x" * 256)[:4] == b"\x04\x82\x01\x00"
