"""A first audit.yaml and documents.yaml for a table that nobody has described yet.

Comes in: a table, and a model file where there is one. Goes out: text. Every line that was inferred from names or from
the first rows carries the mark ``# guess``, because a wrong label or a missed group is worse than none.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from audit.errors import ConfigError, DataError, suggest_name
from audit.yamlfile import parse_yaml

if TYPE_CHECKING:
    import pyarrow as pa

HEAD_ROWS = 5_000
HEAD_BYTES = 4_000_000
MAX_LEVELS = 30

_LABELS = ("label", "target", "y", "repaid", "default", "defaulted", "churn", "fraud", "outcome", "income")
_DECISIONS = ("decision", "approved", "granted", "hired", "selected", "accepted")
_SCORES = ("score", "probability", "prediction", "pred", "proba")
_PROTECTED = (
    "sex",
    "gender",
    "race",
    "ethnic",
    "ethnicity",
    "age",
    "religion",
    "disability",
    "nationality",
    "origin",
    "orientation",
    "pregnan",
    "veteran",
)
_NAMES_FOR_RULES = {"race": "race_ethnicity", "ethnicity": "race_ethnicity", "gender": "sex"}
_ZEROS = re.compile(r"0\d")
"""A number that begins with a zero is a code: 01067 is a postcode."""
_FAVOURABLE = ("approved", "granted", "accepted", "selected", "hired", "yes", "true", "1", "pass", "low")


@dataclass(frozen=True, slots=True)
class ColumnGuess:
    """What the first rows say about a column.

    Parameters
    ----------
    name : str
        Its name.
    kind : str
        ``number``, ``category`` or ``boolean``; ``date`` for what is described but never a feature.
    levels : tuple of str
        Distinct values, sorted, where there are at most `MAX_LEVELS`.
    unique : bool
        True where no value stands twice and none is missing.
    """

    name: str
    kind: str
    levels: tuple[str, ...]
    unique: bool

    @property
    def binary(self) -> bool:
        """True for two distinct values."""
        return len(self.levels) == 2


def write_first_config(
    table: Path | str,
    model: Path | str | None = None,
    folder: Path | str | None = None,
    policies: Sequence[str] = ("baseline-fairness",),
) -> str:
    """Return the text of a first audit.yaml.

    Parameters
    ----------
    table : Path or str
        CSV, Parquet or Arrow; a file, a folder or a glob. Only its first rows are read.
    model : Path or str, optional
        Model file.
    folder : Path or str, optional
        Folder that the text will be saved in; paths are written relative to it. As given where left out.
    policies : sequence of str, optional
        Packs, by name or file, that the audit is to be judged by.

    Returns
    -------
    str
        YAML that loads; what was guessed is marked.

    Raises
    ------
    ConfigError
        No such table, or no such model.
    DataError
        Not a table.
    """
    if model and not Path(model).is_file():
        raise ConfigError(f"no such file: {model}", place="--model", hint=_near(Path(model)))
    columns = guess_columns(Path(table))
    names = [column.name for column in columns]
    decision = None if model else _pick(columns, _DECISIONS, lambda column: len(column.levels) >= 2)
    label = _pick(columns, _LABELS, lambda column: column.binary, decision)
    score = None if model or decision else _pick(columns, _SCORES, lambda column: column.kind == "number")
    groups = [column for column in columns if _is_protected(column.name) and column not in (label, decision)]
    identity = next((column for column in columns if column.unique and _words(column.name) & {"id", "key", "nr"}), None)
    identity = identity or next((column for column in columns if column.unique and column.kind == "category"), None)
    taken = {column.name for column in (*groups, label, decision, score, identity) if column is not None}
    free = [column for column in columns if column.name not in taken and column.kind != "date"]
    names_of_rows = [column for column in free if column.unique and column.kind == "category"]
    features = [column for column in free if column not in names_of_rows]
    lines = [
        "# A first audit.yaml. Lines marked `# guess` were inferred from names and first rows: read each of them.",
        "schema: audit/1",
        f"title: Audit of {_yaml(Path(table).stem.replace('_', ' '))}",
        f"system: {{name: {_system_name(table)}}}",
        "documents: documents.yaml",
        *_data_lines(_relative(table, folder), identity),
        *_label_lines(label),
        *_group_lines(groups),
        *_model_lines(_relative(model, folder) if model else None, features, score),
        *_decision_lines(decision, model, score),
        *_feature_lines(features),
        *([f"exclude: {_flow(c.name for c in names_of_rows)}   # guess: a name in every row"] if names_of_rows else []),
        f"policies: {_flow(_policy(name, folder) for name in policies)}",
        "",
        f"# columns of the table: {_flow(names)[1:-1]}",
    ]
    return "\n".join(lines) + "\n"


def guess_columns(table: Path) -> tuple[ColumnGuess, ...]:
    """Return what the first rows of a table say about its columns.

    Parameters
    ----------
    table : Path
        CSV, Parquet or Arrow; a file, a folder or a glob.

    Raises
    ------
    ConfigError
        No such file.
    DataError
        Not a table, or one without rows.
    """
    import pyarrow as pa

    try:
        head = _read_head(_first_file(table))
    except (pa.ArrowInvalid, OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot be read as a table: {str(error).splitlines()[0]}", place=str(table)) from None
    if not head.num_rows:
        raise DataError("the table has no rows", place=str(table))
    return tuple(_guess(str(name), head.column(index)) for index, name in enumerate(head.column_names))


def _first_file(table: Path) -> Path:
    """Return the file whose first rows speak for a table."""
    if table.is_file():
        return table
    if table.is_dir():
        inside = sorted(path for path in table.iterdir() if path.is_file() and path.name[0] not in "._")
        if not inside:
            raise ConfigError("holds no file", place=str(table))
        return inside[0]
    matching = sorted(table.parent.glob(table.name)) if table.parent.is_dir() and table.name else []
    if not matching:
        raise ConfigError(f"no such file: {table}", place="TABLE", hint=_near(table))
    return matching[0]


def _near(file: Path) -> str:
    names = [path.name for path in file.parent.iterdir()] if file.parent.is_dir() else []
    return suggest_name(file.name, names)


def _read_head(table: Path) -> pa.Table:
    import pyarrow as pa
    from pyarrow import csv, parquet

    if table.suffix.lower() in (".parquet", ".pq"):
        file = parquet.ParquetFile(table)
        batch = next(file.iter_batches(HEAD_ROWS), None)
        return file.schema_arrow.empty_table() if batch is None else pa.Table.from_batches([batch])
    if table.suffix.lower() in (".arrow", ".feather"):
        with pa.memory_map(str(table)) as source:
            return pa.ipc.open_file(source).read_all().slice(0, HEAD_ROWS)
    with table.open("rb") as file:
        text = file.read(HEAD_BYTES)
    text = text if len(text) < HEAD_BYTES else text[: text.rfind(b"\n") + 1]
    first = text.split(b"\n", 1)[0].decode("utf-8", "replace")
    separator = max(",;\t|", key=first.count)
    encoding = "utf8" if _is_utf8(text) else "cp1252"

    def read(codes: Sequence[str]) -> pa.Table:
        options = csv.ConvertOptions(
            strings_can_be_null=True,
            decimal_point="," if separator == ";" else ".",
            column_types=dict.fromkeys(codes, pa.string()),
        )
        parsing = csv.ParseOptions(delimiter=separator)
        return csv.read_csv(pa.BufferReader(text), csv.ReadOptions(encoding=encoding), parsing, options)

    head = read(())
    whole = [field.name for field in head.schema if pa.types.is_integer(field.type)]
    as_text = read(whole)
    codes = [name for name in whole if any(_ZEROS.match(value or "") for value in as_text[name].to_pylist())]
    return (read(codes) if codes else head).slice(0, HEAD_ROWS)


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        # a head cut in the middle of a sign is still UTF-8
        return error.start > len(text) - 4
    return True


def _guess(name: str, column: pa.ChunkedArray) -> ColumnGuess:
    from pyarrow import types

    values = column.unique().to_pylist()
    known = sorted(str(value) for value in values if value is not None)
    kind = "category"
    if types.is_boolean(column.type):
        kind = "boolean"
    elif types.is_temporal(column.type):
        kind = "date"
    elif types.is_integer(column.type) or types.is_floating(column.type) or types.is_decimal(column.type):
        kind = "number"
    levels = tuple(known) if len(known) <= MAX_LEVELS else ()
    return ColumnGuess(name, kind, levels, unique=len(known) == len(column) and not column.null_count)


def _words(name: str) -> set[str]:
    return set(re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()))


def _is_protected(name: str) -> bool:
    return any(
        word == wanted or (len(wanted) > 3 and word.startswith(wanted))
        for word in _words(name)
        for wanted in _PROTECTED
    )


def _pick(
    columns: Iterable[ColumnGuess],
    names: Sequence[str],
    fits: Callable[[ColumnGuess], bool],
    *not_these: ColumnGuess | None,
) -> ColumnGuess | None:
    """Return the fitting column whose name stands first among `names`."""
    candidates = [column for column in columns if fits(column) and column not in not_these]
    for name in names:
        for column in candidates:
            if name in _words(column.name):
                return column
    return None


def _yaml(value: str) -> str:
    """Write a text so that YAML reads the same text back, also inside brackets."""
    plain = re.fullmatch(r"[A-Za-z0-9_./][A-Za-z0-9_ .%/+-]*", value) is not None and value == value.strip()
    return value if plain and parse_yaml(value).value == value else f'"{"".join(map(_escape, value))}"'


def _escape(sign: str) -> str:
    """Write one sign as it may stand between double quotes, see YAML 1.2.2, section 5.7."""
    if sign in '"\\':
        return f"\\{sign}"
    return sign if sign.isprintable() else f"\\U{ord(sign):08x}"


def _flow(values: Iterable[str]) -> str:
    return f"[{', '.join(_yaml(value) for value in values)}]"


def _level(column: ColumnGuess, value: str) -> str:
    """Write a level with the type that the table gives it."""
    return value.lower() if column.kind == "boolean" else value if column.kind == "number" else _yaml(value)


def _relative(file: Path | str, folder: Path | str | None) -> str:
    if folder is None:
        return str(file)
    return Path(os.path.relpath(Path(file).resolve(), Path(folder).resolve())).as_posix()


def _policy(name: str, folder: Path | str | None) -> str:
    return _relative(name, folder) if name.endswith((".yaml", ".yml")) else name


def _system_name(table: Path | str) -> str:
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(table).stem).strip("-._")[:80]
    return _yaml(name or "my-system")


def _data_lines(table: str, identity: ColumnGuess | None) -> list[str]:
    lines = [
        "data:",
        f"  audit: {_yaml(table)}",
        "  model_train: unknown   # the rows the model was trained on: a file, or none of these",
    ]
    return [*lines, f"  id: {_yaml(identity.name)}   # guess"] if identity else lines


def _label_lines(label: ColumnGuess | None) -> list[str]:
    if label is None:
        return ["# label: {column: ..., positive: 1}   # what the score predicts; without it there is no performance"]
    positive = next((value for value in label.levels if value.lower() in ("1", "1.0", "true", "yes")), label.levels[-1])
    return [f"label: {{column: {_yaml(label.name)}, positive: {_level(label, positive)}}}   # guess"]


def _group_lines(groups: Sequence[ColumnGuess]) -> list[str]:
    if not groups:
        return ["# groups: [sex, age]   # protected attributes; without them fairness cannot be examined"]
    lines = ["groups:   # guess"]
    for column in groups:
        stands_for = next((rule for word, rule in _NAMES_FOR_RULES.items() if word in _words(column.name)), None)
        inner = [f"column: {_yaml(column.name)}"]
        inner += ["bins: [25, 40, 60]"] if column.kind == "number" and "age" in _words(column.name) else []
        inner += [f"stands_for: {stands_for}"] if stands_for else []
        lines.append(f"  {_yaml(column.name)}: {{{', '.join(inner)}}}   # guess")
    return lines


def _model_lines(model: str | None, features: Sequence[ColumnGuess], score: ColumnGuess | None) -> list[str]:
    if model is None:
        return [f"model: {{scores: {_yaml(score.name)}, scale: probability}}   # guess"] if score else []
    lines = ["model:", f"  path: {_yaml(model)}", "  inputs:   # guess: the columns in the model's own order"]
    numbers = [column.name for column in features if column.kind != "category"]
    if numbers:
        lines.append(
            f"  - {{kind: numeric, columns: {_flow(numbers)}}}   # guess; add mean, scale, missing as in training"
        )
    for column in features:
        if column.kind == "category" and column.levels:
            name = _yaml(column.name)
            levels = _flow(column.levels)
            lines.append(f"  - {{kind: one_hot, columns: [{name}], levels: {{{name}: {levels}}}}}   # guess")
    lines += [] if len(lines) > 3 else ["  - {columns: [income]}   # guess: no column looked like a feature"]
    return [*lines, "  output: logit   # guess: logit, probability, logits, probabilities or value"]


def _decision_lines(decision: ColumnGuess | None, model: Path | str | None, score: ColumnGuess | None) -> list[str]:
    if decision is not None:
        good = next((value for value in decision.levels if value.lower() in _FAVOURABLE), decision.levels[-1])
        value = _level(decision, good)
        return [
            f"decision: {{column: {_yaml(decision.name)}, favourable: {value}}}   # guess: what is good for the person"
        ]
    if model is not None or score is not None:
        return ["decision: {favourable: score >= 0.5}   # guess; score < 0.5 where a high score is bad for the person"]
    return ["decision: {column: decision, favourable: approved}   # guess: no column looked like one; or add a `model`"]


def _feature_lines(features: Sequence[ColumnGuess]) -> list[str]:
    lines = [f"  {_yaml(column.name)}: {{kind: {column.kind}}}   # guess" for column in features]
    return ["features:", *lines] if lines else []
