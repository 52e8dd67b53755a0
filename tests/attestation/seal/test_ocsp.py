"""OCSP: openssl answers, pyHanko validates; and every false answer that a hostile signer or server could think of."""

from __future__ import annotations

import hashlib
import shutil
import time
from datetime import timedelta
from io import BytesIO

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID
from pyhanko.pdf_utils.generic import ArrayObject, pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESPassed
from revocation_material import (
    HOUR,
    make_answer,
    make_list,
    nonce_of,
    now,
    run_openssl_responder,
    serve_revocations,
    validate_offline,
    with_addresses,
)

from audit.attestation.seal.keys import KeySigner
from audit.attestation.seal.ocsp import ask_responder, judge_answer, responder_addresses
from audit.attestation.seal.pdf import sign_pdf
from audit.attestation.seal.pdf_check import check_pdf, check_pdf_marks, embedded_data
from audit.attestation.seal.pdf_level import check_proofs, level_of
from audit.attestation.seal.revocation import NOTHING_SAID, Revocations, find_revoked, find_uncovered
from audit.attestation.seal.revocation_source import RevocationSource, ValidationData
from audit.attestation.seal.timestamp import StampServer
from audit.attestation.verify import verify_report
from audit.errors import ConfigError, SealError, TryAgain

OCSP_SIGNING = [ExtendedKeyUsageOID.OCSP_SIGNING]
NOW = now()


def new_key():
    return ec.generate_private_key(ec.SECP256R1())


class World:
    """A root with a responder of its own, Lea who signs, a stranger of the same names, and a server for all."""

    def __init__(self, certify, server):
        self.certify, self.server = certify, server
        self.root_key, self.key, self.responder_key = new_key(), new_key(), new_key()
        self.root = certify(self.root_key, "Answering Root", ca=True)
        self.bare = certify(self.key, "Lea", issuer=self.root, issuer_key=self.root_key)
        self.leaf = with_addresses(self.bare, self.root_key, responder=f"{server.address}/r")
        self.responder = self.delegate()
        self.stranger_key = new_key()
        self.stranger = certify(self.stranger_key, "Answering Root", ca=True)
        server.answers["/r"] = lambda request: self.answer(nonce=nonce_of(request))

    def delegate(
        self, key=None, *, usages=OCSP_SIGNING, issuer=None, issuer_key=None, nocheck=True, lists=None, **more
    ):
        issuer, issuer_key = issuer or self.root, issuer_key or self.root_key
        made = self.certify(key or self.responder_key, "Responder", issuer=issuer, issuer_key=issuer_key,
                            usages=OCSP_SIGNING, **more)  # fmt: skip
        return with_addresses(made, issuer_key, nocheck=nocheck, lists=lists)

    def answer(self, **more):
        about = {"certificate": self.leaf, "issuer": self.root, "signer": self.responder, "key": self.responder_key}
        return make_answer(**(about | more))

    def forged(self):
        """An answer by a root that has the name of the true one."""
        return self.answer(signer=self.stranger, key=self.stranger_key, beside=[self.stranger])


@pytest.fixture
def server():
    with serve_revocations() as running:
        yield running


@pytest.fixture
def world(certify, server):
    return World(certify, server)


def judged(world, answer, moment=None):
    return judge_answer(answer, world.leaf, [world.root], moment or now()).word


# ---- one answer, judged


@pytest.mark.parametrize("digest", [hashes.SHA1(), hashes.SHA256(), hashes.SHA512()], ids=lambda one: one.name)
@pytest.mark.parametrize("by_key", [False, True])
def test_true_answer_of_a_responder_that_the_issuer_named(world, digest, by_key):
    assert judged(world, world.answer(digest=digest, by_key=by_key)) == "good"


def test_true_answer_of_the_issuer_itself(world):
    assert judged(world, world.answer(signer=world.root, key=world.root_key)) == "good"


def test_true_answer_signed_with_rsa(world):
    key = rsa.generate_private_key(65537, 2048)
    assert judged(world, world.answer(signer=world.delegate(key), key=key)) == "good"


