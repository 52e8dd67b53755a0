"""What sealing and verifying cost: run as ``python tests/benchmarks/seal.py FOLDER`` on a report folder with a PDF.

Prints CPU seconds, the best of five: signing all files of the report, a countersignature with its visible stamp, and
verifying with one and with two seals. Imports are not counted.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from audit.attestation.folder import write_folder
from audit.attestation.render.pdf import render_pdf_with_sources
from audit.attestation.render.stamp import render_stamp
from audit.attestation.seal import pdf_check
from audit.attestation.seal.keys import signer_for
from audit.attestation.seal.sign import SEAL_FILES, countersign_folder, sign_folder
from audit.attestation.verify import verify_report
from audit.config.schema import SigningOrder
from audit.evidence import Countersignature, Dossier

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
STATED = Countersignature(role="reviewer", decision="approve", name="A reviewer", moment="2026-03-01T12:00:00Z")


def best_of(work: Callable[[], object], times: int = 5) -> float:
    """Return the least CPU time in seconds; what a reader keeps of the last PDF is forgotten each time."""
    found = []
    for _ in range(times):
        pdf_check.read_pdf.cache_clear()
        begun = time.process_time()
        work()
        found.append(time.process_time() - begun)
    return min(found)


def main(report: Path) -> None:
    signer = signer_for(SigningOrder(key="development"), interactive=False)
    assert signer is not None
    dossier = Dossier.parse((report / "audit.json").read_bytes())
    shown = dossier.presentation.model_copy(update={"signer": signer.shown()})
    dossier = dossier.model_copy(update={"presentation": shown})
    files = {"report.pdf": render_pdf_with_sources(dossier)}
    for path in sorted(report.rglob("*")):
        name = path.relative_to(report).as_posix()
        if path.is_file() and name.split("/")[0] not in (
            *SEAL_FILES,
            "seals",
            "individuals",
            "report.pdf",
            "report.html",
        ):
            files[name] = path.read_bytes()
    files["audit.json"] = dossier.canonical()
    once = sign_folder(files, dossier, signer, moment=NOW, stamp=render_stamp)
    twice = countersign_folder(once, STATED, signer, moment=NOW, stamp=render_stamp)
    with TemporaryDirectory() as above:
        folders = [Path(above) / name for name in ("once", "twice")]
        for folder, sealed in zip(folders, (once, twice), strict=True):
            write_folder(sealed, folder)
        found = {
            "files": len(once),
            "pdf_bytes": len(once["report.pdf"]),
            "sign": best_of(lambda: sign_folder(files, dossier, signer, moment=NOW, stamp=render_stamp)),
            "sign_pdf_added": len(once["report.pdf"]) - len(files["report.pdf"]),
            "countersign": best_of(lambda: countersign_folder(once, STATED, signer, moment=NOW, stamp=render_stamp)),
            "verify_one_seal": best_of(lambda: verify_report(folders[0])),
            "verify_two_seals": best_of(lambda: verify_report(folders[1])),
        }
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: seal.py REPORT_FOLDER, a signed report as audit run writes it")
    main(Path(sys.argv[1]))
