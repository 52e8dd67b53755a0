"""The rules fixed before the test: what they demanded on a day, with a time stamp where a server gives one.

Comes in: packs in force, and what stamps or checks a time. Goes out: a lock file, and later a `LockSeen`: whether the
rules that judged are the locked ones, what changed since, and whether the lock is older than the scoring of the data.
Article 9(8) of Regulation (EU) 2024/1689 asks for "prior defined metrics and probabilistic thresholds".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from audit.config.schema import AttestConfig
from audit.errors import ConfigError, PolicyError, SealError
from audit.evidence import Evidence, Judgement, LockSeen, digest_bytes
from audit.evidence.base import Record, canonical_bytes

from .diff import list_moves
from .loaded import LoadedPack
from .resolved import digest_resolved, list_texts, resolve_rules

MOST_BYTES = 5_000_000
MOST_CHANGES = 40
"""Changes that a report lists; a longer list says how many more there are."""
StampChecker = Callable[[bytes, bytes], tuple[datetime, str]]
"""From a time stamp token and the SHA-256 that it must cover to its time and the authority's name; raises SealError."""
Order = Literal["shown", "stated", "no", "unknown"]

LIMITS = (
    "It does not show that no audit was run before it: whoever has seen the numbers can write rules that they meet.",
    "When the data were scored is what the clock of the examining machine said; nobody else vouches for it.",
    "It does not show that its rules are suitable, or that anybody approved them.",
)
"""What a lock does not prove; printed wherever one is shown."""


class PolicyLock(Record):
    """A lock file."""

    schema_: Literal["policy-lock/1"] = Field(default="policy-lock/1", alias="schema")
    """Version of this file's form."""
    tool: str
    """``glassbox-audit`` and version."""
    made_at: str
    """UTC time, ISO 8601, as the machine that wrote it says."""
    rules_digest: str
    """Digest of what the rules demand, `audit.attestation.policy.resolved.digest_resolved`."""
    rules: dict[str, Any]
    """What the rules demand, `audit.attestation.policy.resolved.resolve_rules`."""
    texts: dict[str, str]
    """Policy file to digest of its text."""
    waivers: str = ""
    """Digest of the waivers file; empty where there is none."""
    model: str = ""
    """Digest of the model file; empty where there is none."""
    data: str = ""
    """Digest of the judged rows; empty where they are no single file."""
    timestamp: str = ""
    """RFC 3161 token over the SHA-256 of the canonical form of all other keys, base64; empty where there is none."""

    def body(self) -> bytes:
        """Return what a time stamp covers: the canonical form of everything but the time stamp."""
        return canonical_bytes(self.model_dump(mode="json", by_alias=True, exclude={"timestamp"}))

    def text(self) -> bytes:
        """Return the lock file."""
        return canonical_bytes(self.model_dump(mode="json", by_alias=True)) + b"\n"


def make_lock(
    packs: Sequence[LoadedPack],
    *,
    now: datetime,
    tool: str,
    files: Mapping[str, Path] | None = None,
    stamp: Callable[[bytes], bytes | None] | None = None,
) -> PolicyLock:
    """Lock the rules in force.

    Parameters
    ----------
    packs : sequence of LoadedPack
        The packs in force.
    now : datetime
        The time (aware).
    tool : str
        What writes it.
    files : mapping, optional
        Files that are to be the same later, by ``waivers``, ``model``, ``data``; what is no plain file is left out.
    stamp : callable, optional
        From a SHA-256 to a time stamp token, or to None where the server did not answer.
    """
    rules = resolve_rules(packs)
    digests = {name: digest_bytes(path.read_bytes()) for name, path in (files or {}).items() if path.is_file()}
    lock = PolicyLock(
        tool=tool,
        made_at=now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        rules_digest=digest_resolved(rules),
        rules=rules,
        texts=list_texts(packs),
        **digests,
    )
    token = stamp(hashlib.sha256(lock.body()).digest()) if stamp else None
    return lock.model_copy(update={"timestamp": base64.b64encode(token).decode()}) if token else lock


