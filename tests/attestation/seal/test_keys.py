"""Who signs: the table of keys, the development key, and what is refused with which words."""

from __future__ import annotations

import multiprocessing
import os
import stat
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from pydantic import SecretStr

from audit.attestation.seal.development import DEVELOPMENT_NAME, development_folder, development_pem
from audit.attestation.seal.keys import SIGNERS, certificates_pem, show_certificate, signer_for
from audit.config.schema import SigningOrder
from audit.errors import ConfigError

SECRET = "correct horse"


def pem_of(key, password=None):
    how = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how)


@pytest.fixture
def keys(ada, tmp_path, monkeypatch):
    """Ada's key and certificate as files and as environment variables."""
    (tmp_path / "key.pem").write_bytes(pem_of(ada.key))
    (tmp_path / "locked.pem").write_bytes(pem_of(ada.key, SECRET))
    (tmp_path / "cert.pem").write_bytes(certificates_pem((ada.certificate, *ada.chain)))
    monkeypatch.setenv("ADA_KEY", pem_of(ada.key).decode())
    monkeypatch.setenv("ADA_CERT", (tmp_path / "cert.pem").read_text())
    monkeypatch.setenv("ADA_PASSWORD", SECRET)
    return tmp_path


def order(folder, key="file:{}/key.pem", certificate="file:{}/cert.pem", **more):
    return SigningOrder(key=key.format(folder), certificate=certificate.format(folder), **more)


def test_key_from_file(keys, ada):
    signer = signer_for(order(keys), interactive=False)
    assert (signer.certificate, signer.chain) == (ada.certificate, ada.chain)
    assert signer.shown().name == "Ada Auditor, Example Bank"
    assert not signer.shown().development


def test_key_from_environment(keys, ada):
    signer = signer_for(SigningOrder(key="env:ADA_KEY", certificate="env:ADA_CERT"), interactive=False)
    assert signer.certificate == ada.certificate


def test_certificate_may_stand_in_the_key_file(keys, ada):
    (keys / "both.pem").write_bytes(pem_of(ada.key) + certificates_pem((ada.certificate,)))
    signer = signer_for(SigningOrder(key=f"file:{keys}/both.pem"), interactive=False)
    assert signer.certificate == ada.certificate


@pytest.mark.parametrize("password", ["env:ADA_PASSWORD", "file:{}/password", SECRET])
def test_encrypted_key(keys, ada, password):
    (keys / "password").write_text(SECRET + "\n")
    words = SecretStr(password.format(keys))
    signer = signer_for(order(keys, key="file:{}/locked.pem", password=words), interactive=False)
    assert signer.certificate == ada.certificate


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"key": "file:{}/locked.pem"}, "encrypted"),
        ({"key": "file:{}/locked.pem", "password": SecretStr("wrong")}, "wrong password"),
        ({"password": SecretStr(SECRET)}, "not encrypted"),
        ({"key": "file:{}/absent.pem"}, "cannot be read"),
        ({"key": "env:NOT_SET_ANYWHERE"}, "not set"),
        ({"key": "file:{}/cert.pem"}, "is no key"),
        ({"certificate": "file:{}/key.pem"}, "no certificate"),
        ({"certificate": "pkcs12:{}"}, "file:PATH or env:NAME"),
        ({"key": "fil:{}/key.pem"}, "no kind of key called 'fil'; did you mean 'file'"),
        ({"key": "development"}, "no certificate of its own"),
        ({"timestamp": "file:///etc/passwd"}, "not the address of a server"),
        ({"timestamp": "https://"}, "not the address of a server"),
    ],
)
def test_mistakes_have_exit_code_2_and_say_what(keys, change, words):
    with pytest.raises(ConfigError) as caught:
        signer_for(order(keys, **change), interactive=False)
    assert words in str(caught.value)
    assert caught.value.exit_code == 2


