"""Everything that a rule is about: models times features times groups, each with its number.

Comes in: a rule and the evidence on the bench. Goes out: scopes to judge, and rulings for those that cannot be judged.
What is not there is never left out silently: it is a ruling with its reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import product

from audit.errors import Mistake, PolicyError, suggest_name
from audit.evidence import Fairness, VerdictWord

from .bench import Bench
from .catalogue import BLACK_BOX, GLASS_BOXES, METRICS, MODELS, Metric
from .check import IMPORTANT, MODEL_SETS, WIDE_SCOPES, split_pair
from .groups import find_groups, list_attributes
from .needs import say_need
from .pack import CompareRule, MeasureRule, ShapeRule
from .phrase import read_number
from .ruling import Ruling, Scope
from .select import LoadedPack
from .vocabulary import STANDARD_ATTRIBUTES

_SETS = {"every_model": MODELS, "every_glass_box": GLASS_BOXES}
_DIRECTIONS = ("increasing", "decreasing")
ALL = "all"


def find_scopes(rule: MeasureRule, bench: Bench, parameters: Mapping[str, Fraction]) -> list[Scope | Ruling]:
    """Return every scope of a measuring rule.

    Parameters
    ----------
    rule : MeasureRule
        The rule.
    bench : Bench
        The evidence.
    parameters : mapping
        The pack's parameters, for `role:important`.
    """
    metric = METRICS[rule.measure]
    models = list_models(rule.of_model, metric)
    features: list[str | None] = [None]
    if rule.for_features:
        named, problem = list_features(rule.for_features, bench, parameters)
        if problem:
            return [problem if problem.because else _no_such_scope(rule)]
        inputs = [name for name in named if name in bench.features]
        if not inputs and (refused := _refuse_unknown_inputs(bench)):
            return [refused]
        if not inputs:
            return [_no_such_scope(rule)]
        features = list(inputs)
    found: list[Scope | Ruling] = []
    for outcome, feature, model in product(list_outcomes(rule, bench), features, models):
        here = bench.about(outcome)
        if rule.for_each:
            scopes = [
                scope
                for item in list_attributes(rule.for_each, here)
                for scope in find_groups(rule, metric, item, here, feature, model)
            ]
        else:
            scopes = [_single(metric, here, feature, model)]
        found += [_about(scope, outcome) for scope in scopes]
    return found


def list_outcomes(rule: MeasureRule, bench: Bench) -> list[str | None]:
    """Return the bands or classes that a rule means: by default the decision itself, or all where it is not measured.

    Parameters
    ----------
    rule : MeasureRule
        The rule.
    bench : Bench
        The evidence.
    """
    measured = bench.outcomes_of(rule.measure)
    by_name = [outcome for outcome in measured if outcome is not None]
    if not rule.for_outcomes:
        return [None] if None in measured else list(by_name)
    wanted = [outcome for name in rule.for_outcomes for outcome in (by_name if name == ALL else [name])]
    return list(dict.fromkeys(wanted)) or [None]


def _about(scope: Scope | Ruling, outcome: str | None) -> Scope | Ruling:
    if outcome is None:
        return scope
    if isinstance(scope, Ruling):
        return replace(scope, scope=replace(scope.scope, outcome=outcome))
    return replace(scope, outcome=outcome)


def list_models(names: tuple[str, ...], metric: Metric | None) -> list[str | None]:
    """Return the models that a rule means: by default the black box, or all where it is not measured for that one.

    Parameters
    ----------
    names : tuple of str
        As the rule says.
    metric : Metric or None
        Limits the models to those it is computed for; None for shapes.
    """
    possible: tuple[str, ...] = metric.models if metric else MODELS
    if not possible:
        return [None]
    if not names:
        return [BLACK_BOX] if BLACK_BOX in possible else list(possible)
    wanted = {model for name in names for model in _SETS.get(name, (name,))}
    return [model for model in MODELS if model in wanted and model in possible]


def list_features(
    names: Iterable[str], bench: Bench, parameters: Mapping[str, Fraction]
) -> tuple[list[str], Ruling | None]:
    """Return the features that a rule means, in model order, or why they are not known.

    Parameters
    ----------
    names : iterable of str
        Feature names, ``role:R``, ``all``.
    bench : Bench
        The evidence.
    parameters : mapping
        The pack's parameters.

    Returns
    -------
    tuple
        Features, and a ruling where there are none to look at; its `because` is empty where the role is simply filled
        by no input of the model.
    """
    wanted: list[str] = []
    for name in names:
        if not name.startswith("role:"):
            wanted += list(bench.features) if name == "all" else [name]
            continue
        found, problem = _by_role(name.removeprefix("role:"), bench, parameters)
        if problem:
            return [], problem
        wanted += found
    return list(dict.fromkeys(wanted)), None


def _by_role(role: str, bench: Bench, parameters: Mapping[str, Fraction]) -> tuple[list[str], Ruling | None]:
    if refused := _refuse_unknown_inputs(bench):
        return [], refused
    if role == "important":
        return _important(bench, float(parameters[IMPORTANT]))
    if role == "protected":
        found = [name for name, feature in bench.features.items() if feature.protected]
        if not found and not bench.evidence.subject.attributes:
            return [], Ruling(Scope(), "inconclusive", "no protected attribute is declared under groups")
        return found, None if found else Ruling(Scope(), "inconclusive", "")
    if role in _DIRECTIONS:
        found = [name for name, feature in bench.features.items() if feature.expected == role]
        none = Ruling(Scope(), "not_applicable", f"it applies to features declared 'expected: {role}'; there is none")
        return found, None if found else none
    found = [name for name, feature in bench.features.items() if feature.role == role]
    if found:
        return found, None
    reviewed = bench.facts.get("features.roles_reviewed", ())
    if role in (reviewed if isinstance(reviewed, tuple) else (reviewed,)):
        return [], Ruling(Scope(), "not_applicable", f"a person went through all features; none has the role {role}")
    return [], Ruling(
        Scope(),
        "inconclusive",
        f"nobody declared which features have the role {role}",
        would_decide=f"declare 'role: {role}' under features, or list {role} in the fact features.roles_reviewed",
    )


def _important(bench: Bench, share: float) -> tuple[list[str], Ruling | None]:
    shares = {
        name: row.estimate.value
        for name in bench.features
        for row in bench.find("effects.importance_share", feature=name, model=BLACK_BOX)
        if row.estimate.value is not None
    }
    if not shares:
        reason = bench.reason("effects.importance_share")
        return [], Ruling(Scope(), "inconclusive", f"which features are important is not known: {reason}")
    found = [name for name in bench.features if read_number(shares.get(name, 0.0)) >= read_number(share)]
    none = Ruling(Scope(), "not_applicable", f"it applies to features with {share:.0%} of the importance; none has it")
    return found, None if found else none


def _refuse_unknown_inputs(bench: Bench) -> Ruling | None:
    if bench.features and bench.evidence.subject.has_model:
        return None
    return Ruling(Scope(), "inconclusive", "which columns the model reads is not known: no model was taken in")


def _no_such_scope(rule: MeasureRule) -> Ruling:
    words = " and ".join(name.replace("role:", "role ") for name in rule.for_features)
    status: VerdictWord = rule.when_no_such_scope
    return Ruling(Scope(), status, f"the model reads no such column ({words})")


def _single(metric: Metric, bench: Bench, feature: str | None, model: str | None) -> Scope | Ruling:
    rows = bench.find(metric.id, (), feature, model) or (
        bench.find(metric.id, (), feature, None) if model == BLACK_BOX else []
    )
    scope = Scope(feature=feature, model=model, measurement=rows[0] if rows else None)
    if rows:
        return scope
    return Ruling(scope, "inconclusive", bench.reason(metric.id), would_decide=say_need(metric.id))


def check_names(packs: Iterable[LoadedPack], bench: Bench) -> None:
    """Refuse rules that name an attribute or a feature which this audit does not know.

    Parameters
    ----------
    packs : iterable of LoadedPack
        The packs in force.
    bench : Bench
        The evidence.

    Raises
    ------
    PolicyError
        All such names, each with its place; a misspelled name must never pass in silence.
    """
    mistakes = []
    for pack in packs:
        for rule in pack.rules:
            index = next(i for i, own in enumerate(pack.pack.rules) if own.id == rule.rule.id)
            for key, what, hint in _unknown_names(pack, rule.rule, bench):
                place = pack.tree.place(("rules", index, key))
                mistakes.append(Mistake(f"rule {rule.rule.id}: {what}", place, hint))
    if mistakes:
        raise PolicyError(mistakes=mistakes)


def _unknown_names(pack: LoadedPack, rule: object, bench: Bench) -> Iterable[tuple[str, str, str]]:
    if isinstance(rule, MeasureRule | CompareRule):
        known = [*bench.attributes, *(STANDARD_ATTRIBUTES if pack.shipped else ())]
        for name in (part for item in rule.for_each if item not in WIDE_SCOPES for part in split_pair(item)):
            if name not in known and name not in WIDE_SCOPES:
                yield "for_each", f"unknown group attribute '{name}'", suggest_name(name, (*known, *WIDE_SCOPES))
    key = "shape_of" if isinstance(rule, ShapeRule) else "for_features"
    for name in getattr(rule, key, ()):
        if name != "all" and not name.startswith("role:") and bench.columns and name not in bench.columns:
            yield key, f"unknown feature '{name}'", suggest_name(name, (*sorted(bench.columns), "all"))
    outcomes = [*_known_outcomes(bench), ALL]
    for name in getattr(rule, "for_outcomes", ()):
        if name not in outcomes and len(outcomes) > 1:
            yield "for_outcomes", f"unknown band or class '{name}'", suggest_name(name, outcomes)
    for name in getattr(rule, "of_model", ()):
        if name not in MODELS and name not in MODEL_SETS:
            yield "of_model", f"unknown model '{name}'", suggest_name(name, (*MODELS, *MODEL_SETS))


def _known_outcomes(bench: Bench) -> list[str]:
    """Return the bands and classes of this audit, measured for any number."""
    measured = [outcome for outcomes in bench.outcomes.values() for outcome in outcomes if outcome is not None]
    section = bench.evidence.fairness
    tables = section.outcome_tables if isinstance(section, Fairness) else ()
    return list(dict.fromkeys([*measured, *(outcome for table in tables for outcome in table.outcomes)]))
