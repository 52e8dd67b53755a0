"""The first page of a change: what a new version changes, for whom, and whether it is more than noise.

Comes in: the moves of a change with their verdicts. Goes out: the verdict in one sentence, counts, a line per group and
what is worse beyond its margin. What one group pays for stands before what everybody gains.
"""

from __future__ import annotations

from dataclasses import dataclass

from audit.evidence import SEVERITY_ORDER, Data, Evidence, Fairness, Judgement, Move

from . import change_report_words as said
from . import words
from .change_numbers import OWN, MoveShown, MoveSign, Reader, first_metric, name_group, say_margin, say_size, say_value
from .findings import Count, RuleShown, show_rules
from .numbers import count_text, number_text, share_text
from .tongue import echo, tell, tell_many

OVERALL = (
    "performance.auc", "performance.accuracy", "performance.balanced_accuracy", "performance.rmse", "performance.mae",
    "performance.r2", "performance.brier", "performance.log_loss",
)  # fmt: skip
"""What the whole is judged by: the first that both audits hold."""
QUALITY = (
    "fairness.accuracy", "fairness.outcome_precision", "fairness.auc", "fairness.rmse", "fairness.mae",
    "fairness.true_positive_rate",
)  # fmt: skip
STANDING = (
    "fairness.selection_rate_ratio", "fairness.mean_residual", "fairness.mean_prediction_difference",
    "fairness.scoring_rate_ratio", "fairness.selection_rate_difference",
)  # fmt: skip
"""What a group is told by: how well it is served, and how it stands beside others."""
_SETTLED = ("pass", "waived", "warn", "not_applicable")


@dataclass(frozen=True, slots=True)
class Headline:
    """The verdict on a change: one word, one sentence, and what it rests on."""

    word: str
    tone: str
    sign: str
    sentence: str
    beside: str
    """What the sentence must not hide, or be hidden by: the overall numbers."""
    how: str


@dataclass(frozen=True, slots=True)
class GroupLine:
    """One group on the first page."""

    name: str
    n: str
    small: bool
    changed: str
    gained: str
    lost: str
    net: str
    quality: MoveShown | None
    standing: MoveShown | None
    sign: MoveSign | None


@dataclass(frozen=True, slots=True)
class PeopleTable:
    """Who gains and who loses."""

    lines: tuple[GroupLine, ...]
    paired: bool
    quality: str
    standing: str
    left_out: int


def find_worst(reader: Reader) -> list[Move]:
    """Return the moves that are shown to be worse beyond a rule's margin: gravest rule first, then in its pack's order.

    Parameters
    ----------
    reader : Reader
        The change beside its verdicts.
    """
    order = {finding.rule: place for place, finding in enumerate(reader.rules)}
    ranked: list[tuple[int, int, bool, float, int, Move]] = []
    for move in reader.change.moves:
        ruled = reader.ruled(move)
        if ruled is None or ruled[1].status not in ("fail", "error"):
            continue
        beyond = (move.loss.value or 0.0) / move.margin if move.margin else 0.0
        grave = SEVERITY_ORDER.index(ruled[0].severity)
        ranked.append((grave, order[ruled[0].rule], len(move.group) > 1, -beyond, len(ranked), move))
    return [item[-1] for item in sorted(ranked)]


def write_headline(reader: Reader, judgement: Judgement) -> Headline:
    """Return the verdict on a change.

    Parameters
    ----------
    reader : Reader
        The change beside its verdicts.
    judgement : Judgement
        For the severity that decides.
    """
    failed = [rule for rule in reader.rules if rule.status in ("fail", "error")]
    grave = SEVERITY_ORDER[: SEVERITY_ORDER.index(judgement.fail_on) + 1]
    beside, how = _say_overall(reader), _say_how(reader, judgement)
    if failed:
        tone = "bad" if any(rule.severity in grave for rule in failed) else "open"
        worst = find_worst(reader)
        if worst:
            word = tell("Worse for {name}", name=_lower(name_group(worst[0].group)))
            return Headline(word, tone, "✗", _say_loss(worst[0], reader), beside, how)
        verdict = next(v for v in failed[0].verdicts if v.status == failed[0].status)
        sentence = f"{words.sentence(echo(failed[0].title))} {words.sentence(echo(verdict.because))}"
        return Headline(tell("A limit on the change is broken"), tone, "✗", sentence, beside, how)
    open_rules = [rule for rule in reader.rules if rule.status not in _SETTLED]
    if open_rules:
        return Headline(tell("It cannot be told yet"), "open", "?", _say_open(len(open_rules)), beside, how)
    if any(rule.status != "not_applicable" for rule in reader.rules):
        sentence = tell("No number that a rule watches got worse by more than its margin, overall or in any group.")
        return Headline(tell("Within every margin"), "good", "✓", sentence, beside, how)
    return Headline(tell("Measured, not judged"), "mute", "–", _say_worse(reader), beside, how)


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:] if name == name_group({}) else name


