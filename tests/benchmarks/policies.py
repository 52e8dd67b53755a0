"""How long rules take: all shipped packs loaded and validated, all their rules judged on a full evidence document.

Run it alone: ``OMP_NUM_THREADS=1 python tests/benchmarks/policies.py [audit.json]``. Without a file the evidence is
staged: every metric of the catalogue on the groups of two attributes, their pairs, twenty features, every model.
"""

from __future__ import annotations

import gc
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date
from itertools import product
from pathlib import Path

from audit.attestation.policy.catalogue import METRICS
from audit.attestation.policy.judge import judge_with
from audit.attestation.policy.select import list_shipped, read_packs
from audit.attestation.policy.staging import MetricEntry, Stage, stage_evidence
from audit.evidence import Dossier, Evidence, Papers

LOAD_MS, JUDGE_MS_OF_150 = 100.0, 50.0
GROUPS = {"sex": ("F", "M"), "race_ethnicity": ("A", "B", "C", "D")}
FEATURES = tuple(f"x{number}" for number in range(20))
FACTS = {
    "system.jurisdictions": ("EU", "US-NYC", "US-CA", "US-CO"),
    "system.use_case": ("employment.hiring", "credit.underwriting"),
    "system.decision_kind": "selection",
    "system.risk_class": "high",
    "system.role": "both",
}


def full_evidence() -> Evidence:
    """Return evidence that holds every metric of the catalogue on every scope it can have."""
    scopes = [{name: value} for name, values in GROUPS.items() for value in values]
    scopes += [dict(zip(GROUPS, values, strict=True)) for values in product(*GROUPS.values())]
    entries = []
    for metric in METRICS.values():
        if metric.section == "change":
            continue
        models = metric.models or (None,)
        features = FEATURES if "feature" in metric.scopes else (None,)
        groups = scopes if "group" in metric.scopes else [{}]
        attributes = (*GROUPS, "sex * race_ethnicity") if "attribute" in metric.scopes else (None,)
        entries += [
            MetricEntry(
                metric=metric.id, value=0.85, low=0.8, high=0.9, n=2000, model=model, feature=feature, group=group,
                attribute=None if group else attribute,
            )
            for model, feature, group, attribute in product(models, features, groups, attributes)
        ]  # fmt: skip
    counts = [
        ((name,), [{name: value, "selected": 400, "total": 1000} for value in values])
        for name, values in GROUPS.items()
    ]
    pairs = [dict(zip(GROUPS, values, strict=True)) for values in product(*GROUPS.values())]
    counts.append((tuple(GROUPS), [{**pair, "selected": 100, "total": 250} for pair in pairs]))
    return stage_evidence(Stage(counts=counts, metrics=entries, features=FEATURES, small_count=30))


def best_of(work: Callable[[], object], rounds: int = 9) -> tuple[float, float]:
    """Return the fastest and the median time of some rounds, in milliseconds."""
    times = []
    for _ in range(rounds):
        gc.collect()
        begun = time.perf_counter()
        work()
        times.append(1e3 * (time.perf_counter() - begun))
    return min(times), statistics.median(times)


def measure(evidence: Evidence) -> dict[str, float]:
    """Return milliseconds: all packs loaded, all rules judged, and 150 of them judged."""
    packs = read_packs(list_shipped())
    rules = sum(len(pack.rules) for pack in packs)
    papers = Papers(facts=FACTS)
    load, load_median = best_of(lambda: read_packs(list_shipped()))
    judge, judge_median = best_of(
        lambda: judge_with(
            evidence, packs, papers, (), as_of=date(2028, 9, 1), evidence_signed="benchmark", strict_names=False
        )
    )
    return {
        "packs": len(packs),
        "rules": rules,
        "numbers": sum(1 for _ in evidence.measurements()),
        "load_ms": load,
        "load_median_ms": load_median,
        "judge_ms": judge,
        "judge_median_ms": judge_median,
        "judge_150_ms": judge * 150 / rules,
    }


def main() -> int:
    """Measure, print, and say whether the goals are met."""
    evidence = Dossier.parse(Path(sys.argv[1]).read_bytes()).evidence if sys.argv[1:] else full_evidence()
    found = measure(evidence)
    for name, value in found.items():
        print(f"{name:<18} {value:10.1f}")
    met = found["load_ms"] < LOAD_MS and found["judge_150_ms"] < JUDGE_MS_OF_150
    print(f"goals {'met' if met else 'MISSED'}: load < {LOAD_MS:g} ms, 150 rules < {JUDGE_MS_OF_150:g} ms")
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
