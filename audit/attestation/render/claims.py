"""Claimed figures beside measured ones.

Comes in: the judgement's claims. Goes out: rows of a table; none where nobody claims anything.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from audit.evidence import ClaimChecked, Judgement

from . import change_words, words
from .numbers import Shown, number_text, share_text, show
from .tables import Lexicon
from .tongue import echo, tell


@dataclass(frozen=True, slots=True)
class ClaimShown:
    """One claim."""

    title: str
    by: str
    claimed: str
    observed: Shown | None
    sign: tuple[str, str, str]
    because: str


def show_claims(judgement: Judgement, lexicon: Lexicon) -> tuple[ClaimShown, ...]:
    """Return the claims, those that are not borne out first.

    Parameters
    ----------
    judgement : Judgement
        Its claims.
    lexicon : Lexicon
        Units.
    """
    order = list(change_words.CLAIMS)
    return tuple(_show(claim, lexicon) for claim in sorted(judgement.claims, key=lambda c: order.index(c.status)))


def _show(claim: ClaimChecked, lexicon: Lexicon) -> ClaimShown:
    unit = lexicon.unit(claim.metric)
    share = unit in words.SHARE_UNITS or claim.metric.rpartition(".")[2] in words.SHARE_NAMES
    observed = show(claim.observed, claim.metric, unit) if claim.observed is not None else None
    if observed is not None and claim.observed is not None and claim.observed.chance is not None:
        chance = number_text(claim.observed.chance)
        observed = replace(observed, interval=tell(change_words.BY_CHANCE, chance=chance))
    return ClaimShown(
        claim.title,
        claim.by,
        share_text(claim.claimed) if share else number_text(claim.claimed),
        observed,
        (tell(change_words.CLAIMS[claim.status][0]), *change_words.CLAIMS[claim.status][1:]),
        echo(claim.because) if claim.status in ("open", "not_measured") else "",
    )
