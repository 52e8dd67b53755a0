"""A policy clause by clause: the law, what evidences it, where, and what is still to be done by whom.

Comes in: packs with their rules, what people supplied. Goes out: annexes for the report, and the items of the edition
that an officer hands in. A policy whose rules were not judged becomes one line, which names the facts to fill in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from audit.evidence import VERDICT_ORDER, Answer, Approval, Papers, SuppliedText, VerdictWord

from . import words
from .clause_words import ACCEPT, ANSWER, ANYONE, FOLDED, NOBODY, STAMP, SUPPLY, WOULD
from .findings import PackShown, RuleShown, ScopeShown, say_counts, sign_of
from .glyphs import shorten
from .tongue import echo, tell

FIRST_SIGNS = 320
"""Signs of a supplied text that the annex shows."""
_DONE: tuple[VerdictWord, ...] = ("pass", "not_applicable")
_MEASURED = ("measure", "shape_of", "compare")


@dataclass(frozen=True, slots=True)
class PaperShown:
    """One document that a clause asks for: the text, and who accepted it."""

    field: str
    title: str
    scope: ScopeShown
    sign: words.VerdictSign
    text: SuppliedText | None
    lines: str
    accepted: tuple[Approval, ...]
    outdated: tuple[Approval, ...]


@dataclass(frozen=True, slots=True)
class TaskShown:
    """What is to be done about an open clause, by whom, until when, and since when it is open."""

    what: tuple[str, ...]
    who: str
    due: str
    since: str
    note: str


@dataclass(frozen=True, slots=True)
class ClauseShown:
    """One rule as a clause: its number in the policy, its verdict, its evidence."""

    number: int
    rule: RuleShown
    sign: words.VerdictSign
    source: str
    """``measured``, ``supplied``, ``answered``, ``stated``, ``none`` or ``not_applicable``."""
    page: str
    """Anchor of the part of the report that shows the measurement; empty for everything else."""
    papers: tuple[PaperShown, ...]
    answer: Answer | None
    task: TaskShown | None

    @property
    def states(self) -> tuple[tuple[str, str], ...]:
        """How its documents stand: each state with the documents in it, and who accepted them."""
        taken = [item for paper in self.papers for item in paper.accepted]
        people = {f"{item.by} ({words.lowered(tell(words.prettify(item.role)))})" for item in taken}
        rows = (
            ("Accepted", [paper for paper in self.papers if paper.accepted], "; " + ", ".join(sorted(people))),
            ("Not accepted", [paper for paper in self.papers if paper.text and not paper.accepted], ""),
            ("Not evidenced", [paper for paper in self.papers if not paper.text], ""),
        )
        return tuple((tell(word), _name_papers(some) + who) for word, some, who in rows if some)

    @property
    def detailed(self) -> bool:
        """Whether there is more to say than one line of the table holds."""
        return self.source != "not_applicable" and not (self.source == "none" and len(self.rule.scopes) == 1)


@dataclass(frozen=True, slots=True)
class AnnexShown:
    """One policy with its clauses in its own order; folded where its rules were not judged."""

    pack: PackShown
    clauses: tuple[ClauseShown, ...]
    folded: bool
    stamp: str
    tally: str

    @property
    def open(self) -> tuple[ClauseShown, ...]:
        """Clauses that leave something to do."""
        return tuple(clause for clause in self.clauses if clause.task)


def _name_papers(papers: Iterable[PaperShown]) -> str:
    return ", ".join(words.lower_first(paper.title) for paper in papers)


def find_unasked(annexes: tuple[AnnexShown, ...], papers: Papers) -> tuple[SuppliedText, ...]:
    """Return the supplied texts that no clause shows.

    Parameters
    ----------
    annexes : tuple of AnnexShown
        The policies clause by clause.
    papers : Papers
        What people supplied.
    """
    shown = {
        paper.field for annex in annexes for clause in annex.clauses if not annex.folded for paper in clause.papers
    }
    return tuple(text for text in papers.texts if text.field not in shown)


def show_annexes(packs: tuple[PackShown, ...], papers: Papers, parts: Mapping[str, str]) -> tuple[AnnexShown, ...]:
    """Return every policy clause by clause.

    Parameters
    ----------
    packs : tuple of PackShown
        Policies with their rules in their own order.
    papers : Papers
        What people supplied.
    parts : mapping
        Protected attribute to the anchor of its part of the fairness chapter.
    """
    return tuple(_show_annex(pack, papers, parts) for pack in packs)


def _show_annex(pack: PackShown, papers: Papers, parts: Mapping[str, str]) -> AnnexShown:
    clauses = tuple(_show_clause(number, rule, papers, parts) for number, rule in enumerate(pack.rules, start=1))
    return AnnexShown(
        pack=pack,
        clauses=clauses,
        folded=is_folded(pack),
        stamp=tell(STAMP) if pack.policy.maturity == "draft" else "",
        tally=_tally(tuple(clause.sign for clause in clauses)),
    )


def is_folded(pack: PackShown) -> bool:
    """Return whether a policy is one line: nothing of it was judged."""
    undone = all(rule.finding.status in ("inconclusive", "not_applicable") for rule in pack.rules)
    return pack.policy.applies in ("no", "unknown") and undone and len(pack.rules) > 1


def _tally(signs: tuple[words.VerdictSign, ...]) -> str:
    ordered = sorted((sign.word for sign in signs), key=_SIGN_ORDER.index)
    return say_counts({word: ordered.count(word) for word in ordered})


_SIGN_ORDER = [sign.word for word in VERDICT_ORDER for sign in (words.VERDICTS[word], WOULD.get(word)) if sign]


def _show_clause(number: int, rule: RuleShown, papers: Papers, parts: Mapping[str, str]) -> ClauseShown:
    word = min((scope.verdict.standing for scope in rule.scopes), key=VERDICT_ORDER.index)
    worst = next(scope for scope in rule.scopes if scope.verdict.standing == word)
    shown = tuple(_show_paper(scope, rule, papers) for scope in rule.scopes if scope.verdict.document)
    answer = next((item for item in papers.answers if item.rule == rule.finding.rule), None)
    source = _find_source(rule, word, shown, answer)
    return ClauseShown(
        number=number,
        rule=rule,
        sign=sign_of(worst.verdict),
        source=source,
        page=_find_page(rule, worst, parts) if source == "measured" else "",
        papers=tuple(sorted(shown, key=lambda paper: VERDICT_ORDER.index(paper.scope.verdict.standing))),
        answer=answer,
        task=_show_task(rule, worst, shown) if word not in _DONE else None,
    )


def _find_source(rule: RuleShown, word: VerdictWord, shown: tuple[PaperShown, ...], answer: Answer | None) -> str:
    if word == "not_applicable":
        return "not_applicable"
    kind = rule.finding.kind
    if kind in _MEASURED:
        return "measured" if word == "pass" or any(scope.observed for scope in rule.scopes) else "none"
    if kind == "document":
        return "supplied" if any(paper.text for paper in shown) else "none"
    if kind == "ask":
        return "answered" if answer else "none"
    return "stated" if any(scope.verdict.literal for scope in rule.scopes) else "none"


def _find_page(rule: RuleShown, worst: ScopeShown, parts: Mapping[str, str]) -> str:
    """Return where a number is shown: the part of its attribute, else the chapter of its section."""
    names = list(worst.verdict.group)
    if rule.page == "fairness" and len(names) == 1 and names[0] in parts:
        return parts[names[0]]
    return rule.page


def _show_paper(scope: ScopeShown, rule: RuleShown, papers: Papers) -> PaperShown:
    field = scope.verdict.document
    text = next((item for item in papers.texts if item.field == field), None)
    about = [item for item in papers.approvals if item.field in (field, rule.finding.rule)]
    same = tuple(item for item in about if text and item.sha256 == text.sha256)
    older = tuple(item for item in about if item.field == field and item not in same)
    lines = shorten(" ".join(text.text.split()), FIRST_SIGNS) if text else ""
    title = tell(words.prettify(field.partition(".")[2] or field))
    return PaperShown(field, title, scope, sign_of(scope.verdict), text, lines, same, older)


def _show_task(rule: RuleShown, worst: ScopeShown, shown: tuple[PaperShown, ...]) -> TaskShown:
    scopes = [scope for scope in rule.scopes if scope.verdict.standing not in _DONE]
    verdicts = [scope.verdict for scope in scopes]
    owners = dict.fromkeys(verdict.owner for verdict in verdicts if verdict.owner)
    role = rule.finding.asked_of
    if shown:
        what = _say_papers(shown, role)
    elif rule.finding.kind == "ask" and worst.verdict.standing == "manual":
        what = (tell(ANSWER, who=words.lowered(tell(words.prettify(role)))),)
    else:
        what = _say_rest(rule, scopes)
    return TaskShown(
        what=what,
        who=", ".join(owners) or (tell(words.prettify(role)) if role else tell(NOBODY)),
        due=min((verdict.due for verdict in verdicts if verdict.due), default=""),
        since=min((verdict.first_seen for verdict in verdicts if verdict.first_seen), default=""),
        note=next((verdict.note for verdict in verdicts if verdict.note), ""),
    )


def _say_papers(shown: tuple[PaperShown, ...], role: str) -> tuple[str, ...]:
    still = [paper for paper in shown if paper.scope.verdict.standing not in _DONE]
    missing = [words.lower_first(paper.title) for paper in still if not paper.text]
    unread = [words.lower_first(p.title) for p in still if p.text and p.scope.verdict.standing == "manual"]
    wrong = [p for p in still if p.text and p.scope.verdict.standing != "manual"]
    lines = [tell(SUPPLY, titles=", ".join(missing))] if missing else []
    who = words.lowered(tell(words.prettify(role))) if role else tell(ANYONE)
    lines += [tell(ACCEPT, who=who, titles=", ".join(unread))] if unread else []
    return (*lines, *(f"{paper.title}: {paper.scope.reason}." for paper in wrong))


def _say_rest(rule: RuleShown, scopes: list[ScopeShown]) -> tuple[str, ...]:
    cures = [(scope.name, echo(scope.verdict.would_decide)) for scope in scopes if scope.verdict.would_decide]
    if cures:
        named = [f"{name}: {cure}" if name and len(cures) > 1 else cure for name, cure in cures]
        return tuple(dict.fromkeys(map(words.sentence, named)))[:3]
    if rule.finding.fix:
        return (words.sentence(echo(rule.finding.fix)),)
    return tuple(dict.fromkeys(words.sentence(scope.reason) for scope in scopes))[:2]


def fold_rules(rules: tuple[RuleShown, ...], packs: tuple[PackShown, ...]) -> tuple[RuleShown, ...]:
    """Return the rules with those of a policy that was not judged put together in one line, which links to its annex.

    Parameters
    ----------
    rules : tuple of RuleShown
        All rules, worst first.
    packs : tuple of PackShown
        The policies.
    """
    folded = {pack.policy.pack: pack for pack in packs if is_folded(pack) or _waits(pack)}
    done: set[str] = set()
    listed = []
    for rule in rules:
        pack = folded.get(rule.finding.pack)
        if pack is None or (not is_folded(pack) and not _would(rule)):
            listed.append(rule)
        elif pack.policy.pack not in done:
            done.add(pack.policy.pack)
            listed.append(_fold(rule, pack))
    return tuple(listed)


def _waits(pack: PackShown) -> bool:
    """Return whether most of a policy's law does not apply yet, so that its rules only say what they would be."""
    return pack.policy.applies == "not_yet" and sum(_would(rule) for rule in pack.rules) > 1


