"""The specimens, made once for all processes of a test run."""

from __future__ import annotations

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
    with filled_once(shared / "specimens") as folder:
        yield folder
