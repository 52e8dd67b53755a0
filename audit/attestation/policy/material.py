"""What is material in a change: more than noise, and more than the margin that a rule declares.

Comes in: changes and the packs in force. Goes out: the same changes, each move marked.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from audit.evidence import Change, Evidence, Move, Papers

from .bench import lay_out
from .compare import declare_margins
from .select import LoadedPack

_BEYOND = ("worse", "better", "moved")


def mark_material(
    changes: tuple[Change, ...], packs: Sequence[LoadedPack], evidence: Evidence, papers: Papers, as_of: date
) -> tuple[Change, ...]:
    """Return the changes with every move marked as material or not.

    Parameters
    ----------
    changes : tuple of Change
        As compared.
    packs : sequence of LoadedPack
        Packs in force, for the margins that their rules declare.
    evidence, papers, as_of
        What the rules are held against.
    """
    if not changes:
        return ()
    declared = declare_margins(packs, lay_out(evidence, papers, as_of, changes))
    return tuple(
        change.model_copy(
            update={
                "moves": tuple(
                    _mark(move, *declared.get((change.against, place), (None, "")))
                    for place, move in enumerate(change.moves)
                )
            }
        )
        for change in changes
    )


def _mark(move: Move, margin: float | None, rule: str) -> Move:
    size = move.loss.value if move.loss.value is not None else move.difference.value
    beyond = move.reading in _BEYOND and margin is not None and size is not None and abs(size) > margin
    return move.model_copy(update={"margin": margin, "margin_by": rule, "material": beyond})
