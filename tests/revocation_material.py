"""Authorities that say what they revoked: lists, OCSP answers true and false, and servers that give them."""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import re
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from io import BytesIO

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

HOUR = timedelta(hours=1)


def now():
    return datetime.now(UTC).replace(microsecond=0)


def make_list(issuer, key, revoked=(), *, start=None, days=7):
    """Return a list of revoked certificates; `revoked` are pairs of certificate and moment."""
    start = start or now() - HOUR
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.subject)
        .last_update(start)
        .next_update(start + timedelta(days=days))
        .add_extension(x509.CRLNumber(1), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), critical=False)
    )
    for certificate, since in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(certificate.serial_number).revocation_date(since).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(key, hashes.SHA256())


def with_addresses(certificate, issuer_key, *, lists=None, responder=None, nocheck=False):
    """Return the certificate made again with addresses at which its issuer says what it revoked."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(certificate.subject)
        .issuer_name(certificate.issuer)
        .public_key(certificate.public_key())
        .serial_number(certificate.serial_number)
        .not_valid_before(certificate.not_valid_before_utc)
        .not_valid_after(certificate.not_valid_after_utc)
    )
    if lists:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(lists)], None, None, None)
        builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
    if responder:
        place = x509.UniformResourceIdentifier(responder)
        access = [x509.AccessDescription(AuthorityInformationAccessOID.OCSP, place)]
        builder = builder.add_extension(x509.AuthorityInformationAccess(access), critical=False)
    if nocheck:
        builder = builder.add_extension(x509.OCSPNoCheck(), critical=False)
    for extension in certificate.extensions:
        builder = builder.add_extension(extension.value, critical=extension.critical)
    return builder.sign(issuer_key, hashes.SHA256())


def make_answer(
    certificate, issuer, signer, key, *, word="good", start=None, hours=24, since=None, nonce=None, beside=None,
    by_key=False, digest=None, invalid_since=None,
):  # fmt: skip
    """Return an OCSP answer (DER) about a certificate; `signer` may be anybody."""
    start = start or now() - HOUR / 2
    status = {"good": ocsp.OCSPCertStatus.GOOD, "revoked": ocsp.OCSPCertStatus.REVOKED}.get(
        word, ocsp.OCSPCertStatus.UNKNOWN
    )
    encoding = ocsp.OCSPResponderEncoding.HASH if by_key else ocsp.OCSPResponderEncoding.NAME
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            cert=certificate, issuer=issuer, algorithm=digest or hashes.SHA1(), cert_status=status, this_update=start,
            next_update=start + timedelta(hours=hours) if hours else None, revocation_time=since,
            revocation_reason=None,
        )
        .responder_id(encoding, signer)
    )  # fmt: skip
    if beside or signer != issuer:
        builder = builder.certificates([*(beside or [signer])])
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


@contextlib.contextmanager
def serve_revocations():
    """Run a server: `lists` by path for GET; `answers` by path, a function of the request (DER), for POST."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send(self.server.lists.get(self.path))

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = self.server.answers.get(self.path)
            self.send(answer(body) if answer else None)

        def send(self, data):
            self.server.asked += 1
            if data is None:
                self.send_error(503)
                return
            self.send_response(200)
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(data)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.lists, server.answers = 0, {}, {}
    server.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def nonce_of(request):
    """Return the nonce of a request (DER)."""
    loaded = ocsp.load_der_ocsp_request(request)
    return loaded.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce


@contextlib.contextmanager
def run_openssl_responder(folder, issuer, responder, key, entries):
    """Run openssl's own responder; `entries` are pairs of certificate and moment of revocation or None."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for certificate, since in entries:
        until = f"{certificate.not_valid_after_utc:%y%m%d%H%M%SZ}"
        gone = f"{since:%y%m%d%H%M%SZ}" if since else ""
        serial = f"{certificate.serial_number:X}"
        lines.append(f"{'R' if since else 'V'}\t{until}\t{gone}\t{'0' * (len(serial) % 2)}{serial}\tunknown\t/CN=x\n")
    (folder / "index.txt").write_text("".join(lines))
    (folder / "ca.pem").write_bytes(issuer.public_bytes(Encoding.PEM))
    (folder / "responder.pem").write_bytes(responder.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    command = [
        "openssl", "ocsp", "-index", "index.txt", "-port", "0", "-rsigner", "responder.pem", "-rkey", "key.pem",
        "-CA", "ca.pem", "-nmin", "60",
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        said = process.stdout.readline()  # ACCEPT 0.0.0.0:PORT PID=...
        yield f"http://127.0.0.1:{re.search(r':([0-9]+)(?= |$)', said)[1]}/"
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def validate_offline(data, roots, *, archived=True, heeded=True):
    """Return pyHanko's own judgement of the first signature, with nothing but the file and the roots, and no network.

    Parameters
    ----------
    data : bytes
        The PDF.
    roots : sequence of cryptography.x509.Certificate
        Whom to trust.
    archived : bool
        Validate the archive (ETSI EN 319 102-1, 5.6: B-LTA, needs a document time stamp); else the signature with its
        time stamp and the validation data of the file (5.5: B-LT). Everything must be shown not to be revoked.
    heeded : bool
        Whether the validation data of the file are looked at.
    """
    from asn1crypto import x509 as asn1_x509
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import ades
    from pyhanko.sign.validation.policy_decl import (
        PdfSignatureValidationSpec,
        RevinfoOnlineFetchingRule,
        RevocationInfoGatheringSpec,
        SignatureValidationSpec,
    )
    from pyhanko_certvalidator.context import CertValidationPolicySpec
    from pyhanko_certvalidator.policy_decl import CertRevTrustPolicy, RevocationCheckingPolicy
    from pyhanko_certvalidator.registry import SimpleTrustManager

    trusted = [asn1_x509.Certificate.load(one.public_bytes(Encoding.DER)) for one in roots]
    reader = PdfFileReader(BytesIO(data))
    spec = SignatureValidationSpec(
        cert_validation_policy=CertValidationPolicySpec(
            trust_manager=SimpleTrustManager.build(trust_roots=trusted),
            revinfo_policy=CertRevTrustPolicy(RevocationCheckingPolicy.from_legacy("require")),
        ),
        revinfo_gathering_policy=RevocationInfoGatheringSpec(online_fetching_rule=RevinfoOnlineFetchingRule.LOCAL_ONLY),
        local_knowledge=ades._dss_to_local_knowledge(reader) if heeded else ades.LocalKnowledge(),
    )
    signature = reader.embedded_regular_signatures[0]
    if archived:
        return asyncio.run(ades.ades_lta_validation(signature, PdfSignatureValidationSpec(spec)))
    digest = signature.compute_digest()
    return asyncio.run(ades.ades_with_time_validation(signature.signed_data, spec, raw_digest=digest))
