"""Two audits become one change: the page that names its parts.

Comes in: an earlier and a later side, each with its evidence and, where they are known, its judgement and its people.
Goes out: a `Change`.
"""

from __future__ import annotations

from dataclasses import dataclass

from audit.errors import ConfigError
from audit.evidence import Change, Evidence, Judgement, Measurement, Pairing, Side
from audit.evidence.change import Against

from .decisions import count_decisions, measure_decisions, measure_scores
from .definitions import DEFINITIONS
from .differences import compare_verdicts, digest_of, tell_differences, tell_policies
from .drivers import find_drivers
from .kept import KeptPeople, PairedPeople, pair_people
from .moves import collect_moves
from .people import count_people
from .shapes import compare_shapes, measure_shapes, pair_curves

NOISE = (
    "Noise here is the sampling of people: what another set of people of the same kind would give. Another training "
    "run of the same model would differ too; that retraining noise is not measured and not covered by any interval."
)
FAMILIES = (
    "Each reading holds for all groups of one attribute, or all features, of one number at once (Holm); it does not "
    "hold for all numbers of this report at once: among many numbers without any change some will still be read as one."
)


@dataclass(frozen=True, slots=True, eq=False)
class AuditSide:
    """One side of a comparison.

    Parameters
    ----------
    evidence : Evidence
        What was measured.
    judgement : Judgement or None
        What the rules said; None where nothing was judged.
    people : KeptPeople or None
        Who was decided how; None where nobody kept it.
    created : str
        UTC time of the report; empty where there is none.
    dossier_digest : str or None
        Digest of the sealed dossier.
    seal : str
        What checking the folder found, in words.
    without_people : str
        Why the people are not known.
    """

    evidence: Evidence
    judgement: Judgement | None = None
    people: KeptPeople | None = None
    created: str = ""
    dossier_digest: str | None = None
    seal: str = ""
    without_people: str = "no private file of scores (keep.scores) was given"

    def describe(self) -> Side:
        """Return the side as it is written down."""
        subject = self.evidence.subject
        return Side(
            system=subject.system,
            version=subject.version,
            title=subject.title,
            created=self.created,
            evidence_digest=self.evidence.digest(),
            dossier_digest=self.dossier_digest,
            model_digest=digest_of(self.evidence, "model"),
            data_digest=digest_of(self.evidence, "data.audit"),
            outcome=self.judgement.outcome if self.judgement else "",
            seal=self.seal,
        )


def compare_sides(
    before: AuditSide, after: AuditSide, *, against: Against = "previous_audit", must_pair: bool = False
) -> Change:
    """Compare two audits.

    Parameters
    ----------
    before, after : AuditSide
        The earlier and the later side.
    against : str
        What the earlier side is.
    must_pair : bool
        Whether a comparison without pairs is refused.

    Raises
    ------
    ConfigError
        The two are audits of different systems, tasks or labels; or nobody can be paired although it is demanded.
    """
    refuse_strangers(before.evidence, after.evidence, same_system=against == "previous_audit")
    paired = _pair(before, after)
    if isinstance(paired, str) and must_pair:
        hint = "give both the same data.id, keep the scores (keep.scores: true), and judge the same rows"
        raise ConfigError(f"the two cannot be compared person by person: {paired}", hint=hint)
    people = None if isinstance(paired, str) else paired
    numbers = count_people(people, after.evidence.subject) if people else None
    moves = collect_moves(before.evidence, after.evidence, numbers)
    curves = pair_curves(before.evidence, after.evidence)
    shapes = compare_shapes(curves)
    decisions = count_decisions(people, after.evidence) if people else ()
    measured: list[Measurement] = [*measure_decisions(decisions), *measure_shapes(shapes)]
    measured += measure_scores(people, after.evidence) if people else ()
    known = {item.id for item in after.evidence.definitions}
    return Change(
        against=against,
        before=before.describe(),
        after=after.describe(),
        pairing=_describe_pairing(paired),
        moves=moves,
        measurements=tuple(measured),
        definitions=(*DEFINITIONS, *(item for item in before.evidence.definitions if item.id not in known)),
        decisions=decisions,
        drivers=find_drivers(people, curves, after.evidence) if people else (),
        shapes=shapes,
        differences=(
            *tell_differences(before.evidence, after.evidence),
            *tell_policies(before.judgement, after.judgement),
        ),
        verdicts=compare_verdicts(before.judgement, after.judgement, moves),
        notes=tuple(_caution(before, after, paired)),
    )


def refuse_strangers(before: Evidence, after: Evidence, *, same_system: bool) -> None:
    """Refuse to compare what is not comparable.

    Raises
    ------
    ConfigError
        Other systems, tasks or labels.
    """
    old, new = before.subject, after.subject
    if same_system and old.system != new.system:
        hint = "name both versions alike under system.name, or say --against other"
        raise ConfigError(f"these are audits of different systems: {old.system} and {new.system}", hint=hint)
    if old.task != new.task:
        raise ConfigError(f"the two predict different things: {old.task} and {new.task}")
    if (old.label, old.positive) != (new.label, new.positive):
        told = [f"{side.label or 'none'} = {side.positive or 'any'}" for side in (old, new)]
        raise ConfigError(f"the two are judged by different labels: {told[0]} and {told[1]}")


def _pair(before: AuditSide, after: AuditSide) -> PairedPeople | str:
    for side, words in ((before, "earlier"), (after, "later")):
        if side.people is None:
            return f"of the {words} audit {side.without_people}"
    if before.people is None or after.people is None:
        return "nobody is known"
    files = [digest_of(side.evidence, "data.audit") for side in (before, after)]
    return pair_people(before.people, after.people, same_data=bool(files[0]) and files[0] == files[1])


def _describe_pairing(paired: PairedPeople | str) -> Pairing:
    if isinstance(paired, str):
        return Pairing(by="none", note=f"unpaired: {paired}")
    note = paired.note
    if paired.redescribed:
        note += f"; {paired.redescribed:,} left out because their label or group differs between the two"
    return Pairing(
        by="rows", rows_paired=paired.size, only_before=paired.only_before, only_after=paired.only_after, note=note
    )


def _caution(before: AuditSide, after: AuditSide, paired: PairedPeople | str) -> list[str]:
    notes = [NOISE, FAMILIES]
    if isinstance(paired, str):
        notes.append(
            "Nobody was paired: each difference is judged as if other people stood behind either side. Where they are "
            "the same people the intervals are wider than need be, and a real change may be missed."
        )
    elif paired.before.sampled or paired.after.sampled:
        notes.append(f"Differences of people rest on {paired.after.sampled or paired.before.sampled}.")
    own = [side.evidence.subject.decision for side in (before, after)]
    if own[0] and own[1] and own[0].favourable != own[1].favourable:
        notes.append(f"The decision itself differs: {own[0].favourable} before, {own[1].favourable} now.")
    if after.evidence.broken or before.evidence.broken:
        notes.append("A part of an audit failed; what it would have measured is not compared.")
    return notes
