"""Two sets of rules side by side: what became stricter, looser, other, and what is words alone."""

import json

import pytest

from audit.attestation.policy.diff import demands_the_same, list_moves
from audit.attestation.policy.resolved import digest_resolved, resolve_rules
from audit.attestation.policy.select import list_shipped, read_packs
from audit.cli import policy

RULE = (
    "  - {id: r, title: A rule under test, severity: high, measure: fairness.selection_rate_ratio, for_each: sex, "
    "must_be: at least 0.8, judged_on: interval, threshold_basis: organisation}\n"
)


def moved(write_pack, old, new):
    before, after = (
        resolve_rules(read_packs([str(write_pack(text, name))])) for text, name in ((old, "a.yaml"), (new, "b.yaml"))
    )
    return list_moves(before, after)


@pytest.mark.parametrize(
    ("change", "what", "before", "after", "reading"),
    [
        (("at least 0.8", "at least 0.9"), "limit", "at least 0.8", "at least 0.9", "stricter"),
        (("at least 0.8", "at least 0.7"), "limit", "at least 0.8", "at least 0.7", "looser"),
        (("at least 0.8", "above 0.8"), "limit", "at least 0.8", "above 0.8", "stricter"),
        (("at least 0.8", "between 0.7 and 1"), "limit", "at least 0.8", "between 0.7 and 1", "other"),
        (("at least 0.8", "reported"), "limit", "at least 0.8", "reported", "looser"),
        (("severity: high", "severity: critical"), "severity", "high", "critical", "stricter"),
        (("severity: high", "severity: info"), "severity", "high", "info", "looser"),
        (("for_each: sex", "for_each: age"), "for_each", "sex", "age", "other"),
        (("judged_on: interval", "judged_on: proven"), "judged_on", "interval", "proven", "stricter"),
        (("judged_on: interval", "judged_on: estimate"), "judged_on", "interval", "estimate", "other"),
        (("for_each: sex", "for_each: sex, waivable: false"), "waivable", "nothing", "false", "stricter"),
        (("organisation}", "guidance}"), "threshold_basis", "organisation", "guidance", "wording"),
        (("A rule under test", "Another sentence"), "title", "A rule under test", "Another sentence", "wording"),
    ],
)
def test_every_change_of_a_rule_has_its_reading(write_pack, change, what, before, after, reading):
    new = RULE.replace(*change).replace(
        "judged_on: interval, ", "" if "reported" in change[1] else "judged_on: interval, "
    )
    found = {move.what: move for move in moved(write_pack, f"rules:\n{RULE}", f"rules:\n{new}")}
    assert (found[what].before, found[what].after, found[what].reading) == (before, after, reading)
    assert str(found[what]) == f"own/r: {what}: {before} -> {after} ({reading})"


@pytest.mark.parametrize(
    "change", [("at least 0.8", "at least 80%"), ("at least 0.8", "at  least  0.80"), ("rules:", "# new\nrules:")]
)
def test_another_way_to_write_the_same_is_no_change(write_pack, change):
    text = f"rules:\n{RULE}"
    assert text.replace(*change) != text
    assert moved(write_pack, text, text.replace(*change)) == ()


def test_rules_come_and_go(write_pack):
    two = f"rules:\n{RULE}{RULE.replace('id: r', 'id: s')}"
    (gone,) = moved(write_pack, two, f"rules:\n{RULE}")
    assert (gone.about, gone.what, gone.after, gone.reading) == ("own/s", "rule", "nothing", "looser")
    (new,) = moved(write_pack, f"rules:\n{RULE}", two)
    assert (new.about, new.before, new.reading) == ("own/s", "nothing", "stricter")


def test_a_parameter_moves_the_limits_that_use_it(write_pack):
    text = (
        "parameters:\n  p: {title: t, default: 0.8, minimum: 0.5, maximum: 1, basis: organisation}\n"
        f"rules:\n{RULE.replace('at least 0.8', 'at least $p')}"
    )
    found = {move.about: move for move in moved(write_pack, text, text.replace("default: 0.8", "default: 85%"))}
    assert (found["own.$p"].before, found["own.$p"].after) == ("0.8", "0.85")
    assert found["own/r"].reading == "stricter"


def test_words_and_law_leave_the_digest_alone_and_demands_do_not(write_pack, head):
    def digest(text):
        return digest_resolved(resolve_rules(read_packs([str(write_pack(text))])))

    text = f"{head}rules:\n{RULE}"
    first = digest(text)
    for old, new in (
        ("A rule under test", "Another sentence"),
        ("2027-11-01", "2028-11-01"),
        ("version: 1.0.0", "version: 1.0.1"),
    ):
        assert digest(text.replace(old, new)) == first, new
    for old, new in (("at least 0.8", "at least 0.80001"), ("severity: high", "severity: low"), ("sex", "age")):
        assert digest(text.replace(old, new)) != first, new
    late = text.replace("law: {citation", "law: {applies_from: 2027-01-01, citation")
    assert digest(late) != first


def test_what_an_organisation_changes_is_seen(write_pack):
    used = "uses: [{pack: baseline-fairness}]\n"
    plain = resolve_rules(read_packs(["baseline-fairness"]))
    off = write_pack(
        used
        + "disable: [{rule: baseline-fairness/auc-gap, reason: 'Covered by our own standard', approved_by: A. Head}]\n"
        "override: [{rule: baseline-fairness/no-leak, severity: critical}]\n"
    )
    moves = {(move.about, move.what): move.reading for move in list_moves(plain, resolve_rules(read_packs([str(off)])))}
    assert moves["baseline-fairness/auc-gap", "switched off"] == "looser"
    assert moves["baseline-fairness/no-leak", "severity"] == "stricter"
    assert moves["own", "pack"] == "stricter"


@pytest.mark.parametrize("name", sorted(list_shipped()))
def test_a_pack_is_the_same_as_itself(name):
    resolved = resolve_rules(read_packs([name]))
    assert list_moves(resolved, json.loads(json.dumps(resolved))) == ()


def test_the_command(write_pack, capsys):
    old, new = write_pack(f"rules:\n{RULE}", "a.yaml"), write_pack(f"rules:\n{RULE.replace('0.8', '0.9')}", "b.yaml")
    assert policy.diff_policies(str(old), str(new)) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "other rules: 1 stricter"
    assert policy.diff_policies(str(old), str(old)) == 0
    assert capsys.readouterr().out == "the same rules\n"
    assert policy.diff_policies(str(old), str(new), json=True) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["same"] is False
    assert told["moves"][0]["reading"] == "stricter"
    assert told["digests"]["old"] != told["digests"]["new"]


def test_configurations_are_compared_by_what_they_put_in_force(write_pack, tmp_path, capsys):
    write_pack(f"rules:\n{RULE}")
    (tmp_path / "rows.csv").write_text("a\n1\n")
    for name, packs in (("one", "[own.yaml]"), ("two", "[own.yaml, baseline-fairness]")):
        text = f"data: rows.csv\nmodel: {{scores: s, scale: probability}}\ngroups: [sex]\npolicies: {packs}\n"
        (tmp_path / f"{name}.yaml").write_text(text)
    assert policy.diff_policies(str(tmp_path / "one.yaml"), str(tmp_path / "two.yaml")) == 0
    assert "baseline-fairness: pack: nothing -> version" in capsys.readouterr().out


def test_words_alone_demand_the_same(write_pack):
    text = f"rules:\n{RULE}"
    assert demands_the_same(moved(write_pack, text, text.replace("A rule under test", "Another sentence")))
    assert not demands_the_same(moved(write_pack, text, text.replace("0.8", "0.7")))
