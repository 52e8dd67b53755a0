"""Holds the quickstart's two reports against what is true of the example, and says where they are.

Comes in: each report folder and the exit code of its audit. Goes out: a few lines; exit code 0 where the first audit
did not fail on fairness and the second failed on the impact ratio.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

IMPACT_RATIO = "fairness.selection_rate_ratio"
PASSED, FAILED, UNDECIDED = 0, 1, 5


def read_failures(folder: Path) -> list[dict[str, Any]]:
    """Return the verdicts "fail" that the dossier of a report folder holds.

    Parameters
    ----------
    folder : Path
        A report folder.
    """
    dossier: dict[str, Any] = json.loads((folder / "audit.json").read_text(encoding="utf-8"))
    verdicts = [verdict for finding in dossier["judgement"]["findings"] for verdict in finding["verdicts"]]
    return [verdict for verdict in verdicts if verdict["status"] == "fail"]


def find_faults(first: Path, first_code: int, second: Path, second_code: int) -> list[str]:
    """Return what did not come out as it must; empty where all did.

    Parameters
    ----------
    first, second : Path
        Report folders of the net trained on repayment and of the one trained on past decisions.
    first_code, second_code : int
        Exit codes of their audits.
    """
    faults = []
    if first_code not in (PASSED, UNDECIDED):
        faults.append(f"the first audit ended with {first_code}, not {PASSED} or {UNDECIDED}")
    unfair = [verdict for verdict in read_failures(first) if (verdict["metric"] or "").startswith("fairness.")]
    faults += [f"the first audit fails on fairness: {verdict['scope']}" for verdict in unfair]
    if second_code != FAILED:
        faults.append(f"the second audit ended with {second_code}, not {FAILED}")
    if not any(v["metric"] == IMPACT_RATIO and list(v["group"].values()) == ["birch"] for v in read_failures(second)):
        faults.append("the second audit does not fail on the impact ratio of birch")
    return faults


def main(arguments: list[str]) -> int:
    """Print the outcome; return the exit code."""
    first, second = Path(arguments[0]), Path(arguments[2])
    faults = find_faults(first, int(arguments[1]), second, int(arguments[3]))
    print("The reports (open either; both say the same):")
    for folder in (first, second):
        print(f"   {folder / 'report.pdf'}\n   {folder / 'report.html'}")
    if faults:
        print("This did not come out as it must:", *faults, sep="\n   ")
        return 1
    print("As it must be: the first audit does not fail on fairness, the second fails on the impact ratio.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
