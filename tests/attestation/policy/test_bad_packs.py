"""Every way in which a set of policies can be wrong: refused, with its place and what to do."""

import re
import time

import pytest

from audit.attestation.policy.select import load_packs, read_packs
from audit.attestation.policy.version import refuse_version, split_version
from audit.config.load import config_from, load_config
from audit.errors import PolicyError

RULE = (
    "  - {{id: {id}, title: A rule under test, severity: high, measure: fairness.selection_rate_ratio, for_each: sex, "
    "must_be: {must}, judged_on: estimate, threshold_basis: {basis}}}\n"
)
PLAIN = RULE.format(id="r", must="at least 0.8", basis="organisation")
UNSIGNED = PLAIN.replace(", threshold_basis: organisation", "")
LAWFUL = RULE.format(id="r", must="at least 0.8", basis="regulation")


@pytest.fixture
def refused(write_pack):
    """Return a function from files (name to text) to the mistakes of reading the last one."""

    def run(files):
        paths = [write_pack(text, name) for name, text in files.items()]
        with pytest.raises(PolicyError) as caught:
            read_packs([str(paths[-1])])
        return paths[-1].parent, caught.value

    return run


def named(head, name):
    return head.replace("pack: own", f"pack: {name}")


@pytest.mark.parametrize(
    ("own", "what", "hint", "line"),
    [
        ("uses: [{pack: own.yaml}]", "own.yaml uses own.yaml", "take this line out", 6),
        ("uses: [{pack: base.yaml}, {pack: base.yaml}]", "is named twice", "name it once", 6),
        ("uses: [{pack: nothing.yaml}]", "no such policy file", "", 6),
        ("uses: [{pack: bas.yaml}]", "no such policy file", "did you mean 'base.yaml'?", 6),
        ("uses: [{pack: baseline-fairnes}]", "unknown policy pack", "did you mean 'baseline-fairness'?", 6),
        ("uses: [{pack: baseline-fairness@>=2099}]", "not >=2099", "read what changed", 6),
        ("uses: [{pack: 'baseline-fairness@>=2026.1,<2026.5'}]", "not <2026.5", "", 6),
        ("uses: [{pack: baseline-fairness@=>2026}]", "no range of versions", "name@>=2026.11", 6),
        ("uses: [{pack: base.yaml, with: {floor: 0.8}}]", "no parameter 'floor'", "did you mean", 6),
        ("uses: [{pack: base.yaml, with: {floors: 2}}]", "floors = 2 lies outside its bounds", "between 0.5 and 1", 6),
        ("uses: [{pack: base.yaml, with: {fixed: 0.7}}]", "a number of the regulation", "a rule of your own", 6),
        ("uses: [{pack: base.yaml, only: [q]}]", "has no rule 'q'", "", 6),
        ("uses: [{pack: twin.yaml}]", "two packs are called 'own'", "another name", 6),
        ("uses: [{pack: base.yaml}]\noverride: [{rule: base/s, severity: low}]", "no rule 'base/s' is in force", "", 7),
        ("uses: [{pack: base.yaml}]\noverride: [{rule: base/r}]", "changes nothing", "", 7),
        (
            "uses: [{pack: base.yaml}]\noverride: [{rule: base/r, severity: low}]",
            "a milder severity than high needs a reason",
            "",
            7,
        ),
        ("uses: [{pack: base.yaml}]\noverride: [{rule: base/r, tighten: at least 0.7}]", "allows more than", "", 7),
        ("uses: [{pack: base.yaml}]\noverride: [{rule: base/r, tighten: reported}]", "is no range of numbers", "", 7),
        ("uses: [{pack: base.yaml}]\noverride: [{rule: base/r, loosen: at least 0.7}]", "needs a reason", "", 7),
        (
            "uses: [{pack: base.yaml}]\noverride: [{rule: base/r, loosen: at least 0.9, reason: because we can}]",
            "does not allow all",
            "",
            7,
        ),
        (
            "uses: [{pack: base.yaml}]\noverride: [{rule: base/law, loosen: at least 0.7, reason: because we can}]",
            "a number of the regulation, which cannot be loosened",
            "",
            7,
        ),
        (
            "uses: [{pack: base.yaml}]\noverride: [{rule: base/r, tighten: at least 0.9, loosen: at least 0.7}]",
            "exclude each other",
            "",
            7,
        ),
        ("uses: [{pack: base.yaml}]\ndisable: [{rule: base/r, approved_by: A. Head}]", "'reason' is missing", "", 7),
        ("uses: [{pack: base.yaml}]\ndisable: [{rule: base/r, reason: not for us, yes}]", "", "", 7),
        (f"rules:\n{PLAIN}{PLAIN}", "the rule 'r' stands twice", "another id", 8),
        (f"rules:\n{UNSIGNED}", "without threshold_basis", "who set it", 7),
        ("parameters: {p: {title: t, default: 1, basis: organisation}}", "'minimum' is missing", "", 6),
        (f"rules:\n{PLAIN.replace('at least', 'at most')}", "points the wrong way", "at least X", 7),
        (f"rules:\n{PLAIN.replace('0.8', '80')}", "never is", "", 7),
        ("\trules: []", "not YAML", "indent with spaces, not tabs", 6),
        ("a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
            f"{c}: &{c} [{', '.join(f'*{b}' for _ in range(9))}]\n" for b, c in zip("abcdefg", "bcdefgh", strict=True)
        ), "more than 200,000 values", "write the values out", None),
        ("a: &a [*a]", "contains itself", "", 6),
        ("rules: " + "[" * 60_000, "not YAML", "", None),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, str) else "",
)  # fmt: skip
def test_mistake_with_its_place_and_its_cure(refused, head, own, what, hint, line):
    base = (
        named(head, "base")
        + "parameters:\n  floors: {title: t, default: 0.8, minimum: 0.5, maximum: 1, basis: organisation}\n"
        "  fixed: {title: t, default: 0.8, minimum: 0.5, maximum: 1, basis: regulation}\n"
        f"rules:\n{PLAIN}{LAWFUL.replace('id: r', 'id: law')}"
        + RULE.format(id="a", must="at least $floors", basis="organisation")
        + RULE.format(id="b", must="at least $fixed", basis="regulation")
    )
    begun = time.process_time()
    folder, error = refused({"base.yaml": base, "twin.yaml": f"{head}rules:\n{PLAIN}", "own.yaml": head + own + "\n"})
    assert time.process_time() - begun < 5
    assert error.exit_code == 2
    found = [m for m in error.mistakes if what in m.what and hint in m.hint]
    assert found, [str(m) for m in error.mistakes]
    if line is not None:
        assert any(re.match(rf"{re.escape(str(folder))}/own\.yaml:{line}:\d+$", m.place) for m in found), found


