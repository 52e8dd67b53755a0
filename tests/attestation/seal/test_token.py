"""Keys that are no PEM files: PKCS 12, and PKCS 11 with SoftHSM as the device; and that no secret is ever shown."""

from __future__ import annotations

import base64
import logging
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.hazmat.primitives.serialization import pkcs12 as p12
from pydantic import SecretStr

from audit.attestation.seal.cms import check_signature, sign_data
from audit.attestation.seal.keys import certificates_pem, signer_for
from audit.attestation.seal.token import read_address
from audit.config.schema import SigningOrder
from audit.errors import AuditError, ConfigError

PIN = "4711geheim"
FOLDERS = ("/usr/lib/softhsm", "/usr/lib64/softhsm", "/usr/local/lib/softhsm", "/opt/homebrew/lib/softhsm")
LIBRARIES = [Path(folder) / name for folder in FOLDERS for name in ("libsofthsm2.so", "libsofthsm.so")]


def file_of(tmp_path, signer, password=None, chain=True):
    how = BestAvailableEncryption(password) if password else NoEncryption()
    more = signer.chain if chain else None
    path = tmp_path / "key.p12"
    path.write_bytes(p12.serialize_key_and_certificates(b"me", signer.key, signer.certificate, more, how))
    return path


@pytest.mark.parametrize("password", [None, PIN.encode()])
def test_pkcs12(tmp_path, ada, password):
    path = file_of(tmp_path, ada, password)
    secret = SecretStr(password.decode()) if password else None
    signer = signer_for(SigningOrder(key=f"file:{path}", password=secret), interactive=False)
    assert (signer.certificate, signer.chain) == (ada.certificate, ada.chain)
    check_signature(ada.certificate, sign_data(signer, b"data"), b"data")


def test_pkcs12_in_a_variable(tmp_path, ada, monkeypatch):
    data = file_of(tmp_path, ada, PIN.encode()).read_bytes()
    monkeypatch.setenv("AUDIT_TEST_P12", base64.b64encode(data).decode())
    monkeypatch.setenv("AUDIT_TEST_PIN", PIN)
    order = SigningOrder(key="env:AUDIT_TEST_P12", password=SecretStr("env:AUDIT_TEST_PIN"))
    assert signer_for(order, interactive=False).certificate == ada.certificate


@pytest.mark.parametrize("password", ["wrong", None])
def test_pkcs12_that_stays_closed(tmp_path, ada, password):
    order = SigningOrder(key=f"file:{file_of(tmp_path, ada, PIN.encode())}", password=password and SecretStr(password))
    with pytest.raises(ConfigError) as caught:
        signer_for(order, interactive=False)
    assert PIN not in str(caught.value)


def test_pkcs12_with_ed25519_is_refused_with_the_reason(tmp_path, certify):
    key = ed25519.Ed25519PrivateKey.generate()
    issuer_key = ec.generate_private_key(ec.SECP256R1())
    certificate = certify(key, "Ed", issuer=certify(issuer_key, "R", ca=True), issuer_key=issuer_key)
    path = tmp_path / "ed.p12"
    path.write_bytes(p12.serialize_key_and_certificates(b"me", key, certificate, None, NoEncryption()))
    with pytest.raises(ConfigError, match="PDF readers call such a signature damaged"):
        signer_for(SigningOrder(key=f"file:{path}"), interactive=False)


@pytest.mark.parametrize(
    "rest",
    ["", "token=a", "object=k", "object=k?module-path=", "object=k;pin-value=4711geheim?module-path=/x",
     "object=k?module-path=/x&pin-value=4711geheim", "object=k?module-path=/x;pin-value=4711geheim",
     "objekt=k?module-path=/x", "4711geheim"],
)  # fmt: skip
def test_addresses_that_are_none(rest):
    with pytest.raises(ConfigError) as caught:
        read_address(rest)
    assert PIN not in str(caught.value)


def test_address_is_read_as_rfc_7512_writes_it():
    found = read_address("token=My%20token;object=a%3Bb;id=%01%ff?module-path=/x/y.so&pin-source=env:PIN")
    assert (found.token, found.label, found.identifier) == ("My token", "a;b", b"\x01\xff")
    assert (found.module, found.pin_source) == ("/x/y.so", "env:PIN")


@pytest.fixture(scope="module")
def library():
    found = next((path for path in LIBRARIES if path.is_file()), None)
    if found is None or shutil.which("softhsm2-util") is None:
        pytest.skip("SoftHSM is not installed (apt-get install softhsm2)")
    pytest.importorskip("pkcs11", reason="python-pkcs11 is not installed (pip install 'glassbox-audit[pkcs11]')")
    return found


@pytest.fixture(scope="module")
def token(library, tmp_path_factory):
    """A token of its own, whose folder SoftHSM is told of before its library is loaded."""
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    command = ["softhsm2-util", "--init-token", "--free", "--label", "audit test", "--pin", PIN, "--so-pin", PIN]
    subprocess.run(command, check=True, capture_output=True)
    yield folder
    os.environ.pop("SOFTHSM2_CONF")


