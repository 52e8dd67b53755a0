"""audit.yaml to Config: short forms, places, extends, overrides, and all mistakes at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.config.load import config_from, load_config
from audit.errors import ConfigError


def write(folder: Path, text: str, name: str = "audit.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def lines_of(error: pytest.ExceptionInfo[ConfigError], folder: Path) -> list[str]:
    return str(error.value).replace(f"{folder}/", "").splitlines()


def test_smallest_file_with_a_model(tmp_path):
    for name in ("applicants.csv", "model.ts.pt"):
        (tmp_path / name).touch()
    config = load_config(
        write(
            tmp_path,
            "data: applicants.csv\nlabel: repaid\ngroups: [sex, age]\n"
            "model: {path: model.ts.pt, inputs: [income, debts, age], output: logit}\n",
        )
    )
    assert config.data.audit == str(tmp_path / "applicants.csv")
    assert (config.label.column, config.label.positive) == ("repaid", 1)
    assert [a.column for a in config.groups.attributes.values()] == ["sex", "age"]
    assert config.model.inputs[0].blocks[0].columns == ("income", "debts", "age")
    assert config.model.output.scale == "logit"
    assert config.policies == ("baseline-fairness",)
    assert config.base == tmp_path
    assert config.ledger.path == str(tmp_path / "audit-log")


def test_smallest_file_with_decisions_only(tmp_path):
    for name in ("decisions.csv", "protected.csv"):
        (tmp_path / name).touch()
    config = load_config(
        write(
            tmp_path,
            "data: decisions.csv\n"
            "groups: {file: protected.csv, key: applicant_id, columns: [sex, ethnicity]}\n"
            "decision: {column: outcome, favourable: approved}\n",
        )
    )
    assert config.groups.source.file == str(tmp_path / "protected.csv")
    assert list(config.groups.attributes) == ["sex", "ethnicity"]
    assert (config.decision.column, config.decision.favourable) == ("outcome", "approved")
    assert config.model.format == "none"


def test_stored_scores_take_their_scale_beside_the_column():
    config = config_from({"data": "x.csv", "model": {"scores": "s", "scale": "probability"}})
    assert (config.model.scores, config.model.output.scale) == ("s", "probability")


def test_all_mistakes_at_once_each_at_its_place(tmp_path):
    (tmp_path / "applicants.csv").touch()
    path = write(
        tmp_path,
        "data: applicant.csv\n"
        "lable: repaid\n"
        "groups: {sex: {colum: x}}\n"
        "system: {version: 2.3}\n"
        "effort: fst\n"
        "seed: -3\n"
        "small_group: {count: 0}\n"
        "policies: baseline\n"
        "report: {formats: [html, pddf]}\n"
        "model:\n"
        "  scores: s\n"
        "  output: {scale: logitt}\n",
    )
    with pytest.raises(ConfigError) as error:
        load_config(path)
    assert lines_of(error, tmp_path) == [
        "audit.yaml:1:7: no such file: applicant.csv; did you mean 'applicants.csv'?",
        "audit.yaml:2:1: unknown key 'lable'; did you mean 'label'?",
        "audit.yaml:3:16: unknown key 'colum'; did you mean 'column'?",
        'audit.yaml:4:19: system.version must be a text, not 2.3; write "2.3" in quotes',
        "audit.yaml:5:9: effort must be one of fast, standard, thorough, not 'fst'; did you mean 'fast'?",
        "audit.yaml:6:7: seed must be at least 0, not -3",
        "audit.yaml:7:22: small_group.count must be at least 1, not 0",
        "audit.yaml:8:11: policies must be a list, not 'baseline'; write [baseline]",
        "audit.yaml:9:26: report.formats.1 must be one of html, pdf, markdown, junit, sarif, not 'pddf'; "
        "did you mean 'pdf'?",
        "audit.yaml:12:19: model.output.scale must be one of logit, probability, logits, probabilities, value, "
        "not 'logitt'; did you mean 'logit'?",
    ]


# what stands under `model.inputs:` (indented by 4) -> the one message
INPUT_MISTAKES = {
    "x: [a]\n    y: [{kind: code, columns: [a]}]": "7:9: model.inputs.y.0 has the unknown kind 'code': must be one of "
    "numeric, codes, one_hot; did you mean 'codes'?",
    "x:\n    - columns: [a]\n    - {columns: [b], scael: 1}": "8:22: unknown key 'scael'; did you mean 'scale'?",
    "- columns: [a]\n    - {columns: [b], mean: abc}": "7:28: model.inputs.1.mean must be a list or a number, "
    "not 'abc'",
    "columns: [a]\n    meen: 1": "7:5: unknown key 'meen'; did you mean 'mean'?",
    "- {kind: codes, columns: [a]}": "6:7: the key 'levels' is missing in model.inputs.0",
    "- blocks: [{columns: [a], indicator: perhaps}]": "6:42: model.inputs.0.blocks.0.indicator must be true or false, "
    "not 'perhaps'",
    "- {columns: [a, b], mean: [1]}": "6:31: mean has 1 numbers for 2 columns; give one number, or one per column",
    "x: [a]\n    y: [{columns: [b]}, {columns: [c], scale: 0}]": "7:47: scale cannot be 0: it is divided by",
    "- {kind: codes, columns: [job], levels: {jobb: [a]}}": "6:45: the levels of 'job' are missing; "
    "did you mean 'jobb'?",
}


@pytest.mark.parametrize("inputs", INPUT_MISTAKES)
def test_mistakes_inside_every_form_of_inputs(tmp_path, inputs):
    text = f"data: t.csv\nlabel: y\nmodel:\n  path: m.pt2\n  inputs:\n    {inputs}\n"
    with pytest.raises(ConfigError) as error:
        load_config(write(tmp_path, text), files="none")
    assert lines_of(error, tmp_path)[0] == f"audit.yaml:{INPUT_MISTAKES[inputs]}"


# keys beside `data: t.csv` -> the end of the one mistake
CONTRADICTIONS = {
    "label: y": "1:1: there is nothing to audit: no model, no stored scores, no stored decisions",
    "model: {scores: s}\nintersections: [[sex, rase]]\ngroups: [sex, race]": "3:23: 'rase' is no protected attribute; "
    "did you mean 'race'?",
    "model: {scores: s}\nintersections: [[sex]]\ngroups: [sex]": "3:17: an intersection needs two different attributes",
    "model: {scores: s}\ngroups: {age: {bins: [40, 25]}}": "3:22: the cut points of age must rise: [40.0, 25.0]",
    "model: {scores: s}\ngroups: {e: {population: {A: .7, B: .5}}}": "3:26: the shares of e add up to 1.2, not 1",
    "model: {scores: s}\ngroups: {g: {column: sex}}\nstrata: [grade, sex]": "4:17: 'sex' is behind the protected "
    "attribute g and may not lawfully decide",
    "model: {scores: s}\nlabel: paid\nstrata: [paid]": "4:10: 'paid' is the label, which makes no strata",
    "model: {scores: s}\nstrata: [grade, grade]": "3:17: 'grade' stands twice",
    "model: {scores: s, path: m.pt2, inputs: [a]}": "2:17: both a model file and stored scores are named",
    "model: {path: m.pt2}": "2:8: the model has no `inputs`",
    "model: {inputs: [a]}": "2:8: the model has neither `path` nor `scores`",
    "model: {path: m.pt2, inputs: [a], sha256: abc}": "2:43: is not a SHA-256 digest",
    "model: {scores: s, output: {task: regression}}": "2:28: a regression gives a value, not logit",
    "decision: {column: outcome}": "2:11: which value of 'outcome' is favourable?",
    "decision: {column: outcome, favourable: score >= 0.5}": "2:41: a column of decisions has favourable values",
    "decision: {favourable: score >= 0.5}": "2:11: there is no score to cut",
    "model: {scores: s}\ndecision: {favourable: score >= 5}": "3:24: the score is a probability and never reaches 5",
    "model: {scores: s}\ndecision: {bands: {a: scor > 1}}": "3:23: 'scor > 1' is no condition",
    "model: {scores: s}\nengine: dask://x": "3:9: there is no engine 'dask://x'",
    "model: {scores: s}\nexplain: {rows: [7]}": "3:17: rows are named by their id",
    "model: {scores: s}\nfeatures: {a: {kind: number}}\nexclude: [a]": "3:15: 'a' is declared as a "
    "feature and excluded",
    "model: {scores: s}\nsigning: {key: hunter2}": "3:16: a key is named, never written here",
    "model: {scores: s}\nsigning: {password: hunter2}": "3:21: a password is never written here",
    "model: {scores: s}\nbase: /": "3:1: unknown key 'base'",
    "model: {scores: s}\nschema: audit/9": "3:9: schema must be one of audit/1, not 'audit/9'",
}


@pytest.mark.parametrize("keys", CONTRADICTIONS)
def test_contradictions_are_found_at_their_place(tmp_path, keys):
    with pytest.raises(ConfigError) as error:
        load_config(write(tmp_path, f"data: t.csv\n{keys}\n"), files="none")
    (line,) = lines_of(error, tmp_path)
    assert line.startswith(f"audit.yaml:{CONTRADICTIONS[keys]}")


@pytest.mark.parametrize("block", ["key: [hunter2]", "password: [hunter2]", "password: hunter2", "key: hunter2"])
def test_no_message_repeats_a_secret(tmp_path, block):
    with pytest.raises(ConfigError) as error:
        load_config(write(tmp_path, f"data: t.csv\nmodel: {{scores: s}}\nsigning: {{{block}}}\n"), files="none")
    assert "hunter2" not in str(error.value)


def test_a_password_is_not_shown():
    config = config_from({"data": "t.csv", "model": {"scores": "s"}, "signing": {"password": "env:HUNTER2"}})
    assert "HUNTER2" not in repr(config)
    assert config.signing.password.get_secret_value() == "env:HUNTER2"


def test_extends_merges_and_keeps_each_files_folder_and_places(tmp_path):
    (tmp_path / "below").mkdir()
    write(
        tmp_path / "below",
        "data: {audit: a.csv, id: nr}\ngroups: [sex]\nmodel: {path: m.pt2, inputs: [x], output: logit}\n"
        "policies: [own.yaml]\n",
        "base.yaml",
    )
    path = write(
        tmp_path, "extends: below/base.yaml\ndata: {audit: b.csv}\ngroups: {age: {bins: [25]}}\nmodel: {path: n.pt2}\n"
    )
    config = load_config(path, files="none")
    assert config.data.audit == str(tmp_path / "b.csv")
    assert config.data.id == "nr"
    assert config.model.path == str(tmp_path / "n.pt2")
    assert config.model.inputs[0].blocks[0].columns == ("x",)
    assert config.policies == (str(tmp_path / "below" / "own.yaml"),)
    assert list(config.groups.attributes) == ["sex", "age"]
    with pytest.raises(ConfigError) as error:
        load_config(path)
    assert [line.split(": no such")[0] for line in lines_of(error, tmp_path)] == [
        "audit.yaml:2:15",
        "audit.yaml:4:15",
        "below/base.yaml:4:12",
    ]


def test_extends_goes_one_level(tmp_path):
    write(tmp_path, "extends: c.yaml\ndata: t.csv\n", "b.yaml")
    with pytest.raises(ConfigError, match=r"b\.yaml:1:10: a file that is extended cannot extend another"):
        load_config(write(tmp_path, "extends: b.yaml\n"))
    with pytest.raises(ConfigError, match=r"audit\.yaml:1:10: no such file"):
        load_config(write(tmp_path, "extends: missing.yaml\n"))


def test_overrides_reach_into_short_forms(tmp_path, monkeypatch):
    path = write(
        tmp_path, "data: t.csv\nlabel: y\ngroups: [sex]\nmodel: {scores: s, output: logit}\npolicies: [a, b]\n"
    )
    monkeypatch.chdir(tmp_path / "..")
    overrides = [
        "data.id=nr",
        "data.audit=*.parquet",
        "label.positive=good",
        "groups.sex.reference=F",
        "model.output.task=binary",
        "policies.1=own.yaml",
        "seed=7",
        "system.version='2.0'",
        "exclude=[a, b]",
    ]
    config = load_config(path, overrides=overrides, files="none")
    assert config.data.audit == str(tmp_path.parent / "*.parquet")
    assert config.data.id == "nr"
    assert config.label.positive == "good"
    assert config.groups.attributes["sex"].reference == "F"
    assert config.model.output.scale == "logit"
    assert config.policies == ("a", str(tmp_path.parent / "own.yaml"))
    assert (config.seed, config.system.version, config.exclude) == (7, "2.0", ("a", "b"))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("sed=1", "--set sed: unknown key 'sed'; did you mean 'seed'?"),
        ("seed=x", "--set seed: seed must be a whole number, not 'x'"),
        ("data.audit=nope.csv", "--set data.audit: no such file: "),
        ("seed", "--set: cannot be read: 'seed'"),
        ("=1", "--set: cannot be read: '=1'"),
        ("groups={a: {colum: b}}", "--set groups: unknown key 'colum'; did you mean 'column'?"),
    ],
)
def test_mistakes_in_overrides_name_the_flag(tmp_path, override, message):
    (tmp_path / "t.csv").touch()
    path = write(tmp_path, "data: t.csv\nmodel: {scores: s}\n")
    with pytest.raises(ConfigError) as error:
        load_config(path, overrides=[override])
    assert str(error.value).startswith(message)


def test_keyword_form_names_the_argument():
    with pytest.raises(ConfigError) as error:
        config_from({"data": "t.csv", "lable": "y", "model": {"scores": "s", "output": {"scale": 3}}})
    assert str(error.value).splitlines() == [
        "argument lable: unknown key 'lable'; did you mean 'label'?",
        "argument model.output.scale: model.output.scale must be one of logit, probability, logits, probabilities, "
        "value, not 3",
    ]


def test_keyword_form_takes_paths_and_tuples(tmp_path):
    config = config_from({"data": tmp_path / "t.csv", "groups": ("sex",), "model": {"scores": "s"}}, base=tmp_path)
    assert config.data.audit == str(tmp_path / "t.csv")
    assert list(config.groups.attributes) == ["sex"]
    assert config_from({"data": "<object>", "model": {"format": "python"}}).data.audit == "<object>"


@pytest.mark.parametrize("half", ["all", "examine", "attest", "none"])
def test_each_half_asks_for_its_own_files(tmp_path, half):
    path = write(
        tmp_path,
        "data: {audit: t.csv, model_train: none of these}\ndocuments: d.yaml\nmodel: {path: m.pt2, inputs: [a]}\n"
        "policies: [baseline-fairness, ./own.yaml]\nsigning: {key: file:k.pem, certificate: env:CERT}\n"
        "compare: {previous: last}\n",
    )
    expected = {
        "examine": {"t.csv", "m.pt2"},
        "attest": {"d.yaml", "own.yaml", "k.pem"},
        "none": set(),
        "all": {"t.csv", "m.pt2", "d.yaml", "own.yaml", "k.pem"},
    }[half]
    try:
        load_config(path, files=half)
        missing = set()
    except ConfigError as error:
        missing = {Path(mistake.what.removeprefix("no such file: ")).name for mistake in error.mistakes}
    assert missing == expected


def test_globs_and_folders_are_rows(tmp_path):
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "a.parquet").touch()
    for rows in ("rows", "rows/*.parquet"):
        assert load_config(write(tmp_path, f"data: {rows}\nmodel: {{scores: s}}\n")).data.audit == str(tmp_path / rows)
    with pytest.raises(ConfigError, match="no such file"):
        load_config(write(tmp_path, "data: rows/*.csv\nmodel: {scores: s}\n"))


@pytest.mark.parametrize("text", ["", "- a\n", "just text\n", "data:\n", "{}\n"])
def test_a_file_that_is_no_configuration(tmp_path, text):
    with pytest.raises(ConfigError):
        load_config(write(tmp_path, text))


NAMES = st.text("abcdefghij_", min_size=1, max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    [
        "data",
        "label",
        "groups",
        "model",
        "decision",
        "intersections",
        "small_group",
        "features",
        "report",
        "signing",
        "policies",
        "extends",
        "schema",
        "compare",
        "ledger",
        "system",
        "claims",
        "explain",
        "base",
    ]
)


def mistakes_in(mapping):
    try:
        config_from(mapping)
    except ConfigError as error:
        return error.mistakes
    return ()


RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@RELAXED
@given(st.dictionaries(KEYS | NAMES, VALUES, max_size=6))
def test_whatever_is_written_is_a_config_or_a_config_error(mapping):
    assert all(mistake.what and mistake.place for mistake in mistakes_in(mapping))


INPUTS = st.recursive(
    st.sampled_from(["a", "numeric", "codes", 1, None]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["kind", "columns", "levels", "mean", "blocks", "name", "x"]), inner, max_size=4
        )
    ),
    max_leaves=10,
)


@RELAXED
@given(INPUTS)
def test_whatever_is_written_under_inputs_is_placed(inputs):
    mistakes = mistakes_in({"data": "t.csv", "model": {"path": "m.pt2", "inputs": inputs}})
    assert all(mistake.place.startswith("argument model") for mistake in mistakes)