def _say_loss(move: Move, reader: Reader) -> str:
    """Return what got worse, from what to what, how sure, and the margin."""
    metric, lexicon = move.metric, reader.lexicon
    loss = move.loss
    fields = {
        "title": lexicon.title(metric),
        "before": say_value(move.before, metric, lexicon),
        "after": say_value(move.after, metric, lexicon),
        "loss": say_size(loss.value or 0.0, metric, lexicon),
    }
    text = tell("{title}: from {before} to {after}, worse by {loss}", **fields)
    if loss.low is not None and loss.high is not None:
        low, high = (_bare(end, metric, reader) for end in (loss.low, loss.high))
        text += " " + tell("(95% interval {low} to {high})", low=low, high=high)
    if move.margin is not None:
        text += tell(", beyond the margin of {margin}", margin=say_margin(move.margin, metric, lexicon))
    return text + "."


def _bare(value: float, metric: str, reader: Reader) -> str:
    return number_text(value * (100 if reader.lexicon.is_share(metric) else 1), 2)


def _say_overall(reader: Reader) -> str:
    """Return what the overall number did, so that it neither hides a group nor is hidden by one."""
    moves = {move.metric: move for move in reader.about_model() if not move.scope or move.scope == (("model", OWN[1]),)}
    chosen = next((moves[name] for name in OVERALL if name in moves and moves[name].difference.value is not None), None)
    if chosen is None:
        return ""
    lexicon, metric = reader.lexicon, chosen.metric
    fields = {
        "title": lexicon.title(metric),
        "before": say_value(chosen.before, metric, lexicon),
        "after": say_value(chosen.after, metric, lexicon),
        "size": say_size(chosen.difference.value or 0.0, metric, lexicon),
    }
    if chosen.reading == "better":
        return tell("Over everybody it gets better: {title} from {before} to {after}, by {size}.", **fields)
    if chosen.reading == "worse":
        return tell("Over everybody it gets worse: {title} from {before} to {after}, by {size}.", **fields)
    return tell("Over everybody nothing beyond noise: {title} from {before} to {after}.", **fields)


def _say_how(reader: Reader, judgement: Judgement) -> str:
    """Return who was paired, and what decides."""
    pairing = reader.change.pairing
    people = tell("{note}.", note=words.sentence(echo(pairing.note)).rstrip(".")) if pairing.note else ""
    if not reader.rules:
        return people
    severity = tell(words.SEVERITIES[judgement.fail_on]).lower()
    rule = tell("A broken limit of severity {severity} or above stops the change.", severity=severity)
    return f"{people} {rule}".strip()


def _say_open(number: int) -> str:
    return tell_many(
        "No limit is shown to be broken, but one cannot be decided from these people.",
        "No limit is shown to be broken, but {number} cannot be decided from these people.",
        number,
    )


def _say_worse(reader: Reader) -> str:
    count = sum(move.reading == "worse" for move in reader.about_model())
    if not count:
        return tell("No rule was held against the change. No number of the model got worse by more than noise.")
    return tell_many(
        "No rule was held against the change. One number of the model got worse by more than noise.",
        "No rule was held against the change. {number} numbers of the model got worse by more than noise.",
        count,
    )


def count_change(reader: Reader) -> tuple[Count, ...]:
    """Return the counts of the first page: limits by verdict, then the model's numbers by reading."""
    status = [verdict.status for rule in reader.rules for verdict in rule.verdicts]
    moves = reader.about_model()
    rows = (
        (sum(word in ("fail", "error") for word in status), "limits broken", "bad", "✗"),
        (sum(word in ("inconclusive", "manual") for word in status), "limits open", "open", "?"),
        (sum(word in ("pass", "warn", "waived") for word in status), "limits kept", "good", "✓"),
        (sum(move.reading == "worse" for move in moves), "numbers worse", "mute", "−"),
        (sum(move.reading == "better" for move in moves), "numbers better", "mute", "+"),
        (sum(move.reading == "noise" for move in moves), "within noise", "mute", "≈"),
    )
    return tuple(Count(number, tell(word), tone, sign) for number, word, tone, sign in rows)