def test_answer_by_a_stranger_of_the_same_name(world):
    assert judged(world, world.forged()) == "forged"


def test_answer_by_a_stranger_who_shows_the_true_responder(world):
    """The certificate of the true responder beside a signature that is not its own."""
    key = new_key()
    twin = world.delegate(key, issuer=world.stranger, issuer_key=world.stranger_key)
    answer = world.answer(signer=twin, key=key, beside=[world.responder])
    assert judged(world, answer) == "forged"


def test_answer_by_the_signer_about_himself(world):
    """Lea's certificate comes from the same root, which never gave her the right to answer."""
    assert judged(world, world.answer(signer=world.leaf, key=world.key)) == "forged"


def test_answer_by_a_responder_of_another_authority(world):
    other = world.delegate(issuer=world.stranger, issuer_key=world.stranger_key)
    assert judged(world, world.answer(signer=other)) == "forged"


def test_answer_by_a_responder_whose_certificate_had_run_out(world):
    gone = world.delegate(start=NOW - timedelta(days=400), days=365)
    assert judged(world, world.answer(signer=gone)) == "forged"


def test_answer_about_another_certificate(world, certify):
    other = certify(new_key(), "Lea", issuer=world.root, issuer_key=world.root_key)
    assert judged(world, world.answer(certificate=other)) == "none"


def test_answer_about_the_same_number_of_another_authority(world, certify):
    """A hostile authority gives its own certificate Lea's number, and answers truthfully about that."""
    twin = with_addresses(world.leaf, world.stranger_key)
    assert twin.serial_number == world.leaf.serial_number
    answer = make_answer(twin, world.stranger, world.stranger, world.stranger_key)
    assert judge_answer(answer, world.leaf, [world.root, world.stranger], NOW).word != "none"  # that is why issuers
    assert find_uncovered(world.leaf, (world.root, world.stranger), Revocations(answers=(answer,)), NOW) == world.leaf


@pytest.mark.parametrize(
    ("start", "hours", "word"),
    [
        (-2, 24, "good"),
        (-30, 24, "outdated"),
        (-30, None, "outdated"),
        (-0.5, None, "good"),
        (2, 24, "outdated"),
        (-2, -1, "outdated"),
        (0, -0.05, "outdated"),
        (-25, 24.95, "good"),
    ],
    ids=["today", "yesterday", "old without end", "new", "tomorrow", "turned round", "just turned round", "slow clock"],
)
def test_time_of_an_answer(world, start, hours, word):
    assert judged(world, world.answer(start=now() + HOUR * start, hours=hours)) == word


def test_answer_speaks_for_the_moment_of_the_signature(world):
    """An answer recorded before a revocation and shown after it had run out is worth nothing; a later one all."""
    kept = world.answer(start=NOW - 48 * HOUR, hours=24)
    assert judged(world, kept, NOW - 30 * HOUR) == "good"
    assert judged(world, kept, NOW) == "outdated"
    assert judged(world, world.answer(), NOW - 400 * HOUR) == "good"


def test_revocation_counts_from_its_moment_and_for_ever(world):
    gone = world.answer(word="revoked", since=NOW - 10 * HOUR, start=NOW - 9 * HOUR, hours=1)
    assert judged(world, gone, NOW) == "revoked"
    assert judged(world, gone, NOW - 11 * HOUR) == "good"
    assert judge_answer(gone, world.leaf, [world.root], NOW).since == NOW - 10 * HOUR


@pytest.mark.parametrize("cut", [0, 1, 40, 200, -1])
def test_what_is_no_answer(world, cut):
    assert judged(world, world.answer()[:cut]) == "none"
    assert judged(world, world.answer() + b"\0") == "none"


def test_no_changed_byte_of_an_answer_makes_another_good_one(world):
    """Bytes that the signature does not cover (certificates beside it, say) may change; what is said may not."""
    true = world.answer(word="revoked", since=NOW - HOUR)
    for place in range(0, len(true), 3):
        data = bytearray(true)
        data[place] ^= 1
        assert judged(world, bytes(data)) != "good", place


