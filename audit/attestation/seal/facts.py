"""What verifying found, as the facts that rules about a seal may name.

Comes in: the words and signatures of a verification. Goes out: ``seal.*`` facts; what is not known is left out, so that
no rule can pass on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from .check import SeenSignature
from .keys import show_certificate

FactFound = bool | int | tuple[str, ...]


def read_seal_facts(
    *,
    intact: bool,
    trusted: bool | None,
    seen: Sequence[SeenSignature],
    now: datetime,
    approvals: Iterable[str] | None = None,
) -> dict[str, FactFound]:
    """Return the facts of a seal.

    Parameters
    ----------
    intact : bool
        Whether every file is as it was sealed.
    trusted : bool or None
        Whether a named authority stands behind every signer; None where none was named.
    seen : sequence of SeenSignature
        The signatures that hold.
    now : datetime
        The time of verifying (aware).
    approvals : iterable of str, optional
        Roles whose signature with the decision to approve holds; None where nobody looked for any.
    """
    shown = [show_certificate(one.certificate) for one in seen]
    facts: dict[str, FactFound] = {"seal.intact": intact, "seal.signed": bool(seen)}
    if seen:
        facts["seal.development_key"] = any(signer.development for signer in shown)
        facts["seal.timestamped"] = any(one.stamp for one in seen)
        facts["seal.signers"] = tuple(dict.fromkeys(signer.name.replace(",", ";") for signer in shown))
    if trusted is not None:
        facts["seal.trusted"] = trusted and bool(seen)
    if approvals is not None:
        facts["seal.approvals"] = tuple(dict.fromkeys(approvals))
    moment = _find_moment(seen)
    if moment is not None and moment <= now:
        facts["seal.age_days"] = (now - moment).days
    return facts


def _find_moment(seen: Sequence[SeenSignature]) -> datetime | None:
    """Return when the report was signed: the latest time stamp, else the latest time that a signer states."""
    stamps = [one.stamp.moment for one in seen if one.stamp]
    stated = [one.moment if one.moment.tzinfo else one.moment.replace(tzinfo=UTC) for one in seen if one.moment]
    return max(stamps or stated, default=None)
