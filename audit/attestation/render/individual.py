"""What is told to one person, as a page: the decision, its principal reasons, what would change it.

Comes in: files of `Individual` records. Goes out: the same files, and a page beside each. The pages carry no network
address and no script; they stand outside of the report, so that one may be handed out and deleted alone.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

from audit.evidence import Individual

from .html import environment, shipped_text


def render_individuals(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return files about single people and a page beside each.

    Parameters
    ----------
    files : mapping of str to bytes
        ``individuals/NAME.json`` to the canonical bytes of an `Individual`.
    """
    told = dict(files)
    for name, data in files.items():
        told[f"{name.removesuffix('.json')}.html"] = render_individual(Individual.parse(data))
    return told


def render_individual(person: Individual) -> bytes:
    """Return the page of one person.

    Parameters
    ----------
    person : Individual
        What is told.
    """
    style = shipped_text("styles/individual.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    page = environment().get_template("individual.html.j2").render(p=person, style=style, policy=policy)
    return page.encode()
