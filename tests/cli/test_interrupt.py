"""Ctrl-C that a library swallows still ends the run, at its next stage."""

from __future__ import annotations

import os
import signal

import pytest

from audit.cli.console import TerminalProgress
from audit.cli.interrupt import heed_interrupt, remember_interrupts


def test_swallowed_interrupt_ends_the_next_stage():
    before = signal.getsignal(signal.SIGINT)
    with remember_interrupts():
        heed_interrupt()
        try:
            os.kill(os.getpid(), signal.SIGINT)
            signal.sigtimedwait([], 0.2)
        except BaseException as swallowed:  # as careless libraries do
            assert isinstance(swallowed, KeyboardInterrupt)
        with pytest.raises(KeyboardInterrupt):
            TerminalProgress().stage("the next one")
    assert signal.getsignal(signal.SIGINT) is before


def test_an_old_interrupt_is_forgotten():
    with remember_interrupts():
        heed_interrupt()


def test_swallowed_interrupt_ends_a_run_with_130(small_job, tmp_path, run_cli, monkeypatch):
    from audit.examination.measures import roster

    whole = roster.MEASURES["data"]

    def careless(case):
        try:
            os.kill(os.getpid(), signal.SIGINT)
            signal.sigtimedwait([], 0.2)
        except BaseException:
            pass
        return whole(case)

    monkeypatch.setitem(roster.MEASURES, "data", careless)
    code, _, err = run_cli("run", small_job / "audit.yaml", "--out", tmp_path / "report")
    assert code == 130, err
    assert not (tmp_path / "report").exists()