def _would(rule: RuleShown) -> bool:
    return rule.finding.status == "not_applicable"


def _fold(rule: RuleShown, pack: PackShown) -> RuleShown:
    """Return one line for a policy, in the form of a rule."""
    mine = pack.rules if is_folded(pack) else tuple(other for other in pack.rules if _would(other))
    title = tell(FOLDED[pack.policy.applies], title=echo(pack.policy.title))
    because = echo(pack.policy.applies_because) if is_folded(pack) else _tally(tuple(other.sign for other in mine))
    verdict = rule.scopes[0].verdict.model_copy(update={"because": because, "observed": None, "original": None})
    sign = words.VERDICTS[rule.finding.status]
    name = tell("{number} rules", number=len(mine))
    scope = replace(
        rule.scopes[0], verdict=verdict, name=name, observed=None, reason=because, sign=sign, waived_from=""
    )
    plain = {"title": title, "rule": pack.policy.pack, "limit": "", "cite": pack.policy.citation, "fix": "", "why": ""}
    finding = rule.finding.model_copy(update=plain)
    shown = {
        "finding": finding,
        "anchor": pack.anchor,
        "scopes": (scope,),
        "basis": "",
        "metric": "",
        "page": "",
        "task": "",
    }
    return replace(rule, sign=sign, **shown)  # type: ignore[arg-type]
