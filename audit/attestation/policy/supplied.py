"""Rules on what people supply: facts, documents, answers.

Comes in: a rule, the papers, the day of judgement. Goes out: rulings. A document passes only where a named person
accepted this very text; counting its words never passes anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from audit.evidence import Answer, Approval, SuppliedText, VerdictWord
from audit.evidence.papers import FactValue

from .applies import as_number
from .bench import Bench
from .pack import AskRule, DocumentRule, FactRule, MustHave
from .phrase import Limit
from .ruling import Ruling, Scope
from .select import LoadedRule
from .vocabulary import COMPUTED_FACTS, FACTS, FIELDS, SEAL_FACTS


def judge_fact(rule: LoadedRule, bench: Bench) -> list[Ruling]:
    """Hold a fact against what the rule demands; one that nobody filled in is inconclusive."""
    order = rule.rule
    if isinstance(order, FactRule) and order.fact in SEAL_FACTS:
        because = "checked by verify: it is known only once the report is sealed"
        how = f"audit verify REPORT --policy {rule.pack}"
        return [Ruling(Scope(), "not_applicable", because, would_decide=how)]
    return hold_fact(rule, bench.facts)


def hold_fact(rule: LoadedRule, facts: Mapping[str, FactValue]) -> list[Ruling]:
    """Hold one of some facts against what a rule demands.

    Parameters
    ----------
    rule : LoadedRule
        A rule on a fact.
    facts : mapping
        Facts as supplied, computed, or found on a seal.
    """
    order = rule.rule
    if not isinstance(order, FactRule):
        raise TypeError(f"{rule.name} is no rule on a fact")
    value = facts.get(order.fact)
    named = FACTS.get(order.fact) or SEAL_FACTS.get(order.fact)
    title = named.title if named else COMPUTED_FACTS[order.fact][0]
    if value is None:
        cure = f"fill in {order.fact} under facts in documents.yaml" if order.fact in FACTS else ""
        return [Ruling(Scope(), "inconclusive", f"not known: {title} ({order.fact})", would_decide=cure)]
    words = _say_fact(value)
    literal = f"{order.fact} is {words}" if named else f"{_short(title)}: {words}"
    if order.verdicts:
        status = order.verdicts.get(words)
        if status is None:
            return [Ruling(Scope(), "inconclusive", f"{literal}, for which the rule names no verdict", literal=literal)]
        return [Ruling(Scope(), status, literal, literal=literal)]
    if rule.limit is None:
        raise TypeError(f"{rule.name} demands nothing")
    met = _meets(value, rule.limit)
    because = f"{literal}; required: {rule.limit.words}"
    return [Ruling(Scope(), "pass" if met else "fail", because, literal=literal)]


def _short(title: str) -> str:
    """Return what a computed fact says, without its explanation."""
    return title.partition(":")[0]


def _say_fact(value: FactValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _meets(value: FactValue, limit: Limit) -> bool:
    if limit.kind == "reported":
        return True
    if limit.kind == "range":
        number = as_number(value)
        return number is not None and limit.holds(number)
    values = value if isinstance(value, tuple) else (_say_fact(value),)
    return bool(values) and all(item in limit.options for item in values)


def judge_document(rule: LoadedRule, bench: Bench) -> list[Ruling]:
    """Ask for every document: is it there, is it long and young enough, did a named person accept it."""
    order = rule.rule
    if not isinstance(order, DocumentRule):
        raise TypeError(f"{rule.name} is no rule on documents")
    return [_judge_field(field, order.must_have, rule.name, bench) for field in order.document]


def _judge_field(field: str, must: MustHave, rule: str, bench: Bench) -> Ruling:
    scope = Scope(about=f"document={field}")
    text = next((text for text in bench.papers.texts if text.field == field), None)
    if text is None:
        because = f"not supplied: {FIELDS[field]}"
        return Ruling(scope, "fail", because, would_decide=f"write it under texts: {field} in documents.yaml")
    found = f"supplied, {text.words:,} words" if text.words is not None else f"supplied as {_name_file(text)}"
    status, problem = _check_form(text, must, bench.as_of)
    if problem:
        return Ruling(scope, status, f"{found}; {problem}", literal=found)
    approval, why_not = _find_approval(text, must, rule, bench)
    if approval is None:
        how = f"approvals: {{field: {field}, digest: {text.sha256}, by: NAME, role: ROLE, on: DATE}}"
        return Ruling(scope, "manual", f"{found}; {why_not}", literal=found, would_decide=how)
    trace = (f"{FIELDS[field]}: {text.sha256}", f"accepted by {approval.by} ({approval.role}) on {approval.on}")
    own = ", its own author" if text.by and text.by == approval.by else ""
    because = f"{found}; this very text was accepted by {approval.by} ({approval.role}{own}) on {approval.on}"
    return Ruling(scope, "pass", because, trace=trace, literal=found)


def _name_file(text: SuppliedText) -> str:
    version = f", version {text.version}" if text.version else ""
    return f"{text.file}{version}{f', owned by {text.by}' if text.by else ''}"


def _check_form(text: SuppliedText, must: MustHave, as_of: date) -> tuple[VerdictWord, str]:
    if must.attachment and not text.file:
        return "fail", "it must be a file"
    if text.words is None and not (text.version and text.by):
        return "inconclusive", "its words are not counted, so it needs a version and an owner (version, by)"
    if text.words is not None and text.words < max(must.min_words, 1):
        return "fail", f"fewer than the {max(must.min_words, 1)} words asked"
    if must.max_age_days is not None:
        written = _read_day(text.on)
        if written is None:
            return "inconclusive", "its date is not given"
        if written > as_of:
            return "inconclusive", "its date lies after the day of judgement"
        if as_of - written > timedelta(days=must.max_age_days):
            return "fail", f"it is {(as_of - written).days} days old, more than {must.max_age_days}"
    return "pass", ""


def _find_approval(text: SuppliedText, must: MustHave, rule: str, bench: Bench) -> tuple[Approval | None, str]:
    """Return who accepted this very text, or why nobody counts."""
    about = [item for item in bench.papers.approvals if item.field in (text.field, rule)]
    if not about:
        return None, "not reviewed"
    same = [item for item in about if item.sha256 == text.sha256]
    if not same:
        return None, f"not reviewed: what {about[0].by} accepted on {about[0].on} was another text"
    timely = [item for item in same if (day := _read_day(item.on)) is not None and day <= bench.as_of]
    if not timely:
        return None, f"not reviewed: the acceptance of {same[0].by} is dated {same[0].on}, after the day of judgement"
    named = [item for item in timely if item.by.strip()]
    right = [item for item in named if must.approved_by_role in ("", item.role)]
    if not right:
        return None, f"accepted by {timely[0].by} ({timely[0].role}), not by the role {must.approved_by_role}"
    return right[0], ""


def judge_ask(rule: LoadedRule, bench: Bench) -> list[Ruling]:
    """Look for a valid answer; without one, a person must answer."""
    order = rule.rule
    if not isinstance(order, AskRule):
        raise TypeError(f"{rule.name} is no question")
    wanted = " or ".join(order.answer_must_be) or "..."
    how = f"answers: {{{rule.name}: {{answer: {wanted}, by: NAME, role: {order.asked_of}, on: DATE}}}}"
    answer = next((item for item in bench.papers.answers if item.rule == rule.name), None)
    if answer is None:
        because = f"{order.asked_of.replace('_', ' ')} must answer: {order.ask}"
        return [Ruling(Scope(), "manual", because, would_decide=how)]
    said = f"'{answer.answer}', {answer.by} ({answer.role or 'no role given'}) on {answer.on}"
    if problem := _refuse_answer(order, answer, bench.as_of):
        return [Ruling(Scope(), "manual", f"{said}: {problem}", literal=said, would_decide=how)]
    accepted = [option.strip().lower() for option in order.answer_must_be]
    passed = not accepted or answer.answer.strip().lower() in accepted
    because = said if passed else f"{said}; the rule asks for '{' or '.join(order.answer_must_be)}'"
    return [Ruling(Scope(), "pass" if passed else "fail", because, trace=(order.ask,), literal=said)]


def _refuse_answer(order: AskRule, answer: Answer, as_of: date) -> str:
    given = _read_day(answer.on)
    if not answer.by.strip():
        return "nobody signed it"
    if not answer.answer.strip():
        return "it says nothing"
    if given is None or given > as_of:
        return "its date lies after the day of judgement" if given else "its date cannot be read"
    if answer.role != order.asked_of:
        return f"the rule asks the role {order.asked_of}"
    if order.valid_for_days is not None and (as_of - given).days > order.valid_for_days:
        return f"it expired, {(as_of - given).days} days after it was given; it was valid for {order.valid_for_days}"
    return ""


def _read_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
