"""What is told to single people, in files of their own that may be deleted.

Comes in: people decided against (or for) who were asked for by row id. Goes out: file names to bytes. Evidence keeps
only digests, and each file holds a salt made of the rows themselves, so that the digest of a deleted file tells nothing
to whoever does not have the data.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audit.evidence import ChangeNeeded, Individual, IndividualDecisions, NotDone, ReasonGiven
from audit.examination.data.values import match_key, value_text
from audit.examination.measures.effects.reasons import say_value

from .denied import Denied, find_denied
from .levers import Lever, find_levers
from .reasons import Reasons, find_reasons
from .recourse import Recourse, search_recourse

if TYPE_CHECKING:
    import pandas as pd

    from audit.evidence import Section
    from audit.examination.measures.case import Case

FOLDER = "individuals"
FLAGGED_ROLES = ("prohibited", "special_category")
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


def write_individuals(case: Case, section: Section | NotDone) -> dict[str, bytes]:
    """Return the files about people who were asked for, where the section says that there are any.

    Parameters
    ----------
    case : Case
        The case.
    section : Section or NotDone
        The section on individual decisions.
    """
    if not isinstance(section, IndividualDecisions) or not section.individuals:
        return {}
    denied = find_denied(case)
    if isinstance(denied, NotDone):
        return {}
    files = {name: item.canonical() for name, item in describe_individuals(denied, find_levers(case)).items()}
    return {f"{FOLDER}/{name}.json": data for name, data in files.items()}


def describe_individuals(denied: Denied, levers: tuple[Lever, ...]) -> dict[str, Individual]:
    """Return what is told to the people who were asked for, by file name.

    Parameters
    ----------
    denied : Denied
        Model, background and the good side of the score.
    levers : tuple of Lever
        What can be changed.
    """
    order = denied.case.config.explain
    people = find_named(denied.case)
    if order is None or not len(people):
        return {}
    reasons = find_reasons(denied, people, order.reasons, "named people")
    answer = denied.ask(people)
    recourse = None
    if levers and answer.favourable is not None:
        value = denied.case.subject.task == "regression"
        recourse = search_recourse(denied.ask, people, levers, denied.sign, is_value=value)
    after = denied.ask(recourse.people) if recourse is not None else answer
    teller = _Teller(denied, reasons, levers, recourse)
    favourable = _decisions(denied, people, answer.favourable)
    ids = [value_text(value) for value in people[denied.case.config.data.id].tolist()]
    return {
        name: teller.tell(at, row, None if favourable is None else bool(favourable[at]), answer.score, after.score)
        for at, (name, row) in enumerate(zip(name_files(ids), ids, strict=True))
    }


def _decisions(denied: Denied, people: pd.DataFrame, asked: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
    """Return the decisions on some rows, also where they are stored."""
    if asked is not None:
        return asked
    from audit.examination.blackbox.decision import decide_rows

    return decide_rows(denied.ask.plan, people, None).favourable


def find_named(case: Case) -> pd.DataFrame:
    """Return the rows asked for by id, in the order of the data; empty where there are none.

    Parameters
    ----------
    case : Case
        Configuration and rows, all of them also where the case holds a sample.
    """
    import pandas as pd

    order, column = case.config.explain, case.config.data.id
    if order is None or not order.rows or column is None:
        return case.frame.iloc[:0]
    wanted = {match_key(row) for row in order.rows}
    batches = (case.frame,) if len(case.frame) == case.dataset.rows else case.dataset.batches()
    found = [batch[[match_key(v) in wanted for v in batch[column].tolist()]] for batch in batches]
    return pd.concat(found, ignore_index=True)


def name_files(ids: list[str]) -> list[str]:
    """Return a file name for each row id, all different also where case does not count.

    Examples
    --------
    >>> name_files(["a17", "no 5"])[0]
    'a17'
    """
    names = list[str]()
    for row in ids:
        plain = _UNSAFE.sub("_", row)[:60].strip("_")
        digest = hashlib.sha256(row.encode()).hexdigest()[:8]
        names.append(plain if plain and plain == row else f"{plain or 'row'}-{digest}")
    lowered = [name.lower() for name in names]
    return [name if lowered.count(name.lower()) == 1 else f"{name}-{place + 1}" for place, name in enumerate(names)]


def secret_of(case: Case) -> bytes:
    """Return a key that whoever holds the rows can make again and nobody else."""
    import pandas as pd

    hashes = pd.util.hash_pandas_object(case.frame, index=False).to_numpy(dtype=np.uint64)
    return hashlib.sha256(b"individuals" + np.ascontiguousarray(hashes).tobytes()).digest()


def flag_features(case: Case) -> dict[str, str]:
    """Return each feature that may be no reason to give, to why."""
    found = {}
    for feature in case.subject.features:
        if feature.role in FLAGGED_ROLES:
            found[feature.name] = "prohibited" if feature.role == "prohibited" else "special category"
        elif feature.protected:
            found[feature.name] = "protected attribute"
    return found


class _Teller:
    """Says to each person what was found.

    Parameters
    ----------
    denied, reasons, levers, recourse
        What was found for all of them.
    """

    def __init__(self, denied: Denied, reasons: Reasons, levers: tuple[Lever, ...], recourse: Recourse | None) -> None:
        self.denied, self.reasons, self.levers, self.recourse = denied, reasons, levers, recourse
        self.flags, self.secret = flag_features(denied.case), secret_of(denied.case)

    def tell(
        self,
        at: int,
        row: str,
        favourable: bool | None,
        score: NDArray[np.float64],
        after: NDArray[np.float64],
    ) -> Individual:
        """Return what is told to the person at place `at`."""
        case = self.denied.case
        decision = case.subject.decision
        way = self.recourse if self.recourse is not None and self.recourse.found[at] and favourable is False else None
        return Individual(
            row=row,
            system=" ".join(filter(None, (case.subject.system, case.subject.version))),
            rule=decision.favourable if decision else "",
            favourable=favourable,
            score=float(f"{score[at]:.6g}"),
            compared_with=describe_background(self.denied),
            reasons=tuple(self._reasons(at)) if favourable is not True else (),
            changes=tuple(self._changes(at, way)) if way is not None else (),
            cost=float(f"{way.cost[at]:.6g}") if way is not None else None,
            score_then=float(f"{after[at]:.6g}") if way is not None else None,
            no_changes="" if way is not None else self._why_none(favourable),
            salt=hashlib.sha256(self.secret + row.encode()).hexdigest()[:32],
        )

    def _reasons(self, at: int) -> Iterator[ReasonGiven]:
        case = self.denied.case
        for place in self.reasons.given[at].tolist():
            if place < 0:
                continue
            name = self.denied.columns[place]
            declared = case.config.features.get(name)
            yield ReasonGiven(
                feature=name,
                words=declared.reason if declared else "",
                value=say_value(self.reasons.people[name].iloc[at]),
                usual=say_value(self.denied.typical[name].iloc[0]),
                contribution=float(f"{-self.denied.sign * self.reasons.harm[at, place]:.4g}"),
                error=float(f"{self.reasons.error[at, place]:.2g}"),
                flagged=self.flags.get(name, ""),
            )

    def _changes(self, at: int, way: Recourse) -> Iterator[ChangeNeeded]:
        for j, lever in enumerate(self.levers):
            if way.order[at, j] >= 0:
                yield ChangeNeeded(
                    feature=lever.name,
                    now=say_value(self.reasons.people[lever.name].iloc[at]),
                    then=say_value(way.people[lever.name].iloc[at]),
                )

    def _why_none(self, favourable: bool | None) -> str:
        if favourable:
            return "the decision is the favourable one"
        if not self.levers:
            return "no feature that the model reads is declared mutable"
        if self.recourse is None:
            return "no decision follows from the score, so that changes cannot be tried"
        return "no change of up to three mutable features, within what was observed, was found to turn the decision"


def describe_background(denied: Denied) -> str:
    """Return whom people are compared with, in words."""
    drawn, all_of = len(denied.background), len(denied.favoured)
    if drawn == all_of:
        return f"all {all_of:,} people decided favourably"
    return f"{drawn:,} people drawn at random from the {all_of:,} decided favourably"
