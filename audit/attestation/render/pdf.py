"""The report as a tagged PDF: PDF/A-3a and PDF/UA-1 at once, every font embedded, nothing fetched.

Comes in: a dossier and files to embed. Goes out: bytes that are equal for equal input; dates come from the dossier, so
that no clock enters. What WeasyPrint leaves open is mended in `finisher`.
"""

from __future__ import annotations

import base64
import gc
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

from audit.evidence import Brand, Dossier
from audit.shipped import shipped_folder

from .brand import family_of
from .effect_tables import CURVES_FILE, SURFACES_FILE, write_sources
from .finisher import finish_pdf
from .glyphs import clean_text, drawable
from .html import FONTS, branded_texts, render_page
from .markup import read_markup
from .own_names import mark_names
from .page_numbers import write_page_numbers
from .told import say_style
from .tongue import speak
from .view import build_view

_ALTERNATIVE = re.compile(r'<title id="[\w-]+">([^<]*?)\.?</title><desc id="[\w-]+">([^<]*)</desc>')

EFFECT_TABLES = {
    CURVES_FILE: "The curves of every feature, position by position",
    SURFACES_FILE: "The strongest interactions, cell by cell",
}
"""Effect table to what it is, for whoever lists the files in the PDF."""

PRINT = ("styles/tokens.css", "styles/print.css", "styles/change_print.css")
"""Style sheets of paper."""
Attachment = tuple[str, bytes, str, str]
"""Name, content, description, relationship (``Data``, ``Source``, ``Alternative``, ``Supplement``)."""


def render_pdf(dossier: Dossier, attachments: Sequence[Attachment] = ()) -> bytes:
    """Return the report as PDF/A-3a and PDF/UA-1.

    Parameters
    ----------
    dossier : Dossier
        What is reported.
    attachments : sequence of (name, bytes, description, relationship)
        Files to embed; order does not matter.
    """
    import weasyprint
    from weasyprint.text.fonts import FontConfiguration

    moment = _moment(dossier.presentation.created)
    brand = dossier.presentation.brand
    held = "".join(font.characters for font in brand.fonts)
    page = mark_names(_join_alternatives(render_page(build_view(dossier), "pdf")), dossier)
    with hold_quiet():
        fonts = FontConfiguration()
        lend = partial(fetch_font, brand=brand)
        with speak(dossier.presentation.language):
            style = say_style(_print_style(brand))
        sheet = weasyprint.CSS(string=style, font_config=fonts, url_fetcher=lend)
        options = {
            **weasyprint.DEFAULT_OPTIONS,
            "pdf_variant": "pdf/a-3a",
            "stylesheets": [sheet],
            "attachments": _attach(attachments, moment),
        }
        document = read_markup(drawable(page, held), style, _fetch_data).render(fonts, **options)
        write_page_numbers(document)
        with speak(dossier.presentation.language):
            data: bytes = document.write_pdf(None, 1, finish_pdf, **options)
    return data


def render_pdf_with_sources(dossier: Dossier) -> bytes:
    """Return the PDF with the dossier, the text of every policy and the effect tables embedded."""
    about = {f"{policy.pack}.policy.txt": (f"Policy {policy.title}", "Source") for policy in dossier.judgement.policies}
    about |= {name: (title, "Data") for name, title in EFFECT_TABLES.items()}
    sources = [(name, data, *about[name]) for name, data in write_sources(dossier).items()]
    return render_pdf(
        dossier, [("audit.json", dossier.canonical(), "The dossier behind this report", "Data"), *sources]
    )


def _join_alternatives(page: str) -> str:
    """Put title and description of each figure into its title: the one that becomes the PDF's text alternative."""
    return _ALTERNATIVE.sub(r"<title>\1. \2</title>", page)


def font_faces() -> str:
    """Return the style rules that name the shipped fonts."""
    return "\n".join(
        f'@font-face{{font-family:"{family}";font-weight:{weight};src:url(font:{name}.ttf)}}'
        for family, weight, name in FONTS
    )


def _print_style(brand: Brand) -> str:
    lent = [
        f'@font-face{{font-family:"{family_of(index)}";src:url(lent:{index})}}' for index in range(len(brand.fonts))
    ]
    return "\n".join([font_faces(), *lent, *branded_texts(brand, "pdf", *PRINT)])


def fetch_font(url: str, *_: Any, brand: Brand | None = None, **__: Any) -> Any:
    """Give the shipped fonts, those that the dossier brings along, and nothing else."""
    from weasyprint.urls import URLFetcherResponse

    lent = {f"lent:{index}": font.data for index, font in enumerate(brand.fonts if brand else ())}
    if url in lent:
        return URLFetcherResponse(url, base64.b64decode(lent[url]), {"Content-Type": "font/ttf"})
    allowed = {f"font:{name}.ttf" for _, _, name in FONTS}
    if url not in allowed:
        return _refuse(url)
    data = (shipped_folder("templates") / "fonts" / url.removeprefix("font:")).read_bytes()
    return URLFetcherResponse(url, data, {"Content-Type": "font/ttf"})


def _fetch_data(url: str, *_: Any, **__: Any) -> Any:
    """Give a picture that stands inside the page itself; nothing else is fetched."""
    from weasyprint.urls import URLFetcherResponse

    head, comma, data = url.partition(";base64,")
    kind = head.removeprefix("data:")
    if not comma or kind not in ("image/png", "image/jpeg", "image/svg+xml"):
        return _refuse(url)
    return URLFetcherResponse(url, base64.b64decode(data), {"Content-Type": kind})


def _refuse(url: str, *_: Any, **__: Any) -> Any:
    """Fetch nothing: a report holds all it needs."""
    raise ValueError("a report fetches nothing")


def _moment(created: str) -> datetime:
    moment = datetime.fromisoformat(created)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _attach(attachments: Sequence[Attachment], moment: datetime) -> list[Any]:
    from weasyprint import Attachment as Embedded

    return [
        Embedded(
            string=content,
            name=clean_text(name),
            description=clean_text(description),
            relationship=relationship,
            created=moment,
            modified=moment,
        )
        for name, content, description, relationship in sorted(attachments)
    ]


@contextmanager
def hold_quiet() -> Iterator[None]:
    """Hold the garbage collector (a third of the time otherwise) and the layout engine's remarks."""
    log = logging.getLogger("weasyprint")
    level, collecting = log.level, gc.isenabled()
    gc.disable()
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(level)
        if collecting:
            gc.enable()
