"""What only the data can show is told at the line that was written."""

from __future__ import annotations

import pytest

from audit.config.load import config_from, load_config
from audit.config.placing import place_key, tell_places
from audit.errors import ConfigError, DataError, IntakeRefused, Mistake

TEXT = "data:\n  audit: rows.csv\n  baseline: old.csv\nlabel: repaid\ngroups: [sex]\nmodel: {scores: score}\n"


@pytest.fixture
def config(tmp_path):
    (tmp_path / "audit.yaml").write_text(TEXT)
    return load_config(tmp_path / "audit.yaml", files="none")


def test_the_key_of_an_error_gets_its_place(config):
    with pytest.raises(ConfigError) as caught, tell_places(config):
        raise ConfigError(mistakes=[Mistake("one", "data.baseline", "h"), Mistake("two", "model.inputs")])
    first, second = caught.value.mistakes
    assert first.place.endswith("audit.yaml:3:13, data.baseline")
    assert first.hint == "h"
    assert second.place.endswith("audit.yaml:6:8, model.inputs")  # its nearest parent that was written


@pytest.mark.parametrize("kind", [DataError, IntakeRefused])
def test_the_kind_of_an_error_stays(config, kind):
    with pytest.raises(kind) as caught, tell_places(config):
        raise kind("many", hint="h", place="data.baseline")
    assert "audit.yaml:3:13, data.baseline: many; h" in str(caught.value)
    with pytest.raises(kind) as caught, tell_places(config):
        raise kind("many")
    assert str(caught.value) == "many"


def test_other_places_and_arguments_stay(config):
    assert place_key(config, "--shard") == "--shard"
    assert place_key(config, "/somewhere/else.yaml:3:4") == "/somewhere/else.yaml:3:4"
    from_code = config_from({"data": "rows.csv", "label": "repaid", "groups": ["sex"], "model": {"scores": "score"}})
    assert place_key(from_code, "data.audit") == "data.audit"
