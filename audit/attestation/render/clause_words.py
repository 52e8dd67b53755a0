"""Words for clauses of a policy: what a verdict would be, and what is to be done about an open one.

Comes in: nothing. Goes out: tables.
"""

from __future__ import annotations

from audit.evidence import VerdictWord

from .words import VerdictSign

WOULD: dict[VerdictWord, VerdictSign] = {
    "fail": VerdictSign("Would fail", "✗", "bad", "It would fail if the law applied already."),
    "inconclusive": VerdictSign("Would be open", "?", "open", "It would be undecided if the law applied already."),
    "manual": VerdictSign(
        "Would need a person", "?", "open", "A person would have to answer if the law applied already."
    ),
    "warn": VerdictSign("Would warn", "!", "open", "It would draw a warning if the law applied already."),
    "waived": VerdictSign("Would be waived", "≈", "mute", "It would be waived if the law applied already."),
    "pass": VerdictSign("Would pass", "✓", "good", "It would pass if the law applied already."),
}
"""Verdict under a law that does not apply yet to how it is shown."""

STAMP = "DRAFT · not reviewed by counsel · not legal advice"
"""What stands on every page of a policy that nobody who knows the law has read."""

FOLDED: dict[str, str] = {
    "unknown": "Whether ‘{title}’ applies is not known",
    "no": "‘{title}’ does not apply",
    "not_yet": "‘{title}’ does not apply yet: what its rules would say",
}
"""How a policy whose rules were not judged stands in one line."""

SUPPLY = "Supply: {titles}."
ACCEPT = "Have accepted by {who}: {titles}."
ANSWER = "Answer the question; the role {who} must answer."
ANYONE = "a named person"
NOBODY = "nobody named yet"
"""Words of open items."""
