"""The reports that the checkers look at: every kind of document once, and signed documents at every stage.

Comes in: an empty folder. Goes out: files in it, named after what they are. Several test processes share one folder:
the first one fills it, the others wait.
"""

from __future__ import annotations

import fcntl
import importlib.util
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
MOMENT = datetime(2026, 11, 21, 9, 15, tzinfo=UTC)
PACK = "sr-26-2"
EVERY = ("html", "pdf", "markdown", "junit", "sarif")
SMALL_AUDIT = """\
data: {audit: applicants.csv, id: applicant}
label: repaid
groups: [sex, region]
explain: {rows: [a00001, a00002], reasons: 3}
features:
  income: {mutable: true, reason: Income too low for the amount requested}
  debts: {mutable: true}
model: {path: model.ts.pt, inputs: [income, debts, age], output: logit}
effort: fast
"""
DOCUMENTS = """\
schema: documents/1
facts: {system.jurisdictions: [US], organisation.is_bank: true, organisation.total_assets_usd_bn: 40}
"""


@contextmanager
def filled_once(folder: Path, *, backwards: bool = False) -> Iterator[Path]:
    """Give the folder of specimens when it is full; two processes that come together fill it from either end."""
    folder.mkdir(parents=True, exist_ok=True)
    for draw in list_stages()[:: -1 if backwards else 1]:
        mark = folder.parent / f"{folder.name}.{draw.__name__}"
        with mark.with_suffix(".lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if not mark.exists():
                draw(folder)
                mark.touch()
            fcntl.flock(handle, fcntl.LOCK_UN)
    yield folder


def list_stages() -> list[Callable[[Path], None]]:
    """Return what makes the specimens; none needs what another one made."""
    return [
        draw_full_report, draw_real_reports, draw_change, draw_publication, draw_fleet, draw_long_term, draw_signed
    ]  # fmt: skip


def load_material(path: str):
    """Return a module of the tests by its path below ``tests``."""
    name = "material_" + Path(path).stem
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, TESTS / path)
        assert spec and spec.loader
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


def full_dossier(**presentation):
    """Return the large dossier of the renderers' own tests, as it is read back: every section, figure and verdict."""
    from audit.evidence import Dossier

    made = load_material("attestation/render/dossier_fixture.py").make_dossier(**presentation)
    return Dossier.parse(made.canonical())


def draw_full_report(folder: Path) -> None:
    from audit.attestation.render.formats import FORMATS

    for name, shown, formats in (
        ("full", {}, EVERY),
        ("german", {"language": "de"}, ("html", "pdf", "markdown")),
        ("summary", {"edition": "summary"}, ("html", "pdf")),
    ):
        dossier = full_dossier(**shown)
        (folder / f"{name}.json").write_bytes(dossier.canonical())
        for form in formats:
            (folder / f"{name}.{FORMATS[form].file.rpartition('.')[2]}").write_bytes(FORMATS[form](dossier))


def draw_real_reports(folder: Path) -> None:
    """Audit a small model once; attest its evidence unsigned, as the edition of a policy, and for the public."""
    from material import make_table

    from audit.attestation.history import write_history
    from audit.config.load import load_config
    from audit.config.schema import AttestConfig
    from audit.workflow import attest_from_file, examine_to_folder

    place = folder / "job"
    place.mkdir()
    make_table().to_csv(place / "applicants.csv", index=False)
    write_net(place / "model.ts.pt")
    (place / "audit.yaml").write_text(SMALL_AUDIT, encoding="utf-8")
    (place / "documents.yaml").write_text(DOCUMENTS, encoding="utf-8")
    examine_to_folder(load_config(place / "audit.yaml"), place / "examined")
    for name, report in (
        ("real", {"formats": EVERY}),
        ("edition", {"edition": PACK}),
        ("edition-german", {"edition": PACK, "language": "de"}),
        ("public", {"audience": "public"}),
    ):
        order = {
            "policies": ["baseline-fairness", PACK], "documents": str(place / "documents.yaml"), "report": report,
            "ledger": {"path": str(place / "log")},
        }  # fmt: skip
        attest_from_file(place / "examined" / "evidence.json", AttestConfig.model_validate(order), out=place / name)
        keep_files(place / name, folder, name)
    for page in sorted((place / "real" / "individuals").glob("*.html"))[:1]:
        shutil.copy(page, folder / "individual.html")
    (folder / "history.html").write_bytes(write_history(place / "log", [place], folder / "history.html"))


def write_net(path: Path) -> None:
    """Write the small net of the tests as TorchScript."""
    import warnings

    import torch
    from material import make_net

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(make_net(), torch.zeros(2, 3)).save(str(path))


def draw_change(folder: Path) -> None:
    """Compare two versions of a model, as page and as paper."""
    from change_material import make_scores, write_config

    from audit.config.load import load_config
    from audit.config.schema import AttestConfig
    from audit.workflow import compare_audits, run_audit

    place = folder / "change-job"
    place.mkdir()
    make_scores().to_csv(place / "people.csv", index=False)
    for name in ("old", "new"):
        run_audit(load_config(write_config(place, name)), out=place / name)
    for name, report in (("change", {"formats": EVERY}), ("change-german", {"language": "de"})):
        order = {"policies": ["model-change-review"], "report": report, "ledger": {"path": str(place / "log")}}
        compare_audits(place / "old", place / "new", out=place / name, order=AttestConfig.model_validate(order))
        keep_files(place / name, folder, name)


def draw_publication(folder: Path) -> None:
    """The page that an employer in New York publishes, filled with the rule's own example."""
    from audit.attestation.policy.staging import Stage
    from audit.attestation.render.publication_page import render_publications

    material = load_material("attestation/render/test_publication.py")
    pages = render_publications(material.publish(Stage(material.counted(), {}, material.numbers())))
    (folder / "publication.html").write_bytes(pages["publication/nyc-ll144.html"])