def list_people(reader: Reader, evidence: Evidence, *, most: int) -> PeopleTable:
    """Return everybody and each single attribute's groups, with what the change does to them.

    Parameters
    ----------
    reader : Reader
        The change beside its verdicts.
    evidence : Evidence
        The later audit, for its groups.
    most : int
        Groups shown, those with the worst numbers; the others are counted.
    """
    groups = evidence.fairness.groups if isinstance(evidence.fairness, Fairness) else ()
    single = [group for group in groups if len(group.attributes) == 1]
    moves = [move for move in reader.about_model() if len(move.group) == 1]
    quality, standing = (first_metric(moves, wanted, reader.lexicon) for wanted in (QUALITY, STANDING))
    rows = evidence.data.rows if isinstance(evidence.data, Data) else None
    scopes = [({}, rows, False), *((group.scope, group.n, group.small) for group in single)]
    lines = [_line(reader, scope, n, small, quality, standing) for scope, n, small in scopes]
    titles = [reader.lexicon.head(metric) if metric else "" for metric in (quality, standing)]
    ranked = sorted(range(1, len(lines)), key=lambda place: _rank(lines[place]))
    kept = [lines[0], *(lines[place] for place in sorted(ranked[:most]))]
    return PeopleTable(tuple(kept), bool(reader.change.decisions), titles[0], titles[1], len(lines) - len(kept))


def _rank(line: GroupLine) -> tuple[int, bool]:
    return (line.sign.rank if line.sign else len(said.READ) + len(said.RULED)), line.small


def _line(
    reader: Reader, scope: dict[str, str], n: int | None, small: bool, quality: str | None, standing: str | None
) -> GroupLine:
    counted = next((item for item in reader.change.decisions if item.group == scope), None)
    if not scope:
        quality = "performance." + quality.partition(".")[2] if quality else next(iter(OVERALL))
        standing = None
    shown = [_find(reader, metric, scope) for metric in (quality, standing)]
    return GroupLine(
        name=name_group(scope),
        n=count_text(counted.n if counted else n),
        small=small,
        changed=share_text(counted.flip_rate.value or 0.0) if counted else "",
        gained=count_text(counted.gained) if counted else "",
        lost=count_text(counted.lost) if counted else "",
        net=signed_count(counted.gained - counted.lost) if counted else "",
        quality=shown[0],
        standing=shown[1],
        sign=worst_sign(reader, scope),
    )


def signed_count(number: int) -> str:
    """Return a whole number with its sign."""
    return f"+{count_text(number)}" if number > 0 else count_text(number)


def _find(reader: Reader, metric: str | None, scope: dict[str, str]) -> MoveShown | None:
    found = (m for m in reader.change.find_moves(metric or "") if m.group == scope and m.model in OWN)
    move = next((m for m in found if m.attribute is None or m.attribute in scope), None)
    return reader.show(move) if move else None


def worst_sign(reader: Reader, scope: dict[str, str]) -> MoveSign | None:
    """Return the worst sign of any number of a group that a rule is about; of all its numbers where none is.

    Parameters
    ----------
    reader : Reader
        The change beside its verdicts.
    scope : dict
        The group; empty for everybody.
    """
    moves = [m for m in reader.about_model() if m.group == scope and m.attribute is None and m.feature is None]
    ruled = [move for move in moves if reader.ruled(move)]
    signs = [reader.sign(move) for move in ruled or moves if move.reading != "not_compared" or reader.ruled(move)]
    return min(signs, key=lambda sign: sign.rank, default=None)


def list_findings(reader: Reader, judgement: Judgement) -> tuple[RuleShown, ...]:
    """Return the rules on the change: broken ones first, then open ones, gravest first, each in its pack's order.

    Parameters
    ----------
    reader : Reader
        The change beside its verdicts.
    judgement : Judgement
        All rules.
    """
    names = {rule.rule for rule in reader.rules}
    return tuple(rule for rule in show_rules(judgement, reader.lexicon) if rule.finding.rule in names)