def test_a_ring_of_packs_is_told_once_and_whole(refused, head):
    files = {f"{a}.yaml": named(head, a) + f"uses: [{{pack: {b}.yaml}}]\n" for a, b in ("ab", "bc", "ca")}
    _, error = refused(files)
    (mistake,) = error.mistakes
    assert mistake.what == "a pack cannot take itself in: c.yaml uses a.yaml uses b.yaml uses c.yaml"
    assert mistake.place.endswith("b.yaml:6:15")


def test_a_huge_file_and_one_that_is_not_utf_8(tmp_path):
    huge, latin = tmp_path / "huge.yaml", tmp_path / "latin.yaml"
    huge.write_bytes(b"# " + b"x" * 10_000_000)
    latin.write_bytes(b"schema: policy/1\ntitle: Pr\xfcfung\n")
    with pytest.raises(PolicyError) as caught:
        read_packs([str(huge), str(latin)])
    first, second = caught.value.mistakes
    assert "too large" in first.what
    assert second.what == "is not UTF-8"
    assert second.place.endswith("latin.yaml:2:1")


def test_mistakes_of_all_packs_come_at_once(refused, head):
    _, error = refused(
        {
            "base.yaml": named(head, "base") + f"rules:\n{PLAIN.replace('sex', 'sex, judge_on: x')}",
            "own.yaml": head + f"uses: [{{pack: base.yaml}}]\nrules:\n{PLAIN.replace('selection_rate_ratio', 'x')}",
        }
    )
    assert [m.place.rsplit("/", 1)[1].partition(":")[0] for m in error.mistakes] == ["own.yaml", "base.yaml"]


def configured(tmp_path, text):
    (tmp_path / "rows.csv").write_text("id,sex,s\n1,F,0.4\n")
    path = tmp_path / "audit.yaml"
    path.write_text(f"data: rows.csv\nmodel: {{scores: s, scale: probability}}\n{text}")
    return path


def test_a_pack_named_in_a_configuration_has_its_line_there(tmp_path):
    path = configured(tmp_path, "policies:\n  - baseline-fairness\n  - nyc-l144\n  - baseline-fairness@<2020\n")
    with pytest.raises(PolicyError) as caught:
        load_packs(load_config(path))
    found = {m.place: (m.what, m.hint) for m in caught.value.mistakes}
    assert found[f"{path}:5:5"] == ("unknown policy pack 'nyc-l144'", "did you mean 'nyc-ll144'?")
    assert "not <2020" in found[f"{path}:6:5"][0] or "twice" in found[f"{path}:6:5"][0]


def test_without_a_file_the_place_is_the_key(tmp_path):
    path = configured(tmp_path, "")
    order = config_from({"data": str(path), "model": {"scores": "s", "scale": "probability"}, "policies": ["nyc-l144"]})
    with pytest.raises(PolicyError, match="policies"):
        load_packs(order)


def test_a_configuration_is_the_same_wherever_it_is_written(tmp_path):
    path = configured(tmp_path, "policies: [baseline-fairness]\n")
    first = load_config(path)
    path.write_text("# moved by a line\n" + path.read_text())
    second = load_config(path)
    assert first == second
    assert first.place_of("policies", 0) != second.place_of("policies", 0)
    assert first.model_copy().place_of("policies", 0) == first.place_of("policies", 0)


@pytest.mark.parametrize(
    ("written", "have", "fits"),
    [
        ("p", "1.0", True),
        ("p@1.2", "1.2.7", True),
        ("p@==1.2", "1.3", False),
        ("p@>=1.2", "1.2", True),
        ("p@>=1.2.1", "1.2", False),
        ("p@>1.2", "1.2.0", False),
        ("p@<=1.2", "1.2.0", True),
        ("p@>=2026.11,<2027", "2026.12.3", True),
        ("p@>=2026.11, <2027", "2027.0.0", False),
        ("p@<10", "9.9", True),
        ("p@~1", "1.0", False),
        ("p@", "1.0", True),
    ],
)
def test_versions(written, have, fits):
    name, wanted = split_version(written)
    assert name == "p"
    assert (refuse_version(name, have, wanted) is None) is fits


def test_an_at_sign_in_a_file_name_is_no_version():
    assert split_version("a@b/own.yaml") == ("a@b/own.yaml", "")
