"""The page and the table that an employer puts on its site, beside the report and sealed with it.

Comes in: a dossier. Goes out: files of the report's folder. The page needs no network and no script; its one style is
named by digest in a content security policy, and all text of the dossier is escaped by the template engine. It is
English whatever the language of the report: it serves a rule of New York City, in the words of that rule.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from audit.evidence import Dossier

from .html import environment, font_faces, name_digest, shipped_text
from .publication import (
    NYC,
    PUBLICATIONS,
    Publication,
    PublishedRow,
    PublishedTable,
    build_publication,
    list_publications,
)

_FONTS = ("Inter",)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Signs with which a spreadsheet begins a formula."""


def render_publications(dossier: Dossier) -> dict[str, bytes]:
    """Return the files that the packs in force ask to be published; none where no such pack applies.

    Parameters
    ----------
    dossier : Dossier
        What is reported; equal dossiers give equal bytes.

    Returns
    -------
    dict of str to bytes
        Name in the report's folder to content.
    """
    if NYC not in list_publications(dossier):
        return {}
    page, table = PUBLICATIONS[NYC]
    made = build_publication(dossier)
    return {page: render_publication(made), table: write_table(made)}


def render_publication(made: Publication) -> bytes:
    """Return the page as self-contained HTML (UTF-8).

    Parameters
    ----------
    made : Publication
        What is published.
    """
    style = "\n".join((font_faces(_FONTS), shipped_text("styles/tokens.css"), shipped_text("styles/publication.css")))
    policy = (
        f"default-src 'none'; style-src '{name_digest(style)}'; font-src data:; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    template = environment().get_template("publication.html.j2")
    page = template.render(p=made, d=made.dossier, style=style, policy=policy, table_file=f"{NYC}.csv")
    return page.encode("utf-8", errors="replace")


def write_table(made: Publication) -> bytes:
    """Return all tables as one CSV file (RFC 4180, UTF-8).

    Parameters
    ----------
    made : Publication
        What is published.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["table", "race_ethnicity", "sex", "class", "people", "counted", "rate", "impact_ratio", "note"])
    for table in made.tables:
        writer.writerows([_disarm(cell) for cell in line] for line in _list_lines(table))
    return text.getvalue().encode("utf-8", errors="replace")


def _list_lines(table: PublishedTable) -> Iterator[list[str]]:
    for row in table.rows:
        values = dict(zip(table.heads, row.labels, strict=False))
        named = row.labels[len(table.heads) :]
        yield [
            table.title,
            values.get("Race and ethnicity", ""),
            values.get("Sex", ""),
            named[0] if named else "",
            *_list_numbers(row),
            row.note,
        ]
    if table.unknown is not None:
        yield [table.title, "", "", "", str(table.unknown), "", "", "", "category unknown, in no rate or ratio"]
    if table.problem:
        yield [table.title, "", "", "", "", "", "", "", table.problem]


def _list_numbers(row: PublishedRow) -> list[str]:
    rate = row.rate
    if rate is None:
        return ["", "", "", ""]
    return [
        "" if rate.n is None else str(rate.n),
        "" if rate.count is None else str(rate.count),
        "" if rate.value is None else f"{rate.value:.4f}",
        "" if row.ratio is None else f"{row.ratio:.4f}",
    ]


def _disarm(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula; categories come from data that others wrote."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