# ---- several answers, and what they mean for a signer


def test_stranger_takes_nothing_away_from_a_true_answer(world):
    about = (world.leaf, (world.root,))
    both = Revocations(answers=(world.forged(), world.answer()))
    assert find_revoked(*about, both, now()) == ""
    assert find_uncovered(*about, both, now()) is None
    assert "cannot speak" in find_revoked(*about, Revocations(answers=(world.forged(),)), now())


def test_revocation_is_not_undone_by_an_older_good_answer(world):
    replayed = world.answer(start=NOW - 20 * HOUR)
    gone = world.answer(word="revoked", since=NOW - 10 * HOUR)
    found = find_revoked(world.leaf, (world.root,), Revocations(answers=(replayed, gone)), now())
    assert "was revoked on" in found


def test_authority_that_does_not_know_the_certificate(world):
    unknown = Revocations(answers=(world.answer(word="unknown"),))
    assert "does not know" in find_revoked(world.leaf, (world.root,), unknown, now())
    assert find_uncovered(world.leaf, (world.root,), unknown, now()) == world.leaf


def test_responder_that_was_itself_revoked_is_not_heeded(world):
    responder = world.delegate(nocheck=False)
    answer = world.answer(signer=responder)
    gone = make_list(world.root, world.root_key, [(responder, NOW - HOUR)]).public_bytes(Encoding.DER)
    other = make_list(world.root, world.root_key, [(world.root, NOW - HOUR)]).public_bytes(Encoding.DER)
    stale = make_list(world.root, world.root_key, start=NOW - 400 * HOUR, days=1).public_bytes(Encoding.DER)
    about = (world.leaf, (world.root,))
    assert find_uncovered(*about, Revocations((stale,), (answer,)), now()) is None
    assert find_uncovered(*about, Revocations((other,), (answer,)), now()) is None
    kept = make_list(world.root, world.root_key, [(responder, NOW - HOUR)], start=NOW - 400 * HOUR, days=1)
    said = Revocations((kept.public_bytes(Encoding.DER),), (answer,))
    assert find_uncovered(*about, said, now()) == world.leaf
    assert find_uncovered(*about, Revocations((gone,), (answer,)), now()) is None  # the list itself speaks for Lea


# ---- asked while signing


def test_address_must_be_of_the_web(world, certify):
    bare = certify(new_key(), "X", issuer=world.root, issuer_key=world.root_key)
    for address, found in (("ldap://x/y", ()), ("file:///etc/passwd", ()), ("https://o.example/", 1)):
        made = with_addresses(bare, world.root_key, responder=address)
        assert bool(responder_addresses(made)) == bool(found)
    assert responder_addresses(bare) == ()


def ask(world, answer):
    world.server.answers["/r"] = answer
    return ask_responder(f"{world.server.address}/r", world.leaf, world.root, timeout=5)


def test_answer_with_and_without_the_number_of_the_question(world):
    assert judged(world, ask(world, lambda request: world.answer(nonce=nonce_of(request)))) == "good"
    assert judged(world, ask(world, lambda _: world.answer())) == "good"


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("replayed", "another question"),
        ("outdated", "not of today"),
        ("stranger", "cannot speak"),
        ("other", "something else"),
        ("unknown", "does not know"),
        ("junk", "no answer"),
        ("refusal", "try later"),
    ],
)
def test_false_answer_to_the_question(world, certify, kind, word):
    other = certify(new_key(), "Lea", issuer=world.root, issuer_key=world.root_key)
    refusal = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER)
    answers = {
        "replayed": lambda _: world.answer(nonce=bytes(32)),
        "outdated": lambda request: world.answer(nonce=nonce_of(request), start=NOW - 30 * HOUR),
        "stranger": lambda _: world.forged(),
        "other": lambda request: world.answer(nonce=nonce_of(request), certificate=other),
        "unknown": lambda request: world.answer(nonce=nonce_of(request), word="unknown"),
        "junk": lambda _: b"junk",
        "refusal": lambda _: refusal.public_bytes(Encoding.DER),
    }
    with pytest.raises(SealError, match=word):
        ask(world, answers[kind])


