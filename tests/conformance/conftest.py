"""The specimens, made once for all processes of a test run."""

from __future__ import annotations

import fcntl
import json
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))


@pytest.fixture(scope="session")
def specimens(tmp_path_factory):
    """A folder with every kind of report; see `specimens`."""
    from specimens import filled_once

    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    last = os.environ.get("PYTEST_XDIST_WORKER", "gw0")[-1]
    with filled_once(shared / "specimens", backwards=last in "13579") as folder:
        yield folder


@pytest.fixture(scope="session")
def visits(specimens):
    """What a visitor meets on one page of each kind; the browser is asked once for all processes of a test run."""
    from checkers import browse
    from test_page import CORE

    kept = specimens / "visits.json"
    with (specimens / "visits.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if not kept.exists():
            kept.write_text(json.dumps(browse([specimens / f"{name}.html" for name in CORE])), encoding="utf-8")
        return json.loads(kept.read_text("utf-8"))
