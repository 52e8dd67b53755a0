"""What types cannot say about an audit.yaml: that its parts fit together.

Comes in: a `Config` of the right types and its source. Goes out: a list of mistakes with places. Only what can be
known without opening a file stands here; columns and levels are held against the data when it is read.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator

from audit.config.model import Block, CodesBlock, NumericBlock, OneHotBlock
from audit.config.paths import SECRET_FORMS
from audit.config.schema import Config, DecisionRule
from audit.config.settings import Level
from audit.config.sources import Source, Steps
from audit.config.wording import written_path
from audit.errors import Mistake, suggest_name

Finding = tuple[Steps, str, str]

_CUT = re.compile(r"^\s*score\s*(>=|<=|>|<)\s*([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)\s*$")
_DASK = re.compile(r"^dask://[^\s/:]+:[0-9]{1,5}$")
_BAND = re.compile(r"^\s*(otherwise|score\s*(>=|<=|>|<)\s*[-+0-9.eE]+)\s*$")
_SHARES_TOLERANCE = 0.02  # published shares are rounded to whole per cents


def check_config(config: Config, source: Source) -> list[Mistake]:
    """Return every contradiction inside a configuration.

    Parameters
    ----------
    config : Config
        Right in its types.
    source : Source
        Where its values stand.
    """
    return [
        Mistake(what, source.place(written_path(path, source.value)), hint)
        for check in CHECKS
        for path, what, hint in check(config)
    ]


def _check_groups(config: Config) -> Iterator[Finding]:
    for name, attribute in config.groups.attributes.items():
        path: Steps = ("groups", "attributes", name)
        if any(low >= high for low, high in itertools.pairwise(attribute.bins)):
            yield (*path, "bins"), f"the cut points of {name} must rise: {list(attribute.bins)}", ""
        shares = attribute.population
        if shares and (min(shares.values()) < 0 or abs(sum(shares.values()) - 1) > _SHARES_TOLERANCE):
            yield (*path, "population"), f"the shares of {name} add up to {sum(shares.values()):g}, not 1", ""


def _check_intersections(config: Config) -> Iterator[Finding]:
    if isinstance(config.intersections, str):
        return
    known = list(config.groups.attributes)
    for i, names in enumerate(config.intersections):
        for j, name in enumerate(names):
            if name not in known:
                hint = suggest_name(name, known) or (f"known: {', '.join(known)}" if known else "groups names none")
                yield ("intersections", i, j), f"'{name}' is no protected attribute", hint
        if len(set(names)) < 2:
            yield ("intersections", i), "an intersection needs two different attributes", "write [[sex, race]]"


def _check_strata(config: Config) -> Iterator[Finding]:
    protected = {} if config.groups.source else {a.column: name for name, a in config.groups.attributes.items()}
    outcome = {
        config.label.column if config.label else None: "the label",
        config.decision.column if config.decision else None: "the decision",
        config.model.scores: "the score",
        config.data.id: "the id of a row",
    }
    for i, column in enumerate(config.strata):
        if column in protected:
            what = f"'{column}' is behind the protected attribute {protected[column]} and may not lawfully decide"
            yield ("strata", i), what, "list it under intersections to see groups within groups"
        if column in outcome:
            yield ("strata", i), f"'{column}' is {outcome[column]}, which makes no strata", "name what may decide"
        if column in config.strata[:i]:
            yield ("strata", i), f"'{column}' stands twice", ""


def _check_model(config: Config) -> Iterator[Finding]:
    model = config.model
    if model.format == "none":
        if model.path or model.scores:
            yield ("model", "format"), "the format is none, but a model is named", "leave `format` out"
        elif config.decision is None:
            yield (
                (),
                "there is nothing to audit: no model, no stored scores, no stored decisions",
                (
                    "add `model: {path: ..., inputs: [...]}`, `model: {scores: column}` or "
                    "`decision: {column: ..., favourable: ...}`"
                ),
            )
        return
    if model.path and model.scores:
        yield (
            ("model", "scores"),
            "both a model file and stored scores are named",
            ("keep one; scores that the model is known to give go to `expected_score`"),
        )
    if not (model.path or model.scores or model.factory or model.format == "python"):
        yield ("model",), "the model has neither `path` nor `scores`", "name a file, or a column of scores"
    if model.path and not model.inputs and model.format not in ("python", "mlflow"):
        yield ("model",), "the model has no `inputs`", "list the columns that it reads, in its order"
    if model.sha256 is not None and not re.fullmatch(r"(sha256:)?[0-9a-fA-F]{64}", model.sha256):
        yield ("model", "sha256"), "is not a SHA-256 digest: 64 hexadecimal digits", ""
    yield from _check_trust(config)
    if model.factory is not None and ":" not in model.factory:
        yield ("model", "factory"), f"'{model.factory}' does not say which function", "write module.py:name"


def _check_trust(config: Config) -> Iterator[Finding]:
    """Check what a pickle needs, and that what is asked of a model's process can be given."""
    model = config.model
    if model.format == "pickle" and not model.trust_code:
        yield (
            ("model", "trust_code"),
            "a pickle runs whatever code is in it when it is loaded",
            "write `trust_code: true` if you trust whoever wrote it, or export the net as .pt2",
        )
    if model.format == "pickle" and model.sha256 is None:
        yield ("model", "sha256"), "a pickle is code, which must be pinned", "sha256: the digest of the file"
    if model.isolation != "none" and not (model.path or model.factory):
        yield ("model", "isolation"), "there is no model to keep apart", "leave `isolation` out"