# ---- in a PDF


@pytest.fixture
def stamping(authority, server):
    """Give the time stamp authority a certificate with a responder, for as long as the test runs."""
    before = authority.stamp
    authority.stamp = with_addresses(before, authority.root_key, responder=f"{server.address}/t")
    server.answers["/t"] = lambda request: make_answer(
        authority.stamp, authority.root, authority.root, authority.root_key, nonce=nonce_of(request)
    )
    yield authority
    authority.stamp = before


@pytest.fixture
def signer_of(stamping, world, stamp_server):
    """Return Lea, who asks servers as ordered; or with a source of revocations of her own."""

    def make(source=None, **more):
        stamps = StampServer(stamp_server.address)
        return KeySigner(world.leaf, (world.root,), stamps, world.key, source or RevocationSource(**more))

    return make


class Lying(RevocationSource):
    """A hostile signer, who embeds what they like."""

    def __init__(self, said, *certificates):
        super().__init__()
        self.lie = ValidationData(certificates, said)

    def collect(self, chains):
        return self.lie


def level(data):
    return level_of(data, check_pdf_marks(data))


def test_pyhanko_validates_answers_alone_for_the_long_term(plain_pdf, signer_of, world, stamping, server):
    data = sign_pdf(plain_pdf, signer_of(), moment=NOW)
    said, _ = embedded_data(data)
    assert (len(said.lists), len(said.answers)) == (0, 2)
    assert level(data) == "B-LTA"
    server.answers.clear()
    found = validate_offline(data, (world.root, stamping.root))
    assert found.ades_subindic is AdESPassed.OK, found.failure_msg
    assert found.api_status.bottom_line
    assert check_proofs(data, check_pdf_marks(data)) == "2 OCSP answers; nobody who signed was revoked"


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
def test_openssl_answers_and_pyhanko_validates(plain_pdf, stamping, world, stamp_server, tmp_path):
    """Neither the responder nor the validator is ours."""
    responder = run_openssl_responder(
        tmp_path / "o", world.root, world.responder, world.responder_key, [(world.leaf, None)]
    )
    with responder as address:
        leaf = with_addresses(world.bare, world.root_key, responder=address)
        signer = KeySigner(leaf, (world.root,), StampServer(stamp_server.address), world.key, RevocationSource())
        data = sign_pdf(plain_pdf, signer, moment=NOW)
    assert level(data) == "B-LTA"
    found = validate_offline(data, (world.root, stamping.root))
    assert found.ades_subindic is AdESPassed.OK, found.failure_msg


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
def test_openssl_says_revoked_and_nobody_signs(world, tmp_path):
    gone = [(world.leaf, NOW - 10 * HOUR)]
    with run_openssl_responder(tmp_path / "o", world.root, world.responder, world.responder_key, gone) as address:
        leaf = with_addresses(world.bare, world.root_key, responder=address)
        with pytest.raises(ConfigError, match="was revoked on"):
            RevocationSource().refuse_revoked((leaf, (world.root,)))


def test_store_names_what_belongs_to_which_signature(plain_pdf, signer_of):
    """VRI (ETSI EN 319 142-1, 5.4.2.3): the uppercase SHA-1 of the whole string that the signature stands in."""
    data = sign_pdf(sign_pdf(plain_pdf, signer_of(), moment=NOW), signer_of(), moment=NOW, field="Reviewer")
    reader = PdfFileReader(BytesIO(data))
    store = reader.root["/DSS"]
    names = [
        "/" + hashlib.sha1(one.sig_object["/Contents"]).hexdigest().upper()
        for one in reader.embedded_regular_signatures
    ]
    assert len(names) == 2
    assert set(store["/VRI"]) == set(names)
    for name in names:
        belongs = store["/VRI"][name]
        assert {bytes(belongs["/OCSP"][place].data) for place in range(len(belongs["/OCSP"]))} <= {
            bytes(store["/OCSPs"][place].data) for place in range(len(store["/OCSPs"]))
        }
        assert len(belongs["/OCSP"]) == 2
        assert len(belongs["/Cert"]) >= 3
    assert level(data) == "B-LTA"
    assert len(check_pdf(data)) == 2


