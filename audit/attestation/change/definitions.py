"""What the numbers about a change itself are; a report of a change explains itself.

Comes in: nothing. Goes out: the definitions of ``change.*``. A rule may name them; without an earlier side to compare
with they are not there, and a rule on them says so.
"""

from __future__ import annotations

from audit.evidence import Definition

_SAME = "the same people judged by both sides"
DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        id="change.decision_flip_rate",
        title="Decisions that changed",
        formula="people whose decision is another one now / people with a decision on both sides",
        better="lower",
        source=f"share of discordant pairs (McNemar 1947); {_SAME}; interval: Wilson (1927)",
    ),
    Definition(
        id="change.decision_gain_rate",
        title="Decisions that turned favourable",
        formula="people decided unfavourably before and favourably now / people with a decision on both sides",
        source=f"discordant pairs of one direction (McNemar 1947); {_SAME}; interval: Wilson (1927)",
    ),
    Definition(
        id="change.decision_loss_rate",
        title="Decisions that turned unfavourable",
        formula="people decided favourably before and unfavourably now / people with a decision on both sides",
        better="lower",
        source=f"discordant pairs of one direction (McNemar 1947); {_SAME}; interval: Wilson (1927)",
    ),
    Definition(
        id="change.score_shift",
        title="Mean change of the score",
        formula="mean of the score now minus the score before, person by person",
        source=f"paired difference of means (Student 1908); {_SAME}",
    ),
    Definition(
        id="change.score_distance",
        title="Mean size of the score's change",
        formula="mean of the absolute difference of the two scores, person by person",
        better="lower",
        source=f"mean absolute paired difference; {_SAME}; interval: Student (1908)",
    ),
    Definition(
        id="change.shape_distance",
        title="How far a feature's effect moved",
        formula="mean absolute difference of the two effects over the feature's values, weighted by the people near "
        "each, both centred there / range of the earlier effect over the same values",
        better="lower",
        source="L1 distance of centred effect functions; effects: Apley and Zhu (2020), and the glass boxes' own terms",
    ),
)
