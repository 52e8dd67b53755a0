"""Whether groups are there in their numbers: shares of the rows, beside declared shares of a population.

Comes in: rows of each known group and what was declared. Goes out: measurements. A group of the population without a
single row is shown with 0 people and the interval of that; it is not left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from audit.evidence import Definition, Estimate, Measurement, undefined
from audit.statistics.intervals import wilson

DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        id="data.group_share",
        title="Share of the group",
        formula="rows of the group / rows of known group; a group of the declared population without rows has a share "
        "of 0",
        source="count; interval: Wilson (1927)",
    ),
    Definition(
        id="data.representation_ratio",
        title="Representation",
        formula="share of the group among rows of known group / its declared share in the population",
        better="nearer_one",
        source="descriptive; interval: Wilson (1927) of the share, divided by the declared share",
    ),
)


def measure_shares(attribute: str, counts: Mapping[str, int], population: Mapping[str, float]) -> Iterator[Measurement]:
    """Yield the share of every known group and, where a population is declared, its ratio to that.

    Parameters
    ----------
    attribute : str
        Protected attribute.
    counts : mapping of str to int
        Rows of each known group, those of the population included.
    population : mapping of str to float
        Declared shares; empty where none are.
    """
    known = sum(counts.values())
    for name, rows in counts.items():
        share = _share(rows, known)
        yield Measurement(metric="data.group_share", estimate=share, group={attribute: name})
        if population:
            ratio = _over_declared(share, population.get(name))
            yield Measurement(metric="data.representation_ratio", estimate=ratio, group={attribute: name})


def note_population(attribute: str, counts: Mapping[str, int], population: Mapping[str, float]) -> Iterator[str]:
    """Say where the declared population and the data name different groups.

    Parameters
    ----------
    attribute, counts, population
        As for `measure_shares`.
    """
    absent = [name for name, rows in counts.items() if rows == 0]
    undeclared = [name for name in counts if population and name not in population]
    if absent:
        asks = f", but there are {', '.join(undeclared)}, of which it says nothing" if undeclared else ""
        yield f"{attribute}: the declared population names {', '.join(absent)}, and no row is of it{asks}"


def _share(rows: int, known: int) -> Estimate:
    if not known:
        return undefined("no row has a known group", n=0, count=0)
    low, high = wilson(rows, known)
    return Estimate(value=rows / known, low=low, high=high, n=known, count=rows, method="Wilson score")


def _over_declared(share: Estimate, declared: float | None) -> Estimate:
    """Return a share and its interval over the declared share in the population."""
    if share.value is None or share.low is None or share.high is None:
        return share
    if not declared:
        return undefined("no share in the population was declared for this group", n=share.count)
    return Estimate(
        value=share.value / declared,
        low=share.low / declared,
        high=share.high / declared,
        n=share.n,
        count=share.count,
        method="Wilson score of the share / declared share",
        note=f"declared share {declared:g}",
    )
