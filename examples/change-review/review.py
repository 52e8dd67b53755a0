"""Reviews a new version of a model, as a pipeline would: better for whom, by more than noise, and may it be merged.

Comes in: nothing; everything is made in ``out``. Goes out: two sealed audits of the same 6,000 people, a sealed report
on the change between them, and the exit code of the review: 1, for the second version is better over everybody and
worse for one group. In a pipeline the same is three commands, and the third one stops the merge::

    audit run audit-v1.yaml --out audits/v1
    audit run audit-v2.yaml --out audits/v2
    audit diff audits/v1 audits/v2 --config audit-v2.yaml --policy model-change-review --out audits/change
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
OUT = HERE / "out"
GENERATE = HERE.parent / "credit" / "generate.py"


def call(*words: str | Path) -> int:
    """Run a command of this package, or a script; return its exit code.

    Parameters
    ----------
    *words : str or Path
        What is run by this interpreter.
    """
    print("$", *(Path(word).name if isinstance(word, Path) else word for word in words), flush=True)
    return subprocess.run([sys.executable, *map(str, words)], cwd=HERE, check=False).returncode


def review() -> int:
    """Make both versions, audit both, compare them; return the exit code of the comparison."""
    call(GENERATE, "--out", OUT)
    call(HERE / "train.py", "--out", OUT)
    for version in ("v1", "v2"):
        call("-m", "audit", "run", f"audit-{version}.yaml", "--out", OUT / version)
    order = ("--config", "audit-v2.yaml", "--policy", "model-change-review")
    shown = ("--format", "html", "--format", "pdf", "--format", "markdown")
    return call("-m", "audit", "diff", OUT / "v1", OUT / "v2", *order, *shown, "--out", OUT / "change")


if __name__ == "__main__":
    if OUT.exists():
        sys.exit(f"{OUT} is there already: take it away first")
    code = review()
    print(f"exit code {code}: {'the change is stopped, as it must be' if code == 1 else 'this is not as it must be'}")
    print(OUT / "change")
    sys.exit(0 if code == 1 else 1)
