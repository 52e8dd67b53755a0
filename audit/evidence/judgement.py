"""The rules held against the evidence: verdicts with their arithmetic, and the policies as they were."""

from __future__ import annotations

from typing import Literal

from .base import Record
from .estimate import Estimate
from .papers import Papers

VerdictWord = Literal["error", "fail", "inconclusive", "manual", "warn", "waived", "pass", "not_applicable"]
VERDICT_ORDER: tuple[VerdictWord, ...] = (
    "error",
    "fail",
    "inconclusive",
    "manual",
    "warn",
    "waived",
    "pass",
    "not_applicable",
)
"""Worst first."""
Severity = Literal["critical", "high", "medium", "low", "info"]
SEVERITY_ORDER: tuple[Severity, ...] = ("critical", "high", "medium", "low", "info")
"""Most severe first."""


OPEN_VERDICTS: tuple[VerdictWord, ...] = ("error", "fail", "inconclusive", "manual", "warn", "waived")
"""Verdicts that leave something to do: each is a finding with an owner and a day on which it was first seen."""


def worst_verdict(words: list[VerdictWord] | tuple[VerdictWord, ...]) -> VerdictWord:
    """Return the worst of some verdicts; ``not_applicable`` where there is none."""
    return min(words, key=VERDICT_ORDER.index, default="not_applicable")


class Verdict(Record):
    """One rule on one scope."""

    id: str
    """Stable id of the finding: digest of system, rule and scope, for tickets."""
    rule: str
    """``pack/rule``."""
    scope: str
    """``pack/rule[attr=value,feature=...,model=...]``, the name of this finding."""
    group: dict[str, str] = {}
    """Scope by group."""
    feature: str | None = None
    """Scope by feature."""
    model: str | None = None
    """Scope by model."""
    outcome: str | None = None
    """Scope by band or class."""
    status: VerdictWord
    """The verdict."""
    original: VerdictWord | None = None
    """The verdict before a waiver."""
    observed: Estimate | None = None
    """What was measured."""
    metric: str | None = None
    """Metric id, for a rule that measures."""
    limit: str = ""
    """The limit in words: ``at least 0.80``."""
    limit_low: float | None = None
    """Lower edge of the allowed range, for figures."""
    limit_high: float | None = None
    """Upper edge of the allowed range, for figures."""
    because: str
    """Why, in one sentence."""
    trace: tuple[str, ...] = ()
    """The arithmetic, line by line."""
    literal: str = ""
    """The literal point result, always printed beside the verdict."""
    would_decide: str = ""
    """For an inconclusive one: what would decide it."""
    waiver: str | None = None
    """Id of the waiver."""
    document: str = ""
    """Field of documents.yaml that it is about, for a rule on documents."""
    owner: str = ""
    """Who deals with it; empty where nobody is named or nothing is open."""
    due: str = ""
    """Day by which it is to be settled, ISO 8601."""
    note: str = ""
    """What was agreed about it."""
    first_seen: str = ""
    """Day of the first audit in the ledger in which this finding was open, ISO 8601; empty where nothing is open."""

    @property
    def standing(self) -> VerdictWord:
        """The verdict, or what it would be under a law that does not apply yet."""
        would = self.status == "not_applicable" and self.original is not None
        return self.original if would and self.original else self.status

    @property
    def leaves_open(self) -> bool:
        """Whether it leaves something to do."""
        return self.standing in OPEN_VERDICTS


class RuleFinding(Record):
    """One rule with its scopes; its status is the worst of them."""

    rule: str
    """``pack/rule``."""
    pack: str
    """Pack name."""
    title: str
    """The rule as one plain sentence."""
    severity: Severity
    """How grave a failure is."""
    kind: Literal["measure", "fact", "shape_of", "compare", "document", "ask"]
    """Kind of rule."""
    cite: str = ""
    """Where the law says so."""
    why: str = ""
    """Why the rule exists."""
    fix: str = ""
    """What to do when it fails."""
    basis: str = ""
    """Who set the number: regulation, guidance, court_practice, industry_convention, organisation."""
    judged_on: str = ""
    """interval, court, estimate or proven."""
    limit: str = ""
    """``must_be`` in words with the parameter's value."""
    warn_limit: str = ""
    """``warn_unless`` in words."""
    question: str = ""
    """What a person is asked, for a question."""
    asked_of: str = ""
    """Role of the person who must answer or accept; empty where any named person may."""
    status: VerdictWord
    """Worst of the scopes."""
    verdicts: tuple[Verdict, ...]
    """One per scope."""
    path: str
    """Policy file name."""
    line: int
    """Line of the rule in that file (one-based)."""


