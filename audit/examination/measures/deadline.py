"""How long a section may ask a slow model: what is left to do is then not done, and the report says so.

Comes in: the effort. Goes out: a `Deadline` that a section looks at between its parts. Sizes of samples never follow
this clock; a model of ordinary pace comes nowhere near it, so that the same audit has the same parts everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter

LIMITS = {"fast": 60.0, "standard": 300.0, "thorough": 1_800.0}
"""Seconds after which a section begins no further part, by effort."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """The end of the time of a section.

    Parameters
    ----------
    effort : {"fast", "standard", "thorough"}
        How much was asked for.
    begun : float
        When the section began, in seconds of ``perf_counter``; now by default.
    """

    effort: str
    begun: float = field(default_factory=perf_counter)

    @property
    def reason(self) -> str:
        """Why a part is not begun any more; empty while there is time."""
        limit = LIMITS[self.effort]
        if perf_counter() - self.begun <= limit:
            return ""
        return (
            f"a partial result: the model answers slowly, and the {limit:,.0f} seconds that `effort: {self.effort}` "
            "gives this section were spent before this part"
        )