def test_secrets_show_nowhere(keys, caplog):
    signer = signer_for(
        order(keys, key="file:{}/locked.pem", password=SecretStr("env:ADA_PASSWORD")), interactive=False
    )
    assert "key" not in repr(signer).replace("KeySigner", "")
    assert "PRIVATE" not in repr(signer)
    with pytest.raises(ConfigError) as caught:
        signer_for(order(keys, key="file:{}/locked.pem", password=SecretStr("hunter2")), interactive=False)
    assert "hunter2" not in f"{caught.value}{caught.value.__cause__!r}{caplog.text}"
    with pytest.raises(ConfigError) as caught:
        signer_for(SigningOrder(key=pem_of(signer.key).decode()), interactive=False)
    assert "MIG" not in str(caught.value)


def test_key_of_another_certificate_is_refused(keys, eve):
    (keys / "eve.pem").write_bytes(pem_of(eve.key))
    with pytest.raises(ConfigError, match="not the key of the first certificate"):
        signer_for(order(keys, key="file:{}/eve.pem"), interactive=False)


def test_certificates_that_are_no_chain_are_refused(keys, ada, eve):
    (keys / "mixed.pem").write_bytes(certificates_pem((ada.certificate, eve.certificate)))
    with pytest.raises(ConfigError, match="not one chain"):
        signer_for(order(keys, certificate="file:{}/mixed.pem"), interactive=False)


@pytest.mark.parametrize(("start", "words"), [(-40, "ran out on"), (10, "not valid before")])
def test_certificate_outside_its_time_is_refused(keys, authority, ada, start, words):
    begin = datetime.now(UTC).replace(microsecond=0) + timedelta(days=start)
    old = authority.signer(ada.key, start=begin, days=30)
    (keys / "old.pem").write_bytes(certificates_pem((old.certificate, *old.chain)))
    with pytest.raises(ConfigError, match=words):
        signer_for(order(keys, certificate="file:{}/old.pem"), interactive=False)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (ed25519.Ed25519PrivateKey.generate(), "Ed25519.*PDF readers"),
        (ec.generate_private_key(ec.SECP256K1()), "not accepted"),
        (ec.generate_private_key(ec.SECP224R1()), "not accepted"),
        (rsa.generate_private_key(65537, 1024), "not accepted"),
        (dsa.generate_private_key(1024), "not accepted"),
    ],
    ids=["ed25519", "secp256k1", "p224", "rsa1024", "dsa"],
)
def test_kinds_of_keys_that_are_refused(keys, key, words):
    (keys / "other.pem").write_bytes(pem_of(key))
    with pytest.raises(ConfigError, match=words):
        signer_for(order(keys, key="file:{}/other.pem"), interactive=False)


def test_kind_of_key_that_the_library_does_not_know_is_refused(keys):
    """A curve that cannot be loaded is the reader's mistake to mend, not a fault of the program."""
    made = ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:SM2", "-out", keys / "sm2.pem"]
    if subprocess.run(made, capture_output=True).returncode:
        pytest.skip("this openssl makes no SM2 keys")
    with pytest.raises(ConfigError, match="of a kind that is not accepted"):
        signer_for(order(keys, key="file:{}/sm2.pem"), interactive=False)
    locked = ["openssl", "pkcs12", "-export", "-nocerts", "-inkey", keys / "sm2.pem", "-passout", "pass:x", "-out",
              keys / "sm2.p12"]  # fmt: skip
    subprocess.run(locked, check=True, capture_output=True)
    with pytest.raises(ConfigError, match="of a kind that is not accepted"):
        signer_for(order(keys, key="file:{}/sm2.p12", password=SecretStr("x")), interactive=False)