class PolicyText(Record):
    """A policy file as it was when it judged."""

    pack: str
    """Pack name."""
    title: str
    """Title."""
    version: str
    """Version."""
    maturity: str = ""
    """draft or reviewed."""
    reviewed_by: str = ""
    """Who reviewed it."""
    summary: str = ""
    """What it is for, and what it cannot see."""
    citation: str = ""
    """Law block: citation."""
    jurisdiction: str = ""
    """Law block: jurisdiction."""
    status: str = ""
    """Law block: status of the law."""
    verified_on: str = ""
    """When the law was last checked."""
    review_by: str = ""
    """When it must be checked again."""
    sources: tuple[str, ...] = ()
    """Sources, one line each."""
    unverified: tuple[str, ...] = ()
    """What was not verified."""
    pending: str = ""
    """Changes of the law under way."""
    applies: Literal["yes", "no", "unknown", "not_yet"] = "yes"
    """Whether the pack applies to this system."""
    applies_because: str = ""
    """The condition or the missing facts."""
    path: str
    """File name."""
    sha256: str
    """Digest of the text."""
    text: str
    """The text itself."""


class ClaimChecked(Record):
    """A figure that somebody claims, held against what was measured."""

    metric: str
    """Metric id."""
    title: str
    """Name of the metric for readers; the id where the audit knows no such metric."""
    claimed: float
    """The figure."""
    by: str
    """Who claims it."""
    observed: Estimate | None = None
    """What was measured; None where nothing was."""
    status: Literal["inside", "worse", "better", "differs", "open", "not_measured"]
    """Whether the measured interval holds the figure, lies wholly on its worse or better side, or differs where
    neither side is better; ``open`` where what was measured can decide nothing."""
    because: str
    """Why, in one sentence."""


class LockSeen(Record):
    """What a lock file says about the rules that judged: when they were fixed, and what changed since."""

    file: str
    """Name of the lock file."""
    rules_digest: str
    """Digest of the locked rules."""
    locked_at: str
    """UTC time at which the lock was written, as the machine that wrote it says, ISO 8601."""
    stamped_at: str = ""
    """UTC time up to which a time stamp authority shows that the lock existed; empty without a time stamp."""
    authority: str = ""
    """Name of that authority; whether it is to be trusted is the reader's question."""
    before: Literal["shown", "stated", "no", "unknown"]
    """Whether the lock is older than the scoring of the data: shown by a time stamp, stated by a clock alone, not so,
    or not known."""
    because: str
    """Why, in one sentence."""
    same_rules: bool
    """Whether the rules that judged are those that were locked."""
    changes: tuple[str, ...] = ()
    """What changed in the rules since, one line each."""
    same_waivers: bool = True
    """Whether the waivers file is the one that was locked."""
    same_model: bool | None = None
    """Whether the model is the one that was locked; None where the lock names none."""
    same_data: bool | None = None
    """Whether the judged rows are those that were locked; None where the lock names none."""
    limits: tuple[str, ...] = ()
    """What a lock does not prove."""


class Judgement(Record):
    """All verdicts on one evidence document."""

    evidence_digest: str
    """Digest of the evidence judged."""
    evidence_signed: str
    """``signed by ...`` or ``evidence was supplied unsigned``."""
    as_of: str
    """The day of judgement (UTC, ISO 8601); all expiries use it."""
    policies: tuple[PolicyText, ...]
    """Policies in force."""
    parameters: dict[str, str] = {}
    """``pack.parameter`` to value used."""
    findings: tuple[RuleFinding, ...]
    """Rules in pack order."""
    papers: Papers = Papers()
    """What people supplied."""
    lock: LockSeen | None = None
    """What the lock of the rules says; None where there is none."""
    claims: tuple[ClaimChecked, ...] = ()
    """Claimed figures held against the measured ones."""
    warnings: tuple[str, ...] = ()
    """Expired reviews, packs that do not yet apply."""
    fail_on: Severity = "high"
    """Severity from which a failed rule fails the run."""
    outcome: Literal["passed", "failed", "undecided", "incomplete", "measured"] = "undecided"
    """The run's outcome at `fail_on`; ``measured`` where no policy was asked for, so that nothing was judged."""

    def count(self, word: VerdictWord) -> int:
        """Return how many rules ended with `word`."""
        return sum(finding.status == word for finding in self.findings)
