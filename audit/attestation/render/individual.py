"""What is told to one person, as a page: the decision, its principal reasons, what would change it.

Comes in: files of `Individual` records, and the language of the report. Goes out: the same files, and a page beside
each in that language; the files themselves stay as they are, because evidence names them by digest. The pages carry no
network address and no script; they stand outside of the report, so that one may be handed out and deleted alone.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

from audit.evidence import Individual

from .html import environment, shipped_text
from .tongue import ENGLISH, speak


def render_individuals(files: Mapping[str, bytes], language: str = ENGLISH) -> dict[str, bytes]:
    """Return files about single people and a page beside each.

    Parameters
    ----------
    files : mapping of str to bytes
        ``individuals/NAME.json`` to the canonical bytes of an `Individual`.
    language : str
        Language of the pages.
    """
    told = dict(files)
    for name, data in files.items():
        told[f"{name.removesuffix('.json')}.html"] = render_individual(Individual.parse(data), language)
    return told


def render_individual(person: Individual, language: str = ENGLISH) -> bytes:
    """Return the page of one person.

    Parameters
    ----------
    person : Individual
        What is told.
    language : str
        Language of the page.
    """
    style = shipped_text("styles/individual.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    template = environment().get_template("individual.html.j2")
    with speak(language):
        page = template.render(p=person, style=style, policy=policy, language=language)
    return page.encode("utf-8", errors="replace")