@pytest.mark.parametrize("fault", ["down", "stranger", "outdated", "hanging"])
@pytest.mark.parametrize("needed", [False, True])
def test_responder_that_gives_nothing_costs_the_level(plain_pdf, signer_of, world, server, fault, needed):
    server.answers["/r"] = {
        "down": lambda _: None,
        "stranger": lambda _: world.forged(),
        "outdated": lambda request: world.answer(nonce=nonce_of(request), start=NOW - 30 * HOUR),
        "hanging": lambda _: time.sleep(0.5),
    }[fault]
    signer = signer_of(needed=needed, timeout=0.2 if fault == "hanging" else 5.0)
    data = sign_pdf(plain_pdf, signer, moment=NOW)
    assert level(data) == "B-T"
    assert bool(signer.revocation.notes) == needed
    assert not needed or server.address in signer.revocation.notes[0]


def test_level_that_is_required(plain_pdf, signer_of, server):
    server.answers["/r"] = lambda _: None
    with pytest.raises(TryAgain, match="no validation data"):
        sign_pdf(plain_pdf, signer_of(needed=True, required=True), moment=NOW)


def test_responder_that_is_down_is_asked_once(world, server):
    server.answers["/r"] = lambda _: None
    source = RevocationSource()
    for _ in range(3):
        source.refuse_revoked((world.leaf, (world.root,)))
    assert server.asked == 1


def test_list_stands_in_where_the_responder_is_down(plain_pdf, signer_of, world, server):
    server.answers["/r"] = lambda _: None
    server.lists["/l"] = make_list(world.root, world.root_key).public_bytes(Encoding.DER)
    both = with_addresses(world.bare, world.root_key, responder=f"{server.address}/r", lists=f"{server.address}/l")
    signer = signer_of()
    signer = KeySigner(both, signer.chain, signer.stamps, world.key, RevocationSource(needed=True))
    data = sign_pdf(plain_pdf, signer, moment=NOW)
    assert level(data) == "B-LTA"
    assert signer.revocation.notes == []


def test_list_by_a_stranger_is_no_validation_data(plain_pdf, signer_of, world, server):
    server.lists["/l"] = make_list(world.stranger, world.stranger_key).public_bytes(Encoding.DER)
    listed = with_addresses(world.bare, world.root_key, lists=f"{server.address}/l")
    signer = signer_of()
    signer = KeySigner(listed, signer.chain, signer.stamps, world.key, RevocationSource(needed=True))
    assert level(sign_pdf(plain_pdf, signer, moment=NOW)) == "B-T"
    assert "a list that it did not sign" in signer.revocation.notes[0]


def test_list_about_the_responder_comes_along(plain_pdf, signer_of, world, server):
    server.lists["/l"] = make_list(world.root, world.root_key).public_bytes(Encoding.DER)
    world.responder = world.delegate(nocheck=False, lists=f"{server.address}/l")
    said, _ = embedded_data(sign_pdf(plain_pdf, signer_of(), moment=NOW))
    assert (len(said.lists), len(said.answers)) == (1, 2)


# ---- what a hostile signer puts into a PDF


def verified(data, folder, *anchors):
    (folder / "report.pdf").write_bytes(data)
    (folder / "trust.pem").write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in anchors))
    return verify_report(folder / "report.pdf", trust=folder / "trust.pem")


def stamp_answer(stamping):
    return make_answer(stamping.stamp, stamping.root, stamping.root, stamping.root_key)


