"""What the types of a pack cannot see: that every name in it means something, and that every number has a source.

Comes in: a pack right in its types, with its tree. Goes out: all mistakes at once, with places. This is a walk of its
own over the parsed pack; a validator inside the types would stay silent as long as any field is wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction

from audit.errors import Mistake, suggest_name
from audit.yamlfile import YamlTree

from .catalogue import METRICS, MODELS, Metric
from .pack import (
    AskRule,
    CompareRule,
    Condition,
    DocumentRule,
    FactRule,
    MeasureRule,
    Pack,
    Rule,
    ShapeRule,
)
from .phrase import Limit, PhraseError, parse_phrase, read_number
from .sense import doubt_limit
from .version import is_version
from .vocabulary import COMPUTED_FACTS, FACTS, FIELDS, ROLES, SEAL_FACTS, STANDARD_ATTRIBUTES, Fact

Steps = tuple[str | int, ...]
Found = Iterator[tuple[Steps, str, str]]

WIDE_SCOPES = ("protected", "protected pairs")
MODEL_SETS = ("every_model", "every_glass_box")
COLUMN_QUANTILES = (0.01, 0.25, 0.5, 0.75, 0.99)
"""Quantiles that the evidence holds of a column."""
IMPORTANT = "important_share"
"""Parameter that says from which share of importance a feature is important."""


def check_pack(
    pack: Pack,
    tree: YamlTree,
    attributes: Iterable[str] | None,
    *,
    shipped: bool,
    numbers: Sequence[int] | None = None,
) -> list[Mistake]:
    """Return every mistake in the meaning of a pack.

    Parameters
    ----------
    pack : Pack
        Right in its types.
    tree : YamlTree
        Where its values stand.
    attributes : iterable of str or None
        Names by which the audit knows its protected attributes; None where the audit is not known yet.
    shipped : bool
        Whether the pack is one of ours; it may then name a standard attribute that this audit does not have.
    numbers : sequence of int, optional
        Where `pack` is what was left of a broken one: the position of each of its rules in the file.
    """
    known = None if attributes is None else {*attributes, *(STANDARD_ATTRIBUTES if shipped else ())}
    parameters = {name: read_number(p.default) for name, p in pack.parameters.items()}
    mistakes = [*_check_conditions(pack.applies_when, ("applies_when",)), *_check_bounds(pack)]
    mistakes += [*_check_ids(pack), *_check_use(pack)] if numbers is None else []
    for number, rule in zip(numbers or range(len(pack.rules)), pack.rules, strict=True):
        at: Steps = ("rules", number)
        mistakes += [
            ((*at, *path), f"rule {rule.id}: {what}", hint)
            for path, what, hint in (
                *_check_conditions(rule.applies_when, ("applies_when",)),
                *_check_rule(rule, parameters, known),
            )
        ]
    return [Mistake(what, tree.place(path), hint) for path, what, hint in mistakes]


def _check_ids(pack: Pack) -> Found:
    counts = Counter(rule.id for rule in pack.rules)
    for number, rule in enumerate(pack.rules):
        if counts[rule.id] > 1 and any(other.id == rule.id for other in pack.rules[:number]):
            yield ("rules", number, "id"), f"the rule '{rule.id}' stands twice", "give it another id"
    if not pack.rules and not pack.uses:
        yield ("pack",), "a pack without rules decides nothing", "add `rules:` or `uses:`"


def _check_use(pack: Pack) -> Found:
    if not is_version(pack.version):
        yield ("version",), f"'{pack.version}' is no version", "write numbers with dots, e.g. 2026.11.0"
    used = {name for rule in pack.rules for name in names_in(rule)}
    for name in pack.parameters:
        if name not in used:
            near = suggest_name(name, used)
            yield ("parameters", name), f"no rule uses the parameter '{name}'", near or f"remove it, or write ${name}"


def _check_bounds(pack: Pack) -> Found:
    for name, parameter in pack.parameters.items():
        at: Steps = ("parameters", name)
        if parameter.minimum > parameter.maximum:
            yield (*at, "minimum"), f"the smallest value of '{name}' is above its largest", ""
        elif not parameter.minimum <= parameter.default <= parameter.maximum:
            yield (
                (*at, "default"),
                f"the default of '{name}' lies outside its own bounds",
                f"between {parameter.minimum:g} and {parameter.maximum:g}",
            )


def names_in(rule: Rule) -> set[str]:
    """Return the parameters that a rule uses."""
    texts = [getattr(rule, key, None) for key in ("must_be", "warn_unless", "may_worsen_by")]
    names = {word.strip("$,") for text in texts if isinstance(text, str) for word in text.split() if word[:1] == "$"}
    features = getattr(rule, "for_features", ()) or getattr(rule, "shape_of", ())
    return names | ({IMPORTANT} if "role:important" in features else set())


def _check_conditions(conditions: Mapping[str, Condition], at: Steps) -> Found:
    for name, wanted in conditions.items():
        fact = FACTS.get(name)
        if name in SEAL_FACTS:
            yield (*at, name), f"'{name}' is known only once the report is sealed", "write it as a rule: 'fact:'"
            continue
        if fact is None and name not in COMPUTED_FACTS:
            yield (*at, name), f"unknown fact '{name}'", suggest_name(name, (*FACTS, *COMPUTED_FACTS))
            continue
        kind = fact.kind if fact else "flag"
        for value in wanted if isinstance(wanted, tuple) else (wanted,):
            if kind == "flag" and not isinstance(value, bool):
                yield (*at, name), f"'{name}' is true or false, not '{value}'", ""
            if fact and kind == "choice" and str(value) not in fact.values and "*" not in str(value):
                hint = suggest_name(str(value), fact.values) or f"one of {', '.join(fact.values)}"
                yield (*at, name), f"'{value}' is no value of '{name}'", hint
            if kind == "number":
                yield from _check_phrase(str(value), {}, (*at, name), ("range",))


def _check_rule(rule: Rule, parameters: Mapping[str, Fraction], known: set[str] | None) -> Found:
    if isinstance(rule, MeasureRule):
        yield from _check_measure(rule, parameters, known)
    elif isinstance(rule, FactRule):
        yield from _check_fact(rule, parameters)
    elif isinstance(rule, ShapeRule):
        yield from _check_shape(rule, parameters)
    elif isinstance(rule, CompareRule):
        yield from _check_compare(rule, parameters, known)
    elif isinstance(rule, DocumentRule):
        yield from _check_fields(rule)
    elif isinstance(rule, AskRule) and not rule.ask.rstrip().endswith("?"):
        yield ("ask",), "a question ends with a question mark", ""


def _check_fields(rule: DocumentRule) -> Found:
    if not rule.document:
        yield ("document",), "names no document", ""
    for field in rule.document:
        if field not in FIELDS:
            yield ("document",), f"unknown document '{field}'", suggest_name(field, FIELDS)


def _check_measure(rule: MeasureRule, parameters: Mapping[str, Fraction], known: set[str] | None) -> Found:
    metric = METRICS.get(rule.measure)
    if metric is None:
        hint = suggest_name(rule.measure, METRICS) or "audit policy list --metrics shows all"
        yield ("measure",), f"unknown metric '{rule.measure}'", hint
    else:
        for check in _MEASURE_CHECKS:
            yield from check(rule, metric)
    yield from _check_groups(rule.for_each, known)
    yield from _check_models(rule.of_model, metric)
    yield from _check_features(rule.for_features, parameters, "for_features")
    yield from _check_limits(rule, parameters)


def _check_limits(rule: MeasureRule, parameters: Mapping[str, Fraction]) -> Found:
    if rule.verdicts:
        yield ("verdicts",), "this metric is a number, it has no values to list", "write must_be"
    if rule.must_be is None:
        yield ("measure",), "no limit", "add must_be, or 'must_be: reported' where the number only has to be there"
        return
    yield from _check_limit(rule, "must_be", rule.must_be, parameters, ("range", "reported"))
    if rule.must_be != "reported" and rule.threshold_basis is None:
        yield (
            ("must_be",),
            "a number is demanded without threshold_basis",
            "say who set it: regulation, guidance, court_practice, industry_convention or organisation",
        )
    if rule.warn_unless is not None:
        yield from _check_limit(rule, "warn_unless", rule.warn_unless, parameters, ("range",))
        if rule.warn_basis is None and "$" not in rule.warn_unless:
            yield ("warn_unless",), "a number is demanded without warn_basis", "say who set it, or use a $parameter"


def _check_limit(
    rule: MeasureRule, key: str, text: str, parameters: Mapping[str, Fraction], kinds: tuple[str, ...]
) -> Found:
    found = list(_check_phrase(text, parameters, (key,), kinds))
    yield from found
    metric = METRICS.get(rule.measure)
    if metric is not None and not found:
        for what, hint in doubt_limit(metric, parse_phrase(text, parameters)):
            yield (key,), what, hint


def _check_scopes(rule: MeasureRule, metric: Metric) -> Found:
    grouped = bool({"group", "attribute"} & set(metric.scopes))
    if rule.for_each and not grouped:
        yield ("for_each",), f"{metric.id} is not measured by group", "leave for_each out"
    alone = "all" in metric.scopes or ("model" in metric.scopes and "attribute" not in metric.scopes)
    if not rule.for_each and grouped and not alone:
        yield ("measure",), f"{metric.id} is measured by group", "add for_each, e.g. 'for_each: protected'"
    if rule.for_features and "feature" not in metric.scopes:
        yield ("for_features",), f"{metric.id} is not measured by feature", "leave for_features out"
    if not rule.for_features and "feature" in metric.scopes and "all" not in metric.scopes:
        yield ("measure",), f"{metric.id} is measured by feature", "add for_features, e.g. 'for_features: all'"
    if rule.for_outcomes and "outcome" not in metric.scopes:
        yield ("for_outcomes",), f"{metric.id} is not measured by outcome", "leave for_outcomes out"
    if rule.when_no_such_scope != "inconclusive" and not rule.for_features:
        yield ("when_no_such_scope",), "it speaks of features, and the rule has none", "leave it out"


def _check_judging(rule: MeasureRule, metric: Metric) -> Found:
    comparison = metric.compares in ("ratio", "difference")
    if rule.judged_on == "court" and not metric.compares:
        yield ("judged_on",), f"court is for comparisons between groups, and {metric.id} is none", "use interval"
    if rule.adjust_for_many and rule.judged_on != "court":
        yield ("adjust_for_many",), "it has a meaning only with 'judged_on: court'", ""
    if rule.compared_to != "best" and not comparison:
        yield ("compared_to",), f"{metric.id} compares no rates", "leave it out"
    if rule.leave_out_groups_below is not None and not comparison:
        yield ("leave_out_groups_below",), f"{metric.id} compares no rates", "leave it out"
    if rule.must_be == "reported" and rule.judged_on not in (None, "estimate"):
        yield ("judged_on",), "'reported' asks for the number alone", "write 'judged_on: estimate'"
    if rule.min_samples.per_bin and metric.section != "calibration":
        yield ("min_samples", "per_bin"), f"{metric.id} has no bins", "leave it out"
    if (rule.min_samples.per_group or rule.min_samples.favourable) and not rule.for_each:
        yield ("min_samples",), "it speaks of groups, and the rule has no for_each", ""


_MEASURE_CHECKS: tuple[Callable[[MeasureRule, Metric], Found], ...] = (_check_scopes, _check_judging)


def _check_groups(names: tuple[str, ...], known: set[str] | None) -> Found:
    for name in names:
        for part in (name,) if name in WIDE_SCOPES else split_pair(name):
            if part in WIDE_SCOPES or known is None or part in known:
                continue
            hint = suggest_name(part, (*known, *WIDE_SCOPES)) or (
                f"this audit has {', '.join(sorted(known))}" if known else "the audit declares no groups"
            )
            yield ("for_each",), f"unknown group attribute '{part}'", hint


def split_pair(name: str) -> tuple[str, ...]:
    """Return the attributes of ``a * b``, or of ``a``."""
    return tuple(part.strip() for part in name.split("*"))


def _check_models(names: tuple[str, ...], metric: Metric | None) -> Found:
    for name in names:
        if name not in MODELS and name not in MODEL_SETS:
            yield ("of_model",), f"unknown model '{name}'", suggest_name(name, (*MODELS, *MODEL_SETS))
        elif metric and not metric.models:
            yield ("of_model",), f"{metric.id} is not measured by model", "leave of_model out"
        elif metric and name in MODELS and name not in metric.models:
            yield ("of_model",), f"{metric.id} is not measured for {name}", f"it is for {', '.join(metric.models)}"


def _check_features(names: tuple[str, ...], parameters: Mapping[str, Fraction], key: str) -> Found:
    for name in names:
        if name == "role:important" and IMPORTANT not in parameters:
            yield (
                (key,),
                f"role:important needs a parameter '{IMPORTANT}'",
                "declare from which share of importance a feature is important, e.g. default: 5%",
            )
        role = name.removeprefix("role:") if name.startswith("role:") else None
        if (role is None and ":" in name) or name.lower().startswith("role ") or role == "":
            yield (key,), f"'{name}' is no feature", f"write role:R, with R one of {', '.join(ROLES)}"
        elif role is not None and role not in ROLES and (near := suggest_name(role, ROLES)):
            yield (key,), f"unknown role '{role}'", near


def _check_fact(rule: FactRule, parameters: Mapping[str, Fraction]) -> Found:
    fact = FACTS.get(rule.fact) or SEAL_FACTS.get(rule.fact)
    if fact is None and rule.fact not in COMPUTED_FACTS:
        hint = suggest_name(rule.fact, (*FACTS, *COMPUTED_FACTS, *SEAL_FACTS))
        if not hint and rule.fact in METRICS:
            hint = "this is a metric: write 'measure:'"
        yield ("fact",), f"unknown fact '{rule.fact}'", hint
        return
    if bool(rule.verdicts) == (rule.must_be is not None):
        yield ("fact",), "exactly one of must_be and verdicts is needed", ""
    kind = fact.kind if fact else "flag"
    allowed = {"flag": ("flag",), "number": ("range",)}.get(kind, ("options", "reported"))
    if rule.must_be is not None:
        yield from _check_phrase(rule.must_be, parameters, ("must_be",), (*allowed, "reported"))
        if kind == "number" and rule.threshold_basis is None:
            yield ("must_be",), "a number is demanded without threshold_basis", "say who set it"
    if fact and kind == "choice":
        yield from _check_choices(rule, fact)


def _check_choices(rule: FactRule, fact: Fact) -> Found:
    listed = (rule.must_be or "").removeprefix("one of ") if (rule.must_be or "").startswith("one of ") else ""
    demanded = [(("must_be",), value.strip()) for value in listed.split(",") if value.strip()]
    for at, value in (*demanded, *((("verdicts", value), value) for value in rule.verdicts)):
        if value not in fact.values:
            hint = suggest_name(value, fact.values) or f"one of {', '.join(fact.values)}"
            yield at, f"'{value}' is no value of '{fact.name}'", hint


def _check_shape(rule: ShapeRule, parameters: Mapping[str, Fraction]) -> Found:
    if rule.threshold_basis is None:
        yield ("tolerance",), "a number is demanded without threshold_basis", "say who set it"
    if rule.within_quantiles and not set(rule.within_quantiles) <= set(COLUMN_QUANTILES):
        listed = ", ".join(f"{q:g}" for q in COLUMN_QUANTILES)
        yield ("within_quantiles",), "these quantiles are not in the evidence", f"it holds {listed}"
    if rule.within_quantiles and rule.within_quantiles[0] >= rule.within_quantiles[1]:
        yield ("within_quantiles",), "the first quantile must be the smaller one", ""
    yield from _check_models(rule.of_model, None)
    yield from _check_features(rule.shape_of, parameters, "shape_of")


def _check_compare(rule: CompareRule, parameters: Mapping[str, Fraction], known: set[str] | None) -> Found:
    if rule.compare not in METRICS:
        yield ("compare",), f"unknown metric '{rule.compare}'", suggest_name(rule.compare, METRICS)
    elif METRICS[rule.compare].better == "none" or METRICS[rule.compare].section == "change":
        what = f"'{rule.compare}' cannot get worse: neither side of it is better, or it is a change itself"
        yield ("compare",), what, "measure it, or compare a number that has a better side"
    if rule.threshold_basis is None:
        yield ("may_worsen_by",), "a number is demanded without threshold_basis", "say who set it"
    margin = str(rule.may_worsen_by).removesuffix(" of previous")
    yield from _check_phrase(f"at most {margin}", parameters, ("may_worsen_by",), ("range",))
    yield from _check_groups(rule.for_each, known)
    yield from _check_models(rule.of_model, METRICS.get(rule.compare))
    yield from _check_features(rule.for_features, parameters, "for_features")


def _check_phrase(text: str, parameters: Mapping[str, Fraction], at: Steps, kinds: tuple[str, ...]) -> Found:
    limit: Limit | None = None
    try:
        limit = parse_phrase(text, parameters)
    except PhraseError as mistake:
        yield at, mistake.what, mistake.hint
    if limit is not None and limit.kind not in kinds:
        yield at, f"'{text}' is no limit for this", "write 'at least X', 'at most X' ..." if "range" in kinds else ""