def _check_blocks(config: Config) -> Iterator[Finding]:
    for i, argument in enumerate(config.model.inputs):
        if len(config.model.inputs) > 1 and [a.name for a in config.model.inputs].count(argument.name) > 1:
            yield ("model", "inputs", i), f"two arguments are named '{argument.name}'", ""
        for j, block in enumerate(argument.blocks):
            for step, what, hint in _check_block(block):
                yield ("model", "inputs", i, "blocks", j, step), what, hint


def _check_block(block: Block) -> Iterator[tuple[str, str, str]]:
    width = len(block.columns)
    if not width:
        yield "columns", "a block without columns", ""
    if len(set(block.columns)) < width:
        yield "columns", "a column stands twice in one block", ""
    yield from _check_numbers(block) if isinstance(block, NumericBlock) else _check_levels(block)


def _check_numbers(block: NumericBlock) -> Iterator[tuple[str, str, str]]:
    width = len(block.columns)
    for name, given in (("mean", block.mean), ("scale", block.scale), ("missing", block.missing)):
        if isinstance(given, tuple) and len(given) != width:
            yield name, f"{name} has {len(given)} numbers for {width} columns", "give one number, or one per column"
    if block.scale == 0 or (isinstance(block.scale, tuple) and 0 in block.scale):
        yield "scale", "scale cannot be 0: it is divided by", ""


def _check_levels(block: CodesBlock | OneHotBlock) -> Iterator[tuple[str, str, str]]:
    for column in block.columns:
        if column not in block.levels:
            yield "levels", f"the levels of '{column}' are missing", suggest_name(column, block.levels)
        elif len(set(block.levels[column])) < len(block.levels[column]):
            yield "levels", f"a level of '{column}' stands twice", ""
    for column in block.levels:
        if column not in block.columns:
            yield "levels", f"levels are given for '{column}', which is no column of this block", ""