def test_true_data_are_trusted(plain_pdf, signer_of, world, stamping, tmp_path):
    found = verified(sign_pdf(plain_pdf, signer_of(), moment=NOW), tmp_path, world.root, stamping.root)
    checks = {check.name: check for check in found.checks}
    assert (checks["validation data"].ok, checks["trusted signer"].ok) == (True, True)
    assert "B-LTA" in checks["signature of the PDF"].detail


@pytest.mark.parametrize(
    ("kind", "trusted", "word"),
    [
        ("stranger", False, "cannot speak"),
        ("revoked", False, "was revoked"),
        ("unknown", False, "does not know"),
        ("outdated", True, "another certificate or another time"),
        ("replayed", True, "another certificate or another time"),
        ("other", True, "another certificate or another time"),
    ],
)
def test_false_data_make_no_level(plain_pdf, signer_of, world, stamping, certify, tmp_path, kind, trusted, word):
    """A report that claims the long term by data that do not hold is B-T; data that speak against it are heard."""
    other = certify(new_key(), "Lea", issuer=world.root, issuer_key=world.root_key)
    lie = {
        "stranger": lambda: world.forged(),
        "revoked": lambda: world.answer(word="revoked", since=NOW - 10 * HOUR),
        "unknown": lambda: world.answer(word="unknown"),
        "outdated": lambda: world.answer(start=NOW - 30 * HOUR),
        "replayed": lambda: world.answer(start=NOW - 500 * HOUR, hours=168),
        "other": lambda: world.answer(certificate=other),
    }[kind]()
    said = Revocations(answers=(lie, stamp_answer(stamping)))
    data = sign_pdf(plain_pdf, signer_of(Lying(said, world.leaf, world.root)), moment=NOW)
    assert level(data) == ("B-LTA" if kind == "revoked" else "B-T")
    found = verified(data, tmp_path, world.root, stamping.root)
    check = next(check for check in found.checks if check.name == "validation data")
    assert (check.ok, word in check.detail) == (trusted, True), check.detail
    assert found.word == "INTACT"
    assert (found.trust == "TRUSTED") is trusted
    assert trusted or found.exit_code == 4


def test_revoked_time_stamp_authority_dates_nothing(plain_pdf, signer_of, world, stamping, tmp_path):
    """The signer's certificate has run out since; only a stamp shows that it signed in time, and that one is false."""
    data = sign_pdf(plain_pdf, signer_of(Lying(NOTHING_SAID, world.root)), moment=NOW)
    gone = make_list(stamping.root, stamping.root_key, [(stamping.stamp, NOW - 10 * HOUR)])
    from audit.attestation.seal.trust import STAMP_USAGES, doubt_certificate

    said = Revocations((gone.public_bytes(Encoding.DER),))
    doubt = doubt_certificate(stamping.stamp, (stamping.root,), (stamping.root,), now(), usages=STAMP_USAGES, said=said)
    assert "was revoked" in doubt
    assert level(data) == "B-T"


def test_later_signature_cannot_take_validation_data_away(plain_pdf, signer_of):
    """An approver with a revoked certificate would like to lose the answer that says so."""
    once = sign_pdf(plain_pdf, signer_of(), moment=NOW)

    class Plain(IncrementalPdfFileWriter):
        def _update_meta(self):
            pass

    writer = Plain(BytesIO(once), strict=True)
    store = writer.root["/DSS"]
    poorer = type(store)({key: store.raw_get(key) for key in store if key != "/OCSPs"})
    poorer[pdf_name("/OCSPs")] = ArrayObject(list(store["/OCSPs"])[:1])
    writer.root[pdf_name("/DSS")] = writer.add_object(poorer)
    writer.update_root()
    output = BytesIO()
    writer.write(output)
    twice = sign_pdf(output.getvalue(), signer_of(Lying(NOTHING_SAID)), moment=NOW, field="Approver")
    assert len(check_pdf(once)) == 1
    with pytest.raises(SealError, match="takes validation data away"):
        check_pdf(twice)
