"""Every format of the report: its file name and the function that renders it.

Comes in: a format's name. Goes out: `Format`; a new exporter is one more row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from audit.evidence import Dossier

from .html import render_html
from .junit import render_junit
from .markdown import render_markdown
from .pdf import render_pdf_with_sources
from .sarif import render_sarif


@dataclass(frozen=True, slots=True)
class Format:
    """One format.

    Parameters
    ----------
    file : str
        File name in the report folder.
    media_type : str
        Media type.
    render : callable
        Dossier to bytes.
    """

    file: str
    media_type: str
    render: Callable[[Dossier], bytes]

    def __call__(self, dossier: Dossier) -> bytes:
        """Return the dossier in this format."""
        return self.render(dossier)


FORMATS: dict[str, Format] = {
    "html": Format("report.html", "text/html", render_html),
    "pdf": Format("report.pdf", "application/pdf", render_pdf_with_sources),
    "markdown": Format("report.md", "text/markdown", render_markdown),
    "junit": Format("junit.xml", "application/xml", render_junit),
    "sarif": Format("results.sarif", "application/sarif+json", render_sarif),
}
"""Format name to its file and renderer."""
