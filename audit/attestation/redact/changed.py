"""A comparison as everybody may read it: which verdicts changed, what the model does differently, what moved for all.

Comes in: a change, and what may be told of whom in the later audit. Goes out: the change without any number of a group.
Of the earlier side no tables are known here, so that nobody can say which of its cells are small; and two tables of
nearly the same people tell of those few in whom they differ. Where 1 to 4 people are on one side alone, no number of
both sides is told at all.
"""

from __future__ import annotations

from collections.abc import Collection

from audit.evidence import Change, DecisionsChanged, Difference, Measurement, Move, Pairing, VerdictChange

from .cells import is_small
from .numbers import tells_few
from .reads import INSIDE, NESTED, SOLVABLE
from .texts import redact_text
from .views import Views

Place = tuple[str, str | None, str | None]
NO_GROUPS = (
    "Public edition: the numbers of single groups before and after are suppressed, as two tables of nearly the same "
    "people tell of those few in whom they differ."
)
"""What every public comparison says of itself."""
UNPAIRED = "suppressed in the public edition"
"""Note of a pairing that would tell of few people."""
_AREAS = ("features", "decision", "model", "policy", "method")
"""What may differ without telling of people."""
_OF_GROUPS = ("fairness.", "slices.", "data.", "decisions.", "drift.")
"""Metrics that count people, whom two audits together may tell apart."""


def redact_change(
    change: Change, views: Views, scopes: dict[str, str], told: Collection[Place], files: tuple[str, ...]
) -> Change:
    """Return a change for everybody.

    Parameters
    ----------
    change : Change
        As compared.
    views : Views
        What may be told of whom in the later audit.
    scopes : dict
        Scope of each verdict of the later audit to the scope under which it is told.
    told : collection
        Metric, feature and model of each number of everybody that the later audit tells.
    files : tuple of str
        File names that are not told.
    """
    alike = not _parts_few(change.pairing, views)
    return Change(
        against=change.against,
        before=change.before,
        after=change.after,
        pairing=change.pairing if alike else Pairing(by="none", note=UNPAIRED),
        level=change.level,
        moves=tuple(one for one in change.moves if alike and _place(one) in told and _may_tell_move(one, views)),
        measurements=tuple(one for one in change.measurements if alike and _is_of_feature(one)),
        definitions=change.definitions if alike else (),
        decisions=tuple(one for one in change.decisions if alike and not one.group and _may_tell(one, views)),
        shapes=change.shapes if alike else (),
        differences=tuple(_redact_difference(one, views, files) for one in change.differences if one.area in _AREAS),
        verdicts=tuple(found for one in change.verdicts if (found := _redact_verdict(one, scopes))),
        notes=(NO_GROUPS, *(redact_text(one, files, views.masks) for one in change.notes)),
    )


def _place(one: Move) -> Place:
    return (one.metric, one.feature, one.model)


def _parts_few(pairing: Pairing, views: Views) -> bool:
    """Whether 1 to 4 people are on one side alone, or on both."""
    left = [rows - pairing.rows_paired for rows in views.everybody[:1]] if pairing.by == "rows" else []
    return any(map(is_small, (pairing.only_before, pairing.only_after, pairing.rows_paired, *left)))


def _may_tell_move(one: Move, views: Views) -> bool:
    """Whether a number of everybody, a feature or a model may be told before and after.

    One that could be solved for the errors of the earlier model is not: its table is not known here. Neither is what
    follows from the labels of people and their decisions, as far as `numbers` asks for a table.
    """
    if one.group or one.attribute or one.outcome or one.metric.startswith(_OF_GROUPS):
        return False
    if one.metric in SOLVABLE or one.metric in NESTED or one.metric in INSIDE:
        return False
    sides = [side for side in (one.before, one.after) if side is not None]
    rows = views.everybody[0] if views.everybody else 0
    few = any(tells_few(side) or is_small(rows - (side.n or rows)) for side in sides)
    both = {side.n for side in sides if side.n is not None}
    return not few and not (len(both) > 1 and is_small(max(both) - min(both))) and "full" in views.total


def _is_of_feature(one: Measurement) -> bool:
    return one.feature is not None and not one.group and not one.attribute and not tells_few(one.estimate)


def _may_tell(one: DecisionsChanged, views: Views) -> bool:
    """Whether everybody's decisions before and after tell of no few, with or without their labels."""
    parts = [
        one.n, one.gained, one.lost, one.favourable_before - one.lost,
        one.n - one.favourable_before - one.gained, one.favourable_before, one.favourable_after,
        one.n - one.favourable_before, one.n - one.favourable_after,
    ]  # fmt: skip
    for wrongly, whole in ((one.lost_wrongly, one.lost), (one.gained_wrongly, one.gained)):
        parts += [] if wrongly is None else [wrongly, whole - wrongly]
    rows = views.everybody[:1]
    left = [row - one.n for row in rows]
    return "full" in views.total and not tells_few(one.flip_rate) and not any(map(is_small, (*parts, *left)))


def _redact_difference(one: Difference, views: Views, files: tuple[str, ...]) -> Difference:
    told = {name: redact_text(getattr(one, name), files, views.masks) for name in ("name", "before", "after")}
    return one.model_copy(update=told)


def _redact_verdict(one: VerdictChange, scopes: dict[str, str]) -> VerdictChange | None:
    """Return a changed verdict under the scope that is told; None where the later audit has none of that scope."""
    if one.scope in scopes:
        return one.model_copy(update={"scope": scopes[one.scope]})
    return one if one.scope == one.rule else None
