"""Fairness as a reader meets it: one block per attribute with a figure, one table, and what each group would need.

Comes in: the fairness section and the verdicts on it. Goes out: blocks for the template. Limits are read from the
verdicts, never assumed; every number that does not stand in the block stands in its annex.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from audit.evidence import Fairness, Group, Judgement, Measurement, RuleFinding, Verdict

from . import sentences, words
from .attribute import GAP, RATE, RATIO, GroupRow, label_of, show_body, show_brief, show_tables
from .needs import UNKNOWN, Count, Need, UnknownBounds, bound_unknown, count_decided, find_needs
from .numbers import count_text, p_text
from .plots import FIGURE_ROWS, Block, JudgedBy, draw_groups, list_instead
from .tables import Grid, Lexicon

BOUNDS = "fairness.selection_rate_ratio_bounds"


@dataclass(frozen=True, slots=True)
class AttributeBlock:
    """One attribute as it is shown."""

    name: str
    title: str
    anchor: str
    message: str
    chance: str
    figure: Markup | None
    what: str
    hidden: int
    judge: JudgedBy | None
    table: Grid
    needs: tuple[Need, ...]
    unknown: UnknownBounds | None
    detectable: tuple[str, str] | None
    literal: str
    annex: tuple[tuple[str, Grid], ...]
    brief: tuple[tuple[str, Grid], ...]
    single: bool
    rows: int


def lay_blocks(fairness: Fairness, judgement: Judgement, lexicon: Lexicon) -> tuple[Block, ...]:
    """Return what is known of every attribute and intersection, in the order of the evidence."""
    kinds = list(dict.fromkeys(group.attributes for group in fairness.groups))
    return tuple(_lay_block(kind, fairness, judgement.findings, lexicon) for kind in kinds)


def _lay_block(kind: tuple[str, ...], fairness: Fairness, findings: Sequence[RuleFinding], lexicon: Lexicon) -> Block:
    same = tuple(sorted(kind))
    numbers = tuple(m for m in fairness.measurements if m.group and tuple(sorted(m.group)) == same and not m.outcome)
    by_group: dict[str, dict[str, Measurement]] = {}
    for m in numbers:
        by_group.setdefault(label_of({key: m.group[key] for key in kind}), {}).setdefault(m.metric, m)
    judged, judge = _verdicts_on(findings, kind)
    table = next((table for table in fairness.tables if table.attributes == kind), None)
    counts = count_decided(table)
    reference = next(
        (words.prettify_scope(m.reference, kind) for m in numbers if m.metric == RATIO and m.reference), ""
    )
    rows = tuple(
        _mark_reference(
            _group_row(label_of(group.scope), group, by_group, counts, judged.get(label_of(group.scope)), lexicon),
            reference,
        )
        for group in fairness.groups
        if group.attributes == kind
    )
    names = {" * ".join(kind), " * ".join(reversed(kind))}
    whole = tuple(m for m in fairness.measurements if m.attribute in names and not m.group and not m.outcome)
    return Block(kind, rows, by_group, numbers, whole, counts, judged, judge, reference)


def _verdicts_on(findings: Sequence[RuleFinding], kind: tuple[str, ...]) -> tuple[dict[str, Verdict], JudgedBy | None]:
    """Return the verdicts on impact ratios of this attribute by group, a true lower limit first, and whose they are."""
    found: dict[str, tuple[Verdict, RuleFinding]] = {}
    for finding in findings:
        for v in finding.verdicts:
            if v.metric == RATIO and not v.outcome and tuple(sorted(v.group)) == tuple(sorted(kind)):
                label = label_of({key: v.group[key] for key in kind})
                if label not in found or (v.limit_low or 0) > (found[label][0].limit_low or 0):
                    found[label] = (v, finding)
    judge = next(
        (
            JudgedBy(v.limit, f.title, f.pack, words.BASES.get(f.basis, ""))
            for v, f in found.values()
            if v.limit and v.limit_low
        ),
        None,
    )
    return {label: verdict for label, (verdict, _) in found.items()}, judge


def _group_row(
    label: str,
    group: Group,
    by_group: Mapping[str, Mapping[str, Measurement]],
    counts: Mapping[str, Count],
    verdict: Verdict | None,
    lexicon: Lexicon,
) -> GroupRow:
    numbers = by_group.get(label, {})
    rate, ratio, gap = (lexicon.show(numbers[metric]) if metric in numbers else None for metric in (RATE, RATIO, GAP))
    compared = numbers.get(RATIO) or numbers.get(GAP)
    return GroupRow(
        label=label,
        n=count_text(group.n),
        favourable=count_text(counts[label][0]) if label in counts else "–",
        rate=rate,
        ratio=ratio,
        gap=gap,
        p=p_text(compared.parity.p_adjusted) if compared and compared.parity else "",
        reference=False,
        small=group.small,
        sign=words.VERDICTS[verdict.status] if verdict else None,
        need=verdict.would_decide if verdict else "",
    )


def _mark_reference(row: GroupRow, reference: str) -> GroupRow:
    if not reference or row.label != reference:
        return row
    return replace(row, ratio=None, gap=None, p="", reference=True)


def show_attributes(
    fairness: Fairness, blocks: Sequence[Block], lexicon: Lexicon, least: int
) -> tuple[AttributeBlock, ...]:
    """Return one block per attribute or intersection as it is shown.

    Parameters
    ----------
    fairness : Fairness
        The section.
    blocks : sequence of Block
        What `lay_blocks` made of it.
    lexicon : Lexicon
        Titles and units.
    least : int
        People below which a group is not judged.
    """
    return tuple(_show_block(index, block, fairness, lexicon, least) for index, block in enumerate(blocks))


def _show_block(index: int, block: Block, fairness: Fairness, lexicon: Lexicon, least: int) -> AttributeBlock:
    selected = any(RATE in numbers for numbers in block.by_group.values())
    message, chance = _say(block) if selected else (_say_instead(block, lexicon), "")
    single = len(block.kind) == 1
    figure = (
        draw_groups(f"fair{index}", block, f"{block.title}: {message}", lexicon) if single and block.by_group else None
    )
    references = {
        label: words.prettify_scope(numbers[RATIO].reference, block.kind)
        for label, numbers in block.by_group.items()
        if RATIO in numbers
    }
    tests = {label: numbers[RATIO].parity for label, numbers in block.by_group.items() if RATIO in numbers}
    worst = block.worst
    name = " * ".join(block.kind)
    return AttributeBlock(
        name=name,
        title=block.title,
        anchor=f"fairness-{index + 1}",
        message=message,
        chance=chance,
        figure=figure,
        what="selection" if selected else "",
        hidden=max(0, len(block.rows) - FIGURE_ROWS),
        judge=block.judge if selected else None,
        table=show_body(block.kind, block.rows, block.numbers, block.counts, lexicon),
        needs=find_needs(
            block.counts,
            references,
            {label: _plain_verdict(v, block.kind) for label, v in block.judged.items()},
            {label: test.p_adjusted for label, test in tests.items() if test},
            least,
        ),
        unknown=_bound_unknown(block, worst.label) if worst and single else None,
        detectable=_detectable(block, lexicon),
        literal=next((line for line in fairness.literal if line.startswith((f"{name}:", f"{name}="))), "").replace(
            f"{name}=", ""
        ),
        annex=show_tables(block.kind, block.rows, block.numbers, block.whole, lexicon),
        brief=show_brief(block.kind, block.rows, block.whole, lexicon),
        single=single,
        rows=len(block.rows),
    )


def _bound_unknown(block: Block, label: str) -> UnknownBounds | None:
    bounds = block.by_group[label].get(BOUNDS)
    return bound_unknown(block.counts, label, block.reference, bounds.estimate if bounds else None)


def _plain_verdict(verdict: Verdict, kind: tuple[str, ...]) -> Verdict:
    """Leave the attributes' names out of what would decide a verdict; the block has them as its title."""
    text = verdict.would_decide
    for name in kind:
        text = text.replace(f"{name}=", "")
    return verdict.model_copy(update={"would_decide": text})


