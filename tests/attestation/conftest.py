"""What the tests of sealing, ledger and verification share: a small dossier, signers, a page and a PDF."""

from __future__ import annotations

import contextlib
import gc
import http.server
import threading
import warnings
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from audit.attestation.seal.keys import KeySigner
from audit.config.schema import SigningOrder
from audit.evidence import (
    SECTION_NAMES,
    Dossier,
    Evidence,
    FileDigest,
    Judgement,
    NotDone,
    PolicyText,
    Presentation,
    Provenance,
    RuleFinding,
    Subject,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PAGE = '<!DOCTYPE html>\n<html lang="en"><title>Bericht</title><p>äöü ✓</p></html>\n'.encode()


def make_evidence(system="loans", model="aa", data="bb"):
    files = (
        FileDigest(name="model.pt2", sha256="sha256:" + model * 32, size=10, role="model"),
        FileDigest(name="rows.csv", sha256="sha256:" + data * 32, size=20, role="data.audit"),
        FileDigest(name="rows.csv", sha256="sha256:" + "cc" * 32, size=20, role="data.audit"),
    )
    provenance = Provenance(
        tool="glassbox-audit 0.1.0", versions={"python": "3.11"}, platform="linux x86_64",
        config_digest="sha256:" + "dd" * 32, files=files, seed=0, effort="fast",
        started="2026-03-01T11:00:00Z", seconds={"all": 1.5},
    )  # fmt: skip
    parts = {name: NotDone(not_done="not part of this test", broke=name == "drift") for name in SECTION_NAMES}
    subject = Subject(title="Loans", system=system, version="2.3")
    return Evidence(provenance=provenance, subject=subject, definitions=(), **parts)


def make_dossier(signer=None, *, outcome="passed", created="2026-03-01T12:00:00Z", **about):
    evidence = make_evidence(**about)
    finding = RuleFinding(
        rule="pack/rule", pack="pack", title="A rule.", severity="high", kind="fact", status="pass", verdicts=(),
        limit="at least 0.80", path="pack.yaml", line=3,
    )  # fmt: skip
    text = PolicyText(
        pack="pack", title="Pack", version="1", path="pack.yaml", sha256="sha256:" + "ee" * 32, text="pack: 1\n"
    )
    judgement = Judgement(
        evidence_digest=evidence.digest(), evidence_signed="made in the same run", as_of="2026-03-01",
        policies=(text,), findings=(finding,), outcome=outcome,
    )  # fmt: skip
    shown = Presentation(created=created, signer=signer.shown() if signer else None)
    return Dossier(evidence=evidence, judgement=judgement, presentation=shown)


def make_certificate(key, name, *, issuer=None, issuer_key=None, ca=False, usages=(), start=None, days=3650):
    """Return a certificate; self-signed without an issuer."""
    start = start or datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    subject = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, name), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example Bank")]
    )
    usage = x509.KeyUsage(
        digital_signature=not ca, content_commitment=not ca, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=ca, crl_sign=ca, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if issuer is not None:
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key())
        builder = builder.add_extension(authority, critical=False)
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=True)
    return builder.sign(issuer_key or key, hashes.SHA256())


def key_pem(key, password=None):
    how = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how)


