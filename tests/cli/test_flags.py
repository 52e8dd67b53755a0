"""Errors name what a person wrote, and lists are read in any of the usual ways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.cli.flags import name_flags, read_names, say_flag, spread_names
from audit.errors import ConfigError, Mistake, TryAgain

KNOWN = ("html", "pdf", "markdown")


def test_sign_names_flags_and_no_setting(tmp_path, small_report, run_cli):
    """Every way in which a key can be wrong; `signing.` stands in audit.yaml, which this person has not written."""
    (tmp_path / "junk.pem").write_text("junk")
    start = ("sign", small_report.folder, "--role", "preparer", "--name", "Ada")
    rows = {
        "no key": [],
        "missing": ["--key", f"file:{tmp_path}/none.pem"],
        "junk": ["--key", f"file:{tmp_path}/junk.pem"],
        "scheme": ["--key", "fil:x"],
        "no scheme": ["--key", "whatever"],
        "variable": ["--key", "env:NOT_SET_ANYWHERE"],
        "no certificate": ["--key", "development", "--certificate", "file:x"],
        "level": ["--key", "development", "--level", "B-T"],
        "required": ["--key", "development", "--required"],
        "certificate alone": ["--certificate", "file:x"],
        "server": ["--key", "development", "--timestamp", "nonsense"],
        "device": ["--key", "pkcs11:token=x;object=y;pin-value=1234?module-path=/x.so"],
    }
    for why, arguments in rows.items():
        code, said, err = run_cli(*start, *arguments)
        assert code == 2, (why, said, err)
        assert "--" in err, (why, err)
        assert "signing." not in err, (why, err)
        assert "required: true" not in err, (why, err)


def test_ledger_names_flags(tmp_path, run_cli):
    arguments = ("--reason", "x", "--by", "Ada", "--ledger", tmp_path, "--key", f"file:{tmp_path}/none.pem")
    code, _, err = run_cli("ledger", "withdraw", "0", *arguments)
    assert code == 2
    assert "--key" in err
    assert "signing." not in err


def test_every_mistake_is_named():
    with pytest.raises(ConfigError) as caught, name_flags():
        raise ConfigError(mistakes=[Mistake("signing.key is no key", "signing.key", "or signing.level"), Mistake("x")])
    assert str(caught.value) == "--key: --key is no key; or --level\nx"
    with pytest.raises(TryAgain, match="--timestamp") as again, name_flags():
        raise TryAgain("x", hint="take out signing.timestamp")
    assert again.value.exit_code == 6
    assert say_flag("signing") == "--key"
    assert say_flag("assigning.keys") == "assigning.keys"


def test_a_file_that_is_called_like_a_format_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pdf").mkdir()
    assert spread_names(["--format", "html", "pdf", "new"], "--format", KNOWN) == ["--format", "html", "pdf", "new"]


@given(st.lists(st.sampled_from(["a.yaml", "--out", "b", "--paired", "html", "-x"])))
def test_words_without_the_flag_stay_as_they_are(words):
    assert spread_names(words, "--format", KNOWN) == words


@given(st.lists(st.sampled_from(KNOWN), min_size=1), st.sampled_from([",", " ", ", "]))
def test_names_however_they_are_separated(names, between):
    assert read_names([between.join(names)], KNOWN, "--format") == list(dict.fromkeys(names))
    assert read_names(names, KNOWN, "--format") == list(dict.fromkeys(names))
