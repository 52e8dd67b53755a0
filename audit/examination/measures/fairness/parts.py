"""What the parts of the fairness section are given and what they give back.

Comes in: the case with its groupings. Goes out: for each part a `Found`. A part that breaks takes no other with it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from audit.evidence import Measurement, Record

from .groups import Grouping
from .rates import Reading

if TYPE_CHECKING:
    from audit.examination.measures.case import Case


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything a part may look at.

    Parameters
    ----------
    case : Case
        The case; numbers about people rest on its roll and tally.
    singles : tuple of Grouping
        One per protected attribute.
    crossed : tuple of Grouping
        One per intersection.
    reading : Reading
        What label-based numbers can rest on.
    """

    case: Case
    singles: tuple[Grouping, ...]
    crossed: tuple[Grouping, ...]
    reading: Reading

    @property
    def groupings(self) -> tuple[Grouping, ...]:
        """Attributes first, then intersections."""
        return (*self.singles, *self.crossed)


@dataclass(frozen=True, slots=True)
class Found:
    """What a part measured.

    Parameters
    ----------
    measurements : tuple of Measurement
        Numbers.
    records : dict of str to tuple of Record
        Field of `Fairness` to what belongs there, e.g. ``strata``.
    notes : tuple of str
        Cautions.
    """

    measurements: tuple[Measurement, ...] = ()
    records: dict[str, tuple[Record, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


_LOG = logging.getLogger(__name__)

Part = Callable[[Scene], Found]


def gather(parts: dict[str, Part], scene: Scene) -> tuple[list[Found], list[str]]:
    """Run all parts; return what they found, and a sentence for each that broke.

    Parameters
    ----------
    parts : dict of str to callable
        Name for readers to part.
    scene : Scene
        What they look at.
    """
    found, broken = [], []
    for name, part in parts.items():
        try:
            found.append(part(scene))
        except MemoryError:
            raise
        except Exception as error:  # a part that breaks must not take the section with it
            _LOG.exception("the part %s of the fairness section broke", name)
            broken.append(f"{name} broke: {type(error).__name__}: {error}")
    return found, broken


def merge_records(found: list[Found]) -> dict[str, Any]:
    """Return the records of all parts by field of `Fairness`."""
    merged: dict[str, tuple[Record, ...]] = {}
    for item in found:
        for name, records in item.records.items():
            merged[name] = (*merged.get(name, ()), *records)
    return merged