class Authority:
    """A root, an intermediate, people who sign, and a time stamp authority under the root."""

    def __init__(self):
        self.root_key, self.middle_key = (
            ec.generate_private_key(ec.SECP256R1()),
            ec.generate_private_key(ec.SECP256R1()),
        )
        self.root = make_certificate(self.root_key, "Root", ca=True)
        self.middle = make_certificate(self.middle_key, "Middle", issuer=self.root, issuer_key=self.root_key, ca=True)
        self.stamp_key = rsa.generate_private_key(65537, 2048)
        self.stamp = make_certificate(
            self.stamp_key,
            "Stamps",
            issuer=self.root,
            issuer_key=self.root_key,
            usages=[ExtendedKeyUsageOID.TIME_STAMPING],
        )

    def signer(self, key=None, *, name="Ada Auditor", stamps=None, **about):
        key = key or ec.generate_private_key(ec.SECP256R1())
        certificate = make_certificate(key, name, issuer=self.middle, issuer_key=self.middle_key, **about)
        return KeySigner(certificate, (self.middle,), stamps, key)

    def stamper(self):
        from asn1crypto import keys as asn1_keys
        from asn1crypto import x509 as asn1_x509
        from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper
        from pyhanko_certvalidator.registry import SimpleCertificateStore

        store = SimpleCertificateStore()
        der = self.stamp_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        store.register(asn1_x509.Certificate.load(self.root.public_bytes(Encoding.DER)))
        return DummyTimeStamper(
            tsa_cert=asn1_x509.Certificate.load(self.stamp.public_bytes(Encoding.DER)),
            tsa_key=asn1_keys.PrivateKeyInfo.load(der),
            certs_to_embed=store,
        )


@pytest.fixture(scope="session")
def authority():
    return Authority()


@pytest.fixture(scope="session")
def ada(authority):
    return authority.signer()


@pytest.fixture(scope="session")
def eve():
    """Somebody with a key of her own and a certificate that she made herself."""
    key = ec.generate_private_key(ec.SECP256R1())
    return KeySigner(make_certificate(key, "Ada Auditor"), (), None, key)


@pytest.fixture(scope="session")
def rsa_signer(authority):
    return authority.signer(rsa.generate_private_key(65537, 2048), name="Rita RSA")


@pytest.fixture(scope="session")
def certify():
    return make_certificate


@pytest.fixture
def development(tmp_path, monkeypatch):
    from audit.attestation.seal.keys import signer_for

    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return signer_for(SigningOrder(key="development"), interactive=False)


@pytest.fixture(scope="session")
def plain_pdf():
    """A one-page tagged PDF/A with an audit.json inside, as the renderer makes them."""
    return make_pdf(make_dossier().canonical())


@pytest.fixture(scope="session")
def pdf_maker():
    return make_pdf


def make_pdf(attached):
    import weasyprint

    created = '<meta name="dcterms.created" content="2026-03-01T12:00:00Z">'
    page = f'<!DOCTYPE html><html lang="en">{created}<title>Report</title>'
    kept = weasyprint.Attachment(
        string=attached, name="audit.json", description="The audit", relationship="Data", created=NOW, modified=NOW
    )
    html = weasyprint.HTML(string=page + "<h1>Report</h1><p>Passed.</p></html>")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # WeasyPrint leaves its colour profile open
        data = html.write_pdf(pdf_variant="pdf/a-3a", attachments=[kept])
        gc.collect()
    return data


@pytest.fixture(scope="session")
def page():
    return PAGE


@pytest.fixture(scope="session")
def dossier_of():
    return make_dossier


@pytest.fixture
def write_folder(tmp_path):
    """Write a sealed folder."""

    def write(sealed, name="report"):
        folder = tmp_path / name
        for file, data in sealed.items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_bytes(data)
        return folder

    return write


@pytest.fixture
def stamp_server(authority):
    """Run a time stamp server; its `mode` says how it behaves, `asked` counts."""
    with _serve(authority.stamper()) as server:
        yield server


@contextlib.contextmanager
def _serve(stamper):
    from asn1crypto import tsp

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.server.asked += 1
            body = self.rfile.read(int(self.headers["Content-Length"]))
            reply = {"good": self.answer, "error": self.fail, "junk": lambda _: b"junk", "replay": self.replay}
            data = reply[self.server.mode](body)
            if data is None:
                self.send_error(503)
                return
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            self.wfile.write(data)

        def answer(self, body):
            return stamper.request_tsa_response(tsp.TimeStampReq.load(body)).dump()

        def replay(self, body):
            request = tsp.TimeStampReq.load(body)
            request["nonce"] = 1
            return stamper.request_tsa_response(tsp.TimeStampReq.load(request.dump(force=True))).dump()

        def fail(self, _body):
            return None

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.mode = 0, "good"
    server.address = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
