from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audit.config.schema import ExamineConfig


@pytest.fixture
def make_config(tmp_path: Path) -> Callable[..., ExamineConfig]:
    """Return a maker of configurations whose data file holds the given text or bytes."""

    def make(text: str | bytes, name: str = "rows.csv", **keys: Any) -> ExamineConfig:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        data = keys.pop("data", {})
        return ExamineConfig.model_validate({"data": {"audit": str(path), **data}, **keys})

    return make