def _check_output(config: Config) -> Iterator[Finding]:
    output, several = config.model.output, config.model.output.scale in ("logits", "probabilities")
    if output.task == "regression" and output.scale != "value":
        yield ("model", "output"), f"a regression gives a value, not {output.scale}", "write `output: value`"
    if output.task != "regression" and output.scale == "value":
        yield ("model", "output"), "the scale `value` belongs to a regression", "set task: regression"
    if output.classes and output.positive is not None and output.positive not in output.classes:
        yield ("model", "output", "positive"), f"{output.positive!r} is not among the classes", ""
    if output.task == "multiclass" and not output.classes and config.model.format != "none":
        yield (
            ("model", "output"),
            "which class is each output column?",
            "write `output: {scale: logits, classes: [A, B, C]}` in the order of the columns",
        )
    if output.task == "multiclass" and not several and _names_scale(config):
        yield (
            ("model", "output"),
            f"a model of several classes does not return one {output.scale}",
            "write scale: logits, or scale: probabilities, one column per class",
        )
    if len({_level_text(level) for level in output.classes}) < len(output.classes):
        yield ("model", "output", "classes"), "a class stands twice", ""
    if output.task == "multiclass" and config.model.scores is not None:
        yield (
            ("model", "scores"),
            "one column of scores cannot hold the probabilities of several classes",
            "name the column of predicted classes: decision: {column: ..., favourable: ...}",
        )
    if several and output.classes and output.index is not None and not 0 <= output.index < len(output.classes):
        yield ("model", "output", "index"), f"there is no class {output.index}: counting begins at 0", ""


def _names_scale(config: Config) -> bool:
    """Return whether the scale is declared, or nothing but a declaration can tell it."""
    return "scale" in config.model.output.model_fields_set or config.model.format not in ("python", "none")


def _check_decision(config: Config) -> Iterator[Finding]:
    rule = config.decision
    if rule is None:
        return
    if not rule.made:
        if config.model.format == "none":
            yield ("decision",), "there is nothing to audit: no model, no stored scores, and no decision", ""
        return
    yield from _check_sides(config, rule)
    yield from _check_segments(config, rule)
    named = "favourable" in rule.model_fields_set
    if rule.column is not None and not named:
        yield (
            ("decision",),
            f"which value of '{rule.column}' is favourable?",
            (f"write decision: {{column: {rule.column}, favourable: approved}}"),
        )
    if rule.column is not None and named and _CUT.match(str(rule.favourable)):
        yield (
            ("decision", "favourable"),
            "a column of decisions has favourable values, not a cut on the score",
            ("leave `column` out, or name the value that is favourable"),
        )
    if rule.column is None and config.model.format == "none":
        yield (
            ("decision",),
            "there is no score to cut: neither a model nor stored scores are named",
            ("name the `column` that holds the decisions"),
        )
    cut = rule.threshold
    if cut is not None and config.model.format != "none" and config.model.output.scale != "value" and not 0 <= cut <= 1:
        yield (
            ("decision", "favourable"),
            f"the score is a probability and never reaches {cut:g}",
            ("give the cut between 0 and 1, on the probability scale also where the model returns a logit"),
        )
    for name, condition in rule.bands.items():
        if not _BAND.match(condition):
            yield ("decision", "bands", name), f"'{condition}' is no condition", "write score >= 0.7, or otherwise"


def _check_sides(config: Config, rule: DecisionRule) -> Iterator[Finding]:
    """Check that the forms of a decision are not mixed, and that the favourable side has a meaning."""
    forms = [name for name in ("column", "bands", "segments") if getattr(rule, name)]
    if len(forms) > 1:
        yield ("decision",), f"`{forms[0]}` and `{forms[1]}` do not go together", "keep one of them"
    if forms in ([], ["segments"]) and not _CUT.match(str(rule.favourable)):
        yield from _check_classes(config, rule)
    if rule.bands and config.model.output.task == "multiclass":
        yield (
            ("decision", "bands"),
            "bands cut one score, but the model has several classes",
            "name the favourable ones: decision: {favourable: [A, B]}",
        )
    wanted = rule.favourable if isinstance(rule.favourable, tuple) else (rule.favourable,)
    for level in wanted if rule.bands and "favourable" in rule.model_fields_set else ():
        if str(level) not in rule.bands and not (len(wanted) == 1 and _CUT.match(str(level))):
            hint = suggest_name(str(level), rule.bands) or f"the bands are {', '.join(rule.bands)}"
            yield ("decision", "favourable"), f"'{level}' is no band", hint