def draw_fleet(folder: Path) -> None:
    """The summary of several audits of one night, one of which could not be made."""
    from audit.operations.summary import render_fleet_junit, render_fleet_page
    from audit.operations.task import AuditResult, AuditTask, run_task

    material = load_material("operations_material.py")
    place = folder / "fleet-job"
    good, _ = run_task(AuditTask(material.make_scored_job(place, "good"), out=place / "good"))
    bad = AuditResult("night.yaml", 3, system="bad", error="data: no such file", hint="look at the path")
    when = "2026-11-21T09:15:00Z"
    (folder / "fleet.html").write_bytes(render_fleet_page([good, bad], when=when, folder=folder))
    (folder / "fleet.xml").write_bytes(render_fleet_junit([good, bad], when=when))


def keep_files(report: Path, folder: Path, name: str) -> None:
    """Copy the files of a report folder to the specimens, named after what they are."""
    for file in ("report.html", "report.pdf", "report.md", "junit.xml", "results.sarif", "audit.json"):
        if (report / file).exists():
            shutil.copy(report / file, folder / f"{name}.{file.rpartition('.')[2]}")
    for page in report.glob("*.html"):
        if page.name != "report.html":
            shutil.copy(page, folder / f"{name}-{page.name}")


def draw_signed(folder: Path) -> None:
    """Sign the full report as its preparer, then as reviewer and approver, with time stamps."""
    from audit.attestation.render.formats import FORMATS
    from audit.attestation.render.stamp import render_stamp
    from audit.attestation.seal.sign import countersign_folder, sign_folder, tell_moment
    from audit.attestation.seal.timestamp import StampServer
    from audit.evidence import Countersignature

    keys = load_material("attestation/conftest.py")
    authority = keys.Authority()
    with keys._serve(authority.stamper()) as server:
        ada = authority.signer(name="Ada Auditor", stamps=StampServer(server.address))
        dossier = full_dossier(signer=ada.shown())
        unsigned = {FORMATS[form].file: FORMATS[form](dossier) for form in ("html", "pdf")}
        sealed = sign_folder(unsigned, dossier, ada, moment=MOMENT, stamp=render_stamp)
        for name in ("unsigned", "signed", "signed-1", "signed-2", "signed-3"):
            (folder / f"{name}.json").write_bytes(dossier.canonical())
        (folder / "unsigned.pdf").write_bytes(unsigned["report.pdf"])
        (folder / "signed.html").write_bytes(sealed["report.html"])
        (folder / "signed-1.pdf").write_bytes(sealed["report.pdf"])
        for number, role, decision in ((2, "reviewer", "conditions"), (3, "approver", "approve")):
            person = authority.signer(
                name=f"Person {number}", stamps=StampServer(server.address) if number == 3 else None
            )
            stated = Countersignature(
                role=role, decision=decision, name=f"Zoë Ångström-Łukasiewicz {number}", note="Because it is so.",
                moment=tell_moment(MOMENT),
            )  # fmt: skip
            sealed = countersign_folder(sealed, stated, person, moment=MOMENT, stamp=render_stamp)
            (folder / f"signed-{number}.pdf").write_bytes(sealed["report.pdf"])


def draw_long_term(folder: Path) -> None:
    """Sign the short report at PAdES B-LT and B-LTA: the signer's authority answers, the stamps' gives a list."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding

    from audit.attestation.render.formats import FORMATS
    from audit.attestation.render.stamp import render_stamp
    from audit.attestation.seal.keys import KeySigner
    from audit.attestation.seal.revocation_source import RevocationSource
    from audit.attestation.seal.sign import sign_folder
    from audit.attestation.seal.timestamp import StampServer

    class Tiring(StampServer):
        """Gives so many stamps and then no more, so that the one over the whole document is missing."""

        left = 1000

        def token(self, digest):
            self.left -= 1
            return super().token(digest) if self.left >= 0 else None

    keys, said = load_material("attestation/conftest.py"), load_material("revocation_material.py")
    authority, key = keys.Authority(), ec.generate_private_key(ec.SECP256R1())
    with said.serve_revocations() as server:
        authority.stamp = said.with_addresses(authority.stamp, authority.root_key, lists=f"{server.address}/t")
        server.lists["/t"] = said.make_list(authority.root, authority.root_key).public_bytes(Encoding.DER)
        made = keys.make_certificate(key, "Lea Longterm", issuer=authority.root, issuer_key=authority.root_key)
        leaf = said.with_addresses(made, authority.root_key, responder=f"{server.address}/r")
        server.answers["/r"] = lambda request: said.make_answer(
            leaf, authority.root, authority.root, authority.root_key, nonce=said.nonce_of(request)
        )
        with keys._serve(authority.stamper()) as stamping:
            for name, limit in (("signed-lt", 2), ("signed-lta", 1000)):
                stamps = Tiring(stamping.address)
                stamps.left = limit
                lea = KeySigner(leaf, (authority.root,), stamps, key, RevocationSource(needed=True, required=True))
                dossier = full_dossier(signer=lea.shown(), edition="summary")
                unsigned = {"report.pdf": FORMATS["pdf"](dossier)}
                sealed = sign_folder(unsigned, dossier, lea, moment=MOMENT, stamp=render_stamp)
                (folder / f"{name}.json").write_bytes(dossier.canonical())
                (folder / f"{name}.pdf").write_bytes(sealed["report.pdf"])
    (folder / "long-term.pem").write_bytes(authority.root.public_bytes(Encoding.PEM))
