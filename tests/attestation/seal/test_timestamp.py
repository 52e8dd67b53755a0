"""RFC 3161: a server that answers, one that does not, one that lies; openssl as second opinion and second authority."""

from __future__ import annotations

import hashlib
import socket
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from audit.attestation.seal.keys import certificates_pem
from audit.attestation.seal.timestamp import StampServer, check_token, reply_around, token_of
from audit.errors import ConfigError, SealError, TryAgain

DIGEST = hashlib.sha256(b"data").digest()


def test_token_comes_back_and_holds(stamp_server, authority):
    token = StampServer(stamp_server.address).token(DIGEST)
    found = check_token(token, DIGEST)
    assert found.certificate == authority.stamp
    assert abs(datetime.now(UTC) - found.moment) < timedelta(minutes=5)


def test_openssl_verifies_the_reply(stamp_server, authority, tmp_path):
    reply = reply_around(StampServer(stamp_server.address).token(DIGEST))
    (tmp_path / "reply").write_bytes(reply)
    (tmp_path / "data").write_bytes(b"data")
    (tmp_path / "ca.pem").write_bytes(certificates_pem((authority.root,)))
    command = ["openssl", "ts", "-verify", "-data", "data", "-in", "reply", "-CAfile", "ca.pem"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert "Verification: OK" in done.stdout + done.stderr
    assert check_token(token_of(reply), DIGEST).certificate == authority.stamp


def test_no_other_digest_passes(stamp_server):
    token = StampServer(stamp_server.address).token(DIGEST)
    with pytest.raises(SealError, match="something else"):
        check_token(token, hashlib.sha256(b"other").digest())


@pytest.mark.parametrize(
    ("mode", "words"), [("error", "503"), ("junk", "not a reply"), ("replay", "not to this question")]
)
def test_bad_answers_cost_the_stamp_and_nothing_else(stamp_server, mode, words):
    stamp_server.mode = mode
    server = StampServer(stamp_server.address)
    assert server.token(DIGEST) is None
    assert server.token(DIGEST) is None
    assert words in server.notes[0] or mode == "error"
    assert len(server.notes) == 1
    assert stamp_server.asked == 1  # a server that failed is not asked again


def test_server_that_is_down():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/"
        server = StampServer(address, timeout=2)
        assert server.token(DIGEST) is None
        assert "no time stamp" in server.notes[0]
        with pytest.raises(TryAgain, match="no time stamp") as caught:
            StampServer(address, required=True, timeout=2).token(DIGEST)
        assert caught.value.exit_code == 6


def test_server_that_never_answers():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        server = StampServer(f"http://127.0.0.1:{silent.getsockname()[1]}/", timeout=0.3)
        assert server.token(DIGEST) is None


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://host/", "tsa.example", "", "http://"])
def test_addresses_that_are_none(address):
    with pytest.raises(ConfigError):
        StampServer(address)


def test_changed_bytes_that_matter_are_noticed(stamp_server):
    """A token's spare certificates are covered by nothing; its time, digest and signature are."""
    token = StampServer(stamp_server.address).token(DIGEST)
    moment = check_token(token, DIGEST).moment
    passed = 0
    for place in range(len(token)):
        changed = bytearray(token)
        changed[place] ^= 1
        try:
            assert check_token(bytes(changed), DIGEST).moment == moment
            passed += 1
        except SealError:
            pass
    assert passed < len(token) / 2  # the root's certificate


def test_stamp_by_somebody_who_is_no_authority_is_refused(authority, ada):
    from asn1crypto import keys as asn1_keys
    from asn1crypto import x509 as asn1_x509
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper

    der = authority.stamp_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    plain = authority.signer(authority.stamp_key, name="No authority").certificate
    stamper = DummyTimeStamper(
        tsa_cert=asn1_x509.Certificate.load(plain.public_bytes(Encoding.DER)),
        tsa_key=asn1_keys.PrivateKeyInfo.load(der),
    )
    _, request = stamper.request_cms(DIGEST, "sha256")
    reply = stamper.request_tsa_response(request)
    with pytest.raises(SealError):
        check_token(reply["time_stamp_token"].dump(), DIGEST)


def test_stamp_outside_the_authoritys_time_is_refused(authority):
    stamper = authority.stamper()
    stamper.fixed_dt = datetime(2001, 1, 1, tzinfo=UTC)
    _, request = stamper.request_cms(DIGEST, "sha256")
    with pytest.raises(SealError, match="outside the time"):
        check_token(stamper.request_tsa_response(request)["time_stamp_token"].dump(), DIGEST)


def test_refusals_are_no_tokens():
    rejection = bytes.fromhex("30053003020102")
    with pytest.raises(SealError):
        token_of(rejection)
    waiting = bytes.fromhex("30053003020103") + b""
    with pytest.raises(SealError):
        token_of(waiting)


def test_a_token_under_a_refusal_is_none(stamp_server):
    reply = reply_around(StampServer(stamp_server.address).token(DIGEST))
    assert token_of(reply)
    with pytest.raises(SealError, match="rejection"):
        token_of(reply.replace(b"\x30\x03\x02\x01\x00", b"\x30\x03\x02\x01\x02", 1))


@pytest.mark.parametrize("hostile", [b"", b"\x30\x00", b"\x30\x80\x00\x00", b"junk", b"\x30\x03\x02\x01\x00"])
def test_hostile_tokens_are_refused(hostile):
    with pytest.raises(SealError):
        check_token(hostile, DIGEST)
    with pytest.raises(SealError):
        token_of(hostile)


@pytest.mark.parametrize("kind", ["rsa", "p256"])
def test_token_of_openssls_authority(kind, authority, tmp_path):
    """A second, independent maker of tokens: SHA-256 digests, ESSCertIDv2, EC keys."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from cryptography.x509.oid import ExtendedKeyUsageOID

    key = authority.stamp_key if kind == "rsa" else ec.generate_private_key(ec.SECP256R1())
    signer = authority.signer(key, name="OpenSSL stamps", usages=[ExtendedKeyUsageOID.TIME_STAMPING])
    (tmp_path / "tsa.pem").write_bytes(certificates_pem((signer.certificate,)))
    (tmp_path / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (tmp_path / "data").write_bytes(b"data")
    (tmp_path / "serial").write_text("01\n")
    (tmp_path / "tsa.cnf").write_text(
        "[tsa]\ndefault_tsa=t\n[t]\nserial=serial\nsigner_cert=tsa.pem\nsigner_key=key.pem\nsigner_digest=sha256\n"
        "default_policy=1.2.3.4\ndigests=sha256\ness_cert_id_alg=sha256\naccuracy=secs:1\n"
    )
    shell = (
        "openssl ts -query -data data -sha256 -cert -out query && "
        "openssl ts -reply -config tsa.cnf -queryfile query -out reply"
    )
    subprocess.run(["bash", "-c", shell], cwd=tmp_path, capture_output=True, check=True)
    found = check_token(token_of((tmp_path / "reply").read_bytes()), DIGEST)
    assert found.certificate == signer.certificate