def read_lock(path: Path, *, place: str = "") -> PolicyLock:
    """Read a lock file.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    place : str, optional
        Where it is named, for a mistake.

    Raises
    ------
    ConfigError
        There is no such file.
    PolicyError
        It is no lock, or its rules are not those of its digest.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"the lock {path.name} cannot be read: {error.strerror}", place=place, hint="audit policy lock writes one"
        ) from None
    try:
        if len(data) > MOST_BYTES:
            raise ValueError("too large")
        lock = PolicyLock.model_validate_json(data)
        digest = digest_resolved(lock.rules)
    except (ValidationError, ValueError, KeyError, TypeError, AttributeError):
        raise PolicyError(
            f"{path.name} is no lock of rules", place=place, hint="audit policy lock writes one"
        ) from None
    if digest != lock.rules_digest:
        raise PolicyError(
            f"{path.name} was changed after it was written: its rules are not those of its digest", place=place
        )
    return lock


def hold_to_lock(
    lock: PolicyLock,
    name: str,
    packs: Sequence[LoadedPack],
    evidence: Evidence,
    *,
    waivers: Path | None = None,
    check_stamp: StampChecker | None = None,
) -> LockSeen:
    """Hold the rules that judge against a lock.

    Parameters
    ----------
    lock : PolicyLock
        The lock.
    name : str
        Name of its file.
    packs : sequence of LoadedPack
        The packs in force now.
    evidence : Evidence
        For the time of scoring, and the digests of model and rows.
    waivers : pathlib.Path, optional
        The waivers file in force now.
    check_stamp : callable, optional
        Checks the time stamp.

    Raises
    ------
    SealError
        The time stamp does not hold.
    """
    stamped, authority = _check_stamp(lock, name, check_stamp)
    order, because = _find_order(lock, stamped, evidence.provenance.started)
    now = resolve_rules(packs)
    moves = [str(move) for move in list_moves(lock.rules, now)]
    more = (f"and {len(moves) - MOST_CHANGES} more",) if len(moves) > MOST_CHANGES else ()
    return LockSeen(
        file=name,
        rules_digest=lock.rules_digest,
        locked_at=lock.made_at,
        stamped_at=_say_time(stamped) if stamped else "",
        authority=authority,
        before=order,
        because=because,
        same_rules=digest_resolved(now) == lock.rules_digest,
        changes=(*moves[:MOST_CHANGES], *more),
        same_waivers=lock.waivers == (digest_bytes(waivers.read_bytes()) if waivers and waivers.is_file() else ""),
        same_model=_same_file(lock.model, "model", evidence),
        same_data=_same_file(lock.data, "data.audit", evidence),
        limits=LIMITS,
    )


def see_lock(
    judgement: Judgement,
    order: AttestConfig,
    packs: Sequence[LoadedPack],
    evidence: Evidence,
    check_stamp: StampChecker | None = None,
) -> Judgement:
    """Return a judgement that says what the lock of its rules shows; unchanged where the configuration names none.

    Parameters
    ----------
    judgement : Judgement
        As judged.
    order : AttestConfig
        For its lock and its waivers.
    packs, evidence, check_stamp
        See `hold_to_lock`.

    Raises
    ------
    ConfigError, SealError
        See `read_lock` and `hold_to_lock`.
    """
    if order.lock is None:
        return judgement
    path = Path(order.lock)
    lock = read_lock(path, place=order.place_of("lock"))
    waivers = Path(order.waivers) if order.waivers else None
    seen = hold_to_lock(lock, path.name, packs, evidence, waivers=waivers, check_stamp=check_stamp)
    return judgement.model_copy(update={"lock": seen, "warnings": (*judgement.warnings, *warn_of_lock(seen))})


def warn_of_lock(lock: LockSeen | None) -> tuple[str, ...]:
    """Return what a reader must hear of a lock beside the verdicts."""
    if lock is None:
        return ()
    found = []
    if not lock.same_rules:
        found.append(f"the rules that judged are not those locked in {lock.file}: {'; '.join(lock.changes)}")
    if not lock.same_waivers:
        found.append(f"the waivers in force are not those locked in {lock.file}")
    if lock.before in ("no", "unknown"):
        found.append(lock.because)
    found += [
        f"the {what} of this audit is not the one locked in {lock.file}"
        for what, same in (("model", lock.same_model), ("data", lock.same_data))
        if same is False
    ]
    return tuple(found)


def _check_stamp(lock: PolicyLock, name: str, check: StampChecker | None) -> tuple[datetime | None, str]:
    if not lock.timestamp or check is None:
        return None, ""
    try:
        return check(base64.b64decode(lock.timestamp, validate=True), hashlib.sha256(lock.body()).digest())
    except (binascii.Error, SealError) as error:
        what = error.what if isinstance(error, SealError) else "the time stamp cannot be read"
        raise SealError(f"the lock {name} does not hold: {what}") from None


def _find_order(lock: PolicyLock, stamped: datetime | None, started: str) -> tuple[Order, str]:
    """Return whether the lock is older than the scoring, and why."""
    scored, made = _read_time(started), _read_time(lock.made_at)
    if scored is None or made is None:
        return "unknown", "whether the rules were locked before the data were scored is not known: a time is missing"
    when = f"the data were scored from {_say_time(scored)} on"
    if stamped is not None and stamped <= scored:
        return "shown", f"a time stamp shows that the rules were locked by {_say_time(stamped)}; {when}"
    if stamped is not None:
        because = f"the rules were locked, by their time stamp, at {_say_time(stamped)}, after the scoring: {when}"
        return "no", because
    if made <= scored:
        because = (
            f"the rules were locked at {_say_time(made)}, by the clock of the machine that did it and without a time "
            f"stamp; {when}"
        )
        return "stated", because
    return "no", f"the rules were locked at {_say_time(made)}, after the scoring: {when}"


def _same_file(locked: str, role: str, evidence: Evidence) -> bool | None:
    if not locked:
        return None
    return [file.sha256 for file in evidence.provenance.files if file.role == role] == [locked]


def _read_time(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _say_time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