def _say(block: Block) -> tuple[str, str]:
    """Return what one sees of an attribute, and whether the worst-off group's gap is more than noise."""
    failed = [row for row in block.rows if row.sign and row.sign.tone == "bad" and not row.reference]
    unsure = [row for row in block.rows if row.sign and row.sign.tone == "open" and not row.reference]
    worst = block.worst
    told = (worst.label, worst.ratio.text) if worst and worst.ratio else None
    if failed:
        ranked = sorted(failed, key=lambda row: row is not worst)
        message = sentences.say_beyond([(r.label, r.ratio.value) for r in ranked if r.ratio], block.reference)
    elif unsure:
        message = sentences.say_open([row.label for row in unsure])
    elif any(row.sign and row.sign.tone == "good" for row in block.rows):
        message = sentences.say_within(block.reference, told)
    else:
        message = sentences.say_unjudged(told, block.reference)
    parity = block.by_group[worst.label][RATIO].parity if worst else None
    p = parity.p_adjusted if parity else None
    corrected = bool(parity and parity.pairs > 1)
    return message, sentences.say_chance(p, worst.label, corrected=corrected) if worst else ""


def _say_instead(block: Block, lexicon: Lexicon) -> str:
    return " ".join(_say_range(metric, block, lexicon) for metric in list_instead(block))


def _say_range(metric: str, block: Block, lexicon: Lexicon) -> str:
    known = [
        (numbers[metric].estimate.value, row.label, lexicon.show(numbers[metric]).text)
        for row in block.rows
        if (numbers := block.by_group.get(row.label, {})).get(metric)
        and not row.small
        and UNKNOWN not in row.label.split(" · ")
        if numbers[metric].estimate.value is not None
    ]
    ends = (min(known), max(known)) if len(known) > 1 else None
    spoken = ((ends[0][1], ends[0][2]), (ends[1][1], ends[1][2])) if ends else None
    return sentences.say_values(lexicon.title(metric), spoken)


def _detectable(block: Block, lexicon: Lexicon) -> tuple[str, str] | None:
    """Return the worst-off group, and the impact ratio that its rows could just have shown."""
    metric = "fairness.minimum_detectable_ratio"
    worst = block.worst
    found = block.by_group.get(worst.label, {}).get(metric) if worst else None
    if worst is None or found is None or found.estimate.value is None:
        return None
    return worst.label, lexicon.show(found).value
