"""The command line: one app, one file per command, exit codes as the README lists them."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from . import console
from .interrupt import INTERRUPTED, leave_interrupted, remember_interrupts

HELP = """Audit a black-box model: glass boxes beside it, fairness with intervals, policies, a signed report.

Start with `audit init TABLE`, edit audit.yaml, then `audit run audit.yaml`.
Exit codes: 0 passed · 1 a rule failed · 2 a mistake in what you wrote · 3 could not be examined ·
4 cannot be trusted · 5 undecided · 6 try again · 130 Ctrl-C."""

COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("audit.cli.init:init_audit", "Write a first audit.yaml and documents.yaml from a table."),
    "run": ("audit.cli.run:run", "Audit models: measure, judge, render, sign, record."),
    "examine": ("audit.cli.examine:examine", "The first half alone: measure, write evidence.json."),
    "attest": ("audit.cli.attest:attest", "The second half alone: judge, render and seal evidence.json."),
    "verify": ("audit.cli.verify:verify", "Check a report folder, a report.pdf or a report.html."),
    "diff": ("audit.cli.diff:diff", "Compare two audits."),
    "policy": ("audit.cli.policy:app", "List, check, test and explain rules."),
    "ledger": ("audit.cli.ledger:app", "List and check the history of audits."),
    "prune": ("audit.cli.prune:prune", "List or remove reports whose years of retention are over."),
    "sign": ("audit.cli.sign:sign", "Sign a finished report as reviewer or approver."),
    "schema": ("audit.cli.schema:schema", "Print the JSON Schema of a file, for editors."),
    "doctor": ("audit.cli.doctor:doctor", "Check this installation."),
}
"""Command to the function behind it, imported only when it is called, and its line in the help."""


def build_app(chosen: str = "") -> App:
    """Return the app with all commands, none of them imported yet.

    Parameters
    ----------
    chosen : str
        The command about to run; it speaks for itself, all others show their line of the table.
    """
    app = App(
        name="audit",
        help=HELP,
        version=_tell_version,
        help_format="markdown",
        print_error=False,
        exit_on_error=False,
        result_action="return_value",
        suppress_keyboard_interrupt=False,
    )
    for position, (name, (target, words)) in enumerate(COMMANDS.items()):
        app.command(target, name=name, help=None if name == chosen else words, sort_key=position)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    code = run_command(list(sys.argv[1:] if arguments is None else arguments))
    if code == INTERRUPTED:
        leave_interrupted()
    sys.exit(code)


def run_command(arguments: list[str]) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : list of str
        What stands after ``audit``; ``--debug`` anywhere shows tracebacks.

    Returns
    -------
    int
        The exit code; an uncaught exception is 3 and never "a rule failed".
    """
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    logging.basicConfig(level=logging.DEBUG if debug else logging.CRITICAL, format="%(name)s: %(message)s")
    try:
        if arguments[:1] == ["diff"]:
            arguments = _spread_formats(arguments)
        with remember_interrupts():
            result = build_app(arguments[0] if arguments else "")(arguments or ["--help"])
        return result if isinstance(result, int) else 0
    except CycloptsError as error:
        return console.tell_error(str(error), hint="see audit --help", code=2)
    except KeyboardInterrupt:
        return console.tell_error("stopped by Ctrl-C; nothing half-written was left", code=INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # an uncaught exception is "could not be examined", never a verdict
        from audit.operations.task import OURS, explain_error

        what, hint, code = explain_error(error)
        if debug and hint == OURS:
            raise
        if "--json" in arguments:
            console.tell_json({"outcome": "error", "exit_code": code, "error": what})
        return console.tell_error(what, hint=hint, code=code)


def _spread_formats(arguments: list[str]) -> list[str]:
    """Let one --format stand before several names."""
    from .diff import FORMAT_NAMES
    from .flags import spread_names

    return spread_names(arguments, "--format", FORMAT_NAMES)


def _tell_version() -> str:
    from importlib.metadata import version

    return version("glassbox-audit")