@pytest.fixture(scope="module", params=["EC", "RSA"])
def device(request, token, library, authority, tmp_path_factory):
    """Put a key on the token; return its address and certificate."""
    kind = request.param
    key = rsa.generate_private_key(65537, 2048) if kind == "RSA" else ec.generate_private_key(ec.SECP256R1())
    signer = authority.signer(key, name=f"Device {kind}")
    pem = tmp_path_factory.mktemp("device") / "key.pem"
    pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    number = "01" if kind == "EC" else "02"
    command = ["softhsm2-util", "--import", pem, "--token", "audit test", "--label", kind, "--id", number, "--pin", PIN]
    subprocess.run(command, check=True, capture_output=True)
    (pem.parent / "cert.pem").write_bytes(certificates_pem((signer.certificate, *signer.chain)))
    address = f"pkcs11:token=audit%20test;object={kind}?module-path={library}"
    return address, signer, pem.parent / "cert.pem"


def test_device_signs_all_that_is_signed(device, dossier_of, page, pdf_maker, write_folder):
    from audit.attestation.seal.sign import sign_folder
    from audit.attestation.verify import verify_report

    address, owner, certificate = device
    order = SigningOrder(key=address, certificate=f"file:{certificate}", password=SecretStr(PIN))
    signer = signer_for(order, interactive=False)
    assert signer.certificate == owner.certificate
    dossier = dossier_of(signer)
    files = {"report.html": page, "report.pdf": pdf_maker(dossier.canonical())}
    found = verify_report(write_folder(sign_folder(files, dossier, signer)))
    assert (found.word, found.signers) == ("INTACT", (f"{signer.shown().name}",))
    assert PIN not in repr(signer)


def test_wrong_pin_wrong_name_wrong_certificate(device, eve, tmp_path):
    address, _, certificate = device
    good = {"key": address, "certificate": f"file:{certificate}", "password": SecretStr(PIN)}
    (tmp_path / "eve.pem").write_bytes(certificates_pem((eve.certificate,)))
    for change in (
        {"password": SecretStr("0000secret")}, {"key": address.replace("object=", "object=no")},
        {"key": address.replace("audit%20test", "nobody")}, {"key": address.replace(".so", ".xx")},
        {"certificate": f"file:{tmp_path / 'eve.pem'}"}, {"certificate": None},
    ):  # fmt: skip
        with pytest.raises(ConfigError) as caught:
            signer_for(SigningOrder(**{**good, **change}), interactive=False)
        assert PIN not in str(caught.value)
        assert "0000secret" not in str(caught.value)


def test_token_that_shows_no_key_without_a_pin_is_told_of_as_such(monkeypatch):
    pkcs11 = pytest.importorskip("pkcs11")

    class Token:
        label, serial = "nobody asked", b"1"

        def open(self, user_pin):
            return self

        def get_key(self, **_):
            raise pkcs11.NoSuchKey

    monkeypatch.setattr(pkcs11, "lib", lambda _: type("Library", (), {"get_token": lambda *_, **__: Token()})())
    with pytest.raises(ConfigError, match="give signing.password"):
        signer_for(SigningOrder(key="pkcs11:object=k?module-path=/x.so", certificate="file:/none"), interactive=False)


def test_no_secret_is_written_anywhere(tmp_path, ada, run_cli, caplog, write_folder, dossier_of, page, monkeypatch):
    """Right and wrong uses of key and password, everything logged: neither shows in output, log or file."""
    from audit.attestation.seal.sign import sign_folder

    caplog.set_level(logging.DEBUG)
    monkeypatch.chdir(tmp_path)
    folder = write_folder(sign_folder({"report.html": page}, dossier_of(ada), ada))
    path = file_of(tmp_path, ada, PIN.encode())
    pem = ada.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(pem + certificates_pem((ada.certificate,)))
    monkeypatch.setenv("AUDIT_TEST_PIN", PIN)
    monkeypatch.setenv("AUDIT_TEST_KEY", pem.decode())
    said = ""
    for key, password in (
        (f"file:{path}", "env:AUDIT_TEST_PIN"), (f"file:{path}", PIN), (f"file:{path}", "file:/dev/null"),
        ("env:AUDIT_TEST_KEY", "env:AUDIT_TEST_PIN"), (PIN, "env:AUDIT_TEST_PIN"), (pem.decode(), None),
        (f"pkcs11:object=x;pin-value={PIN}?module-path=/x", None), (f"file:{tmp_path}/key.pem", f"env:{PIN}"),
    ):  # fmt: skip
        more = ("--password", password) if password else ()
        code, out, err = run_cli(
            "sign", folder, "--role", "reviewer", "--decision", "approve", "--key", key, *more, "--debug"
        )
        said += out + err + str(code)
    said += caplog.text + "".join(path.read_bytes().decode("latin-1") for path in folder.rglob("*") if path.is_file())
    body = "".join(pem.decode().split("\n")[1:-2])
    # a PKCS 8 file holds the number behind a head, and then the public key, which is no secret
    number = ada.key.private_numbers().private_value
    for secret in (PIN, body[48:88], f"{number:x}", str(number)):
        assert secret not in said
    assert "INTACT" in said  # the first of them is right


def test_debug_of_an_error_shows_no_secret(tmp_path, ada):
    order = SigningOrder(key=f"file:{file_of(tmp_path, ada, PIN.encode())}", password=SecretStr(PIN + "x"))
    assert PIN not in repr(order)
    assert PIN not in order.model_dump_json()
    try:
        signer_for(order, interactive=False)
    except AuditError as error:
        assert error.__suppress_context__
        assert PIN not in f"{error!r} {error}"
