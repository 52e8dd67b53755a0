"""What drawing a report costs: run as ``python tests/benchmarks/report.py FOLDER...`` on report folders.

Prints, for each dossier, CPU seconds of the page (the first one compiles the templates, the least of three others does
not) and of the paper with its sources embedded, its pages and figures, what 40 such pages cost, bytes of both, and the
largest memory of the process. Imports are not counted; each folder is drawn in a process of its own.
"""

from __future__ import annotations

import io
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path


def seconds_of(work: Callable[[], bytes]) -> tuple[float, bytes]:
    begun = time.process_time()
    made = work()
    return time.process_time() - begun, made


def measure(folder: Path) -> None:
    import pypdf
    import weasyprint

    from audit.attestation.render.formats import FORMATS
    from audit.attestation.render.pdf import render_pdf_with_sources
    from audit.evidence import Dossier

    assert weasyprint.__version__
    dossier = Dossier.parse((folder / "audit.json").read_bytes())
    first, page = seconds_of(lambda: FORMATS["html"](dossier))
    again = min(seconds_of(lambda: FORMATS["html"](dossier))[0] for _ in range(3))
    paper, data = seconds_of(lambda: render_pdf_with_sources(dossier))
    pages = len(pypdf.PdfReader(io.BytesIO(data)).pages)
    figures = page.count(b"<svg")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{folder.name}: page {first:.2f} s the first time, {again:.2f} s again, {len(page) / 1e6:.2f} MB; "
        f"paper {paper:.2f} s, {pages} pages, {figures} figures, {paper / pages * 40:.2f} s for 40 pages, "
        f"{len(data) / 1e6:.2f} MB; {memory:.0f} MB of memory"
    )


def main(folders: list[str]) -> int:
    if not folders:
        print(__doc__, file=sys.stderr)
        return 2
    if len(folders) == 1:
        measure(Path(folders[0]))
        return 0
    return max(subprocess.run([sys.executable, __file__, folder], check=False).returncode for folder in folders)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
