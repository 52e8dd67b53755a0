"""Telling somebody that a verdict changed, and only then.

Comes in: results of a run and their configurations. Goes out: one message per address, by a webhook or a command of
the user's, whatever the number of systems; and a note of what was told, so that it is told once. A message that does
not get through changes no verdict and no exit code: it is said, and tried again on the next run.
"""

from __future__ import annotations

import json
import os
import subprocess
import urllib.error
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from audit.attestation.seal.fetch import fetch
from audit.config.schema import Config
from audit.config.unattended import NotifyOrder

from .standing import Changed, Standing, changed_beyond_noise, read_standing, write_standing
from .task import AuditResult

PATIENCE = 30
"""Seconds that a command or a server may take."""
_LASTING = {2, 3, 4}
"""Exit codes of an audit that could not be made and will not pass by itself; 6 may be gone tomorrow."""


@dataclass(frozen=True, slots=True)
class News:
    """What changed about one system, and where it is written down once told.

    Parameters
    ----------
    result : AuditResult
        The audit.
    order : NotifyOrder
        Whom to tell.
    ledger : pathlib.Path
        Folder of the system's ledger.
    standing : Standing
        Where the system stands now.
    changes : tuple of Changed
        What changed beyond noise; empty where nothing did.
    first : bool
        Whether nobody was ever told of this system.
    """

    result: AuditResult
    order: NotifyOrder
    ledger: Path
    standing: Standing
    changes: tuple[Changed, ...]
    first: bool

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON value."""
        described = self.result.described
        return {
            "system": self.standing.system,
            "outcome": self.standing.outcome,
            "exit_code": self.result.exit_code,
            "changes": [change.as_json() for change in self.changes],
            "folder": described.get("folder", ""),
            "dossier": described.get("dossier", ""),
            "error": self.result.error,
        }


def gather_news(result: AuditResult, config: Config) -> News | None:
    """Hold a result against what was last told; None where nobody is to be told, or the trouble may pass by itself.

    Parameters
    ----------
    result : AuditResult
        What came of the audit.
    config : Config
        Its configuration.
    """
    order, ledger = config.notify, Path(config.ledger.path)
    standing = result.standing
    if not (order.command or order.webhook) or (standing is None and result.exit_code not in _LASTING):
        return None
    told = read_standing(ledger, config.system.name)
    if standing is None:
        # what was measured last stays on record, so that the way back is compared with it
        kept = told.verdicts if told else {}
        standing = Standing(system=config.system.name, outcome="error", verdicts=kept)
        changes = (
            [] if told and told.outcome == "error" else [Changed("outcome", _was(told), "error", "", result.error)]
        )
    else:
        changes = changed_beyond_noise(told, standing, false_alarms=order.false_alarms)
    return News(result, order, ledger, standing, tuple(changes), told is None)


def tell_news(news: Sequence[News], *, when: str) -> list[str]:
    """Send one message per address about everything that changed; return what went wrong, one line each.

    Parameters
    ----------
    news : sequence of News
        Of all systems of the run.
    when : str
        UTC time, ISO 8601.
    """
    problems = []
    for item in news:
        if item.first and not item.changes:  # a first run is what later ones are compared with
            write_standing(item.ledger, item.standing)
    by_order: dict[str, list[News]] = {}
    for item in news:
        if item.changes:
            by_order.setdefault(item.order.model_dump_json(exclude={"false_alarms"}), []).append(item)
    for changed in by_order.values():
        message = {"schema": "audit-news/1", "time": when, "systems": [item.as_json() for item in changed]}
        problem = send(changed[0].order, json.dumps(message, ensure_ascii=False).encode())
        if problem:
            problems.append(f"{problem}; it is tried again on the next run")
            continue
        for item in changed:
            write_standing(item.ledger, item.standing)
    return problems


def send(order: NotifyOrder, message: bytes) -> str:
    """Send a message; return what went wrong without any secret in it, or an empty text.

    Parameters
    ----------
    order : NotifyOrder
        Command, webhook, or both.
    message : bytes
        JSON.
    """
    problems = [_run_command(order, message) if order.command else "", _post(order, message) if order.webhook else ""]
    return "; ".join(problem for problem in problems if problem)


def _run_command(order: NotifyOrder, message: bytes) -> str:
    name = Path(order.command[0]).name
    try:
        done = subprocess.run(list(order.command), input=message, timeout=PATIENCE, check=False, capture_output=True)  # noqa: S603 - the user's own command
    except subprocess.TimeoutExpired:
        return f"notify.command {name} took longer than {PATIENCE} s"
    except OSError as error:
        return f"notify.command {name} cannot be run: {error.strerror}"
    return f"notify.command {name} ended with {done.returncode}" if done.returncode else ""


def _post(order: NotifyOrder, message: bytes) -> str:
    address, token = _reveal(order.webhook or ""), _reveal(order.token or "")
    if not _is_safe(address):
        return "notify.webhook is no https address"
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    try:
        fetch(address, timeout=PATIENCE, largest=0, data=message, headers=headers)
        return ""
    except urllib.error.HTTPError as error:
        return f"notify.webhook answered {error.code}"
    except (OSError, ValueError):  # the text of these may hold the address, and so a secret
        return "notify.webhook did not answer"


def _is_safe(address: str) -> bool:
    """Whether nobody on the way can read what is sent there: https, or this machine itself."""
    try:
        parts = urlsplit(address)
        here = parts.hostname in ("127.0.0.1", "::1", "localhost")
    except ValueError:
        return False
    return (parts.scheme == "https" and bool(parts.hostname)) or (parts.scheme == "http" and here)


def _reveal(reference: str) -> str:
    """Return what ``env:NAME`` or ``file:PATH`` points to; any other text is itself."""
    if reference.startswith("env:"):
        return os.environ.get(reference[4:], "").strip()
    if reference.startswith("file:"):
        try:
            return Path(reference[5:]).read_text(encoding="utf-8").strip()
        except OSError:
            return ""
    return reference


def _was(told: Standing | None) -> str:
    return told.outcome if told else "not audited"