def test_without_key_and_terminal_nobody_signs(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert signer_for(SigningOrder(), interactive=False) is None
    assert list(tmp_path.iterdir()) == []


def test_at_a_terminal_a_development_key_is_made(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    signer = signer_for(SigningOrder(), interactive=True)
    assert signer.shown().name == DEVELOPMENT_NAME == "DEVELOPMENT KEY - not a trusted identity"
    assert signer.shown().development


@pytest.mark.parametrize("key", [None, "development"])
def test_required_refuses_a_development_key_and_makes_none(key, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with pytest.raises(ConfigError, match="proves no identity"):
        signer_for(SigningOrder(key=key, required=True), interactive=True)
    assert list(tmp_path.iterdir()) == []


def test_certificate_without_key_is_a_mistake(keys):
    with pytest.raises(ConfigError, match=r"without signing\.key"):
        signer_for(SigningOrder(certificate=f"file:{keys}/cert.pem"), interactive=True)


def test_development_key_is_private_and_stays(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    old = os.umask(0)  # even with no umask at all
    try:
        first = signer_for(SigningOrder(key="development"), interactive=False)
    finally:
        os.umask(old)
    folder = tmp_path / "glassbox-audit"
    assert development_folder() == folder
    assert stat.S_IMODE((folder / "development.pem").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []
    assert signer_for(SigningOrder(key="development"), interactive=False).certificate == first.certificate


def test_development_certificate_is_what_it_says(tmp_path):
    certificate = x509.load_pem_x509_certificate(development_pem(tmp_path))
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert usage.content_commitment
    assert not usage.key_cert_sign
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert isinstance(certificate.public_key().curve, ec.SECP256R1)
    certificate.verify_directly_issued_by(certificate)


def test_relative_configuration_folder_is_ignored(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", "here")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert development_folder() == tmp_path / ".config/glassbox-audit"


def test_readable_development_key_is_refused(tmp_path):
    development_pem(tmp_path)
    (tmp_path / "development.pem").chmod(0o640)
    with pytest.raises(ConfigError, match="open to other users"):
        development_pem(tmp_path)


def test_damaged_development_key_is_refused(tmp_path):
    development_pem(tmp_path)
    path = tmp_path / "development.pem"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ConfigError, match="damaged"):
        development_pem(tmp_path)


def test_link_in_place_of_the_development_key_is_refused(tmp_path):
    development_pem(tmp_path / "real")
    (tmp_path / "fake").mkdir()
    (tmp_path / "fake/development.pem").symlink_to(tmp_path / "real/development.pem")
    with pytest.raises(ConfigError, match="cannot be kept"):
        development_pem(tmp_path / "fake")


def test_folder_that_is_a_file_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be kept"):
        development_pem(tmp_path / "file")


def test_certificate_is_renewed_for_the_same_key(tmp_path):
    first = x509.load_pem_x509_certificate(development_pem(tmp_path))
    assert development_pem(tmp_path, now=datetime.now(UTC) + timedelta(days=360)) == development_pem(tmp_path)
    later = x509.load_pem_x509_certificate(development_pem(tmp_path, now=datetime.now(UTC) + timedelta(days=364.5)))
    assert later.public_key() == first.public_key()
    assert later.not_valid_after_utc > first.not_valid_after_utc
    assert stat.S_IMODE((tmp_path / "development.pem").stat().st_mode) == 0o600


def _make(folder, barrier, results):
    barrier.wait()
    results.put(development_pem(folder))


def test_first_runs_at_once_get_the_same_key(tmp_path):
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(4), context.Queue()
    crowd = [context.Process(target=_make, args=(tmp_path / "config", barrier, results)) for _ in range(4)]
    for process in crowd:
        process.start()
    found = {results.get(timeout=20) for _ in crowd}
    for process in crowd:
        process.join(timeout=20)
    assert len(found) == 1


def test_fingerprint_is_the_one_openssl_prints(ada, tmp_path):
    (tmp_path / "c.pem").write_bytes(certificates_pem((ada.certificate,)))
    command = ["openssl", "x509", "-in", "c.pem", "-noout", "-fingerprint", "-sha256"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert said.strip().split("=")[1] == show_certificate(ada.certificate).fingerprint


def test_names_cannot_act_on_a_terminal_or_a_page(authority):
    shown = show_certificate(authority.signer(name="\x1b[31mX\n`rm`<b>").certificate)
    assert shown.name == "[31mX  rm  b , Example Bank"


def test_a_name_is_not_a_development_key_by_looking_like_one(authority):
    assert not show_certificate(authority.signer(name=DEVELOPMENT_NAME + " ").certificate).development


def test_table_of_schemes():
    assert set(SIGNERS) == {"development", "file", "env", "pkcs11"}