def _check_classes(config: Config, rule: DecisionRule) -> Iterator[Finding]:
    """Check favourable values that are no cut: only classes may be named so."""
    if config.model.output.task != "multiclass" or rule.segments:
        yield (
            ("decision", "favourable"),
            "must read like 'score >= 0.5' or 'score < 0.5'",
            "or name the `column` that holds decisions",
        )
        return
    classes = [_level_text(level) for level in config.model.output.classes]
    for level in rule.favourable if isinstance(rule.favourable, tuple) else (rule.favourable,):
        if classes and _level_text(level) not in classes:
            hint = suggest_name(str(level), classes) or f"the classes are {', '.join(classes)}"
            yield ("decision", "favourable"), f"'{level}' is no class of the model", hint


def _level_text(level: Level) -> str:
    """Return the text that 1, '1' and 1.0 share."""
    return str(int(level)) if isinstance(level, float) and level.is_integer() else str(level).removesuffix(".0")


def _check_segments(config: Config, rule: DecisionRule) -> Iterator[Finding]:
    """Check that a segment's column and its conditions are there and point one way."""
    if bool(rule.segment) != bool(rule.segments):
        yield (
            ("decision",),
            "`segment` names the column and `segments` its values: one of them is missing",
            "write decision: {segment: region, segments: {north: score >= 0.6, otherwise: score >= 0.5}}",
        )
    if rule.segments and "favourable" in rule.model_fields_set:
        yield ("decision", "favourable"), "with segments each condition says what is favourable", "leave it out"
    sides = set()
    for name, condition in rule.segments.items():
        match = _CUT.match(condition)
        if not match:
            yield ("decision", "segments", name), f"'{condition}' is no condition", "write score >= 0.6"
            continue
        sides.add(match.group(1)[0])
        if config.model.output.scale != "value" and not 0 <= float(match.group(2)) <= 1:
            yield (
                ("decision", "segments", name),
                f"the score is a probability and never reaches {float(match.group(2)):g}",
                "give the cut between 0 and 1",
            )
    if len(sides) > 1:
        yield (
            ("decision", "segments"),
            "the segments disagree on which side is favourable: some favour high scores and some low ones",
            "write all conditions with >=, or all with <",
        )


def _check_rest(config: Config) -> Iterator[Finding]:
    csv = config.data.csv
    if csv.separator is not None and len(csv.separator) != 1:
        yield ("data", "csv", "separator"), "the separator is one character", 'a tab is "\\t" in double quotes'
    if csv.decimal is not None and csv.decimal not in (".", ","):
        yield ("data", "csv", "decimal"), "the decimal sign is '.' or ','", ""
    if csv.decimal is not None and csv.decimal == csv.separator:
        yield ("data", "csv"), "the decimal sign cannot be the separator", ""
    if config.explain is not None and config.explain.rows and config.data.id is None:
        yield ("explain", "rows"), "rows are named by their id, but no column is declared as id", "add data.id"
    if config.engine != "local" and not _DASK.match(config.engine):
        yield ("engine",), f"there is no engine '{config.engine}'", "leave `engine` out, or write dask://host:8786"
    both = [name for name in config.exclude if name in config.features]
    for name in both:
        yield ("features", name), f"'{name}' is declared as a feature and excluded", "take one of the two out"


def _check_signing(config: Config) -> Iterator[Finding]:
    """Say what is wrong without repeating the value: it may be the secret itself."""
    signing = config.signing
    key = signing.key
    if key is not None and key != "development" and not key.startswith((*SECRET_FORMS, "pkcs11:")):
        yield ("signing", "key"), "a key is named, never written here", "write file:PATH, env:NAME or development"
    if signing.certificate is not None and not signing.certificate.startswith(SECRET_FORMS):
        yield ("signing", "certificate"), "a certificate is named by its place", "write file:PATH or env:NAME"
    if signing.password is not None and not signing.password.get_secret_value().startswith(SECRET_FORMS):
        yield ("signing", "password"), "a password is never written here", "write env:NAME or file:PATH"


CHECKS: tuple[Callable[[Config], Iterator[Finding]], ...] = (
    _check_groups,
    _check_intersections,
    _check_strata,
    _check_model,
    _check_blocks,
    _check_output,
    _check_decision,
    _check_rest,
    _check_signing,
)
"""All checks, each yielding path, mistake and hint."""
