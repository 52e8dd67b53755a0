"""Somebody is told of what changed beyond noise, once, and of nothing else."""

from __future__ import annotations

import http.server
import itertools
import json
import sys
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from operations_material import make_scored_job

from audit.config.load import config_from
from audit.config.unattended import NotifyOrder
from audit.operations.notify import gather_news, send, tell_news
from audit.operations.standing import Stand, Standing, changed_beyond_noise, read_standing, write_standing
from audit.operations.task import AuditResult, AuditTask, run_task
from audit.statistics import score_ratio, wilson

WHEN = "2026-01-02T03:04:05Z"


def standing(status="pass", value=0.9, low=0.85, high=0.95, *, limit="at least 0.8", outcome="passed", n=1000):
    stand = Stand(rule="p/r", status=status, value=value, low=low, high=high, n=n, limit=limit)
    return Standing(system="s", outcome=outcome, verdicts={"p/r[sex=F]": stand})


def told(before, after, false_alarms=0.0001):
    return [change.scope for change in changed_beyond_noise(before, after, false_alarms=false_alarms)]


@pytest.mark.parametrize(
    ("before", "after", "tells"),
    [
        (standing(), standing(), False),
        (standing(), standing("fail", 0.6, 0.55, 0.65), True),
        (standing("pass", 0.82, 0.7, 0.94), standing("inconclusive", 0.78, 0.66, 0.9), False),  # a wobble
        (standing("pass", 0.9, 0.85, 0.95), standing("pass", 0.5, 0.45, 0.55), False),  # moved, but no verdict changed
        (standing(), standing("fail", 0.9, 0.85, 0.95, limit="at least 0.95"), True),  # another limit
        (standing("pass", 3, None, None), standing("fail", 4, None, None), True),  # a count does not scatter
        (standing("pass", None, None, None, n=None), standing("manual", None, None, None, n=None), True),  # a document
        (standing(), standing("inconclusive", None, None, None, n=12), False),  # a group too small that night
        (None, standing("fail", 0.6, 0.55, 0.65), False),  # a first run
        (standing(), standing(outcome="incomplete"), True),
    ],
)
def test_what_is_told(before, after, tells):
    assert bool(told(before, after)) is tells


@given(st.floats(0.3, 0.9), st.floats(0.01, 0.2), st.floats(-0.3, 0.3))
def test_what_is_told_lies_beyond_the_noise_of_both(value, half, moved):
    before = standing("pass", value, value - half, value + half)
    after = standing("fail", value - moved, value - moved - half, value - moved + half)
    stretch = 3.8905918864131194 / 1.959963984540054  # two-sided quantiles of 1 - .0001 and of .95
    heard = bool(told(before, after))
    assert heard == bool(told(after, before))  # a way back counts as the way there
    if abs(moved) < stretch * np.hypot(half, half) - 1e-9:
        assert not heard
    far = 10 * half * stretch
    assert (
        told(standing("pass", 1 + far, 1 + far - half, 1 + far + half), standing("fail", 1, 1 - half, 1 + half))
        or half > 0.1
    )


def test_the_group_that_happens_to_be_the_reference_scatters_too():
    fixed = standing("pass", 1.0, 1.0, 1.0)
    assert not told(fixed, standing("fail", 0.68, 0.58, 0.80))
    assert told(fixed, standing("fail", 0.68, 0.66, 0.70))


def test_a_slow_drift_is_told_in_the_end(tmp_path):
    """Each night a little: no night stands out against the one before, yet the sum of them does."""
    write_standing(tmp_path, standing("pass", 0.90, 0.88, 0.92))
    nights = [standing("fail", 0.9 - 0.01 * i, 0.88 - 0.01 * i, 0.92 - 0.01 * i) for i in range(1, 12)]
    assert not any(told(one, two) for one, two in itertools.pairwise(nights))
    against_told = [bool(told(read_standing(tmp_path, "s"), night)) for night in nights]
    assert against_told[0] is False
    assert against_told[-1] is True


def result_of(stand, **changes):
    return AuditResult("a.yaml", 0, outcome=stand.outcome, system="s", standing=stand, **changes)


@pytest.fixture
def config(tmp_path):
    script = tmp_path / "tell.py"
    script.write_text("import sys\nopen(sys.argv[1], 'a').write(sys.stdin.read() + '\\n')\n")
    return config_from(
        {
            "data": "<object>",
            "system": {"name": "s"},
            "model": {"format": "python"},
            "ledger": {"path": str(tmp_path / "log")},
            "notify": {"command": [sys.executable, str(script), str(tmp_path / "heard")]},
        },
        base=tmp_path,
    )


def heard(tmp_path):
    path = tmp_path / "heard"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def run_night(config, stand):
    news = gather_news(stand if isinstance(stand, AuditResult) else result_of(stand), config)
    return tell_news([news] if news else [], when=WHEN)


def test_it_is_told_once(config, tmp_path):
    bad = standing("fail", 0.6, 0.55, 0.65, outcome="failed")
    for stand in (standing(), standing(), bad, bad, bad):
        assert run_night(config, stand) == []
    (message,) = heard(tmp_path)
    (system,) = message["systems"]
    assert system["changes"][0] | {"because": ""} == {
        "scope": "p/r[sex=F]", "was": "pass", "now": "fail", "observed": "0.9 (0.85 to 0.95) -> 0.6 (0.55 to 0.65)",
        "because": "",
    }  # fmt: skip


def test_an_audit_that_cannot_be_made_is_told_once_and_so_is_its_return(config, tmp_path):
    broken = AuditResult("a.yaml", 3, system="s", error="no such column")
    passing = AuditResult("a.yaml", 6, system="s", error="lock held")
    for step in (standing(), broken, broken, passing, broken, standing()):
        run_night(config, step)
    assert [message["systems"][0]["outcome"] for message in heard(tmp_path)] == ["error", "passed"]


def test_what_did_not_get_through_is_tried_again(config, tmp_path):
    down = config.model_copy(update={"notify": NotifyOrder(command=("no-such-program",))})
    run_night(config, standing())
    bad = standing("fail", 0.6, 0.55, 0.65)
    (problem,) = run_night(down, bad)
    assert "no-such-program cannot be run" in problem
    assert run_night(config, bad) == []
    assert len(heard(tmp_path)) == 1


class Hook(http.server.BaseHTTPRequestHandler):
    seen: list = []
    answer = 200
    elsewhere = ""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append((self.path, self.headers["Authorization"], json.loads(body)))
        self.send_response(self.answer)
        if self.elsewhere:
            self.send_header("Location", self.elsewhere)
        self.end_headers()

    def do_GET(self):
        self.seen.append((self.path, self.headers["Authorization"], None))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *arguments):
        pass


@pytest.fixture
def hook():
    Hook.seen, Hook.answer = [], 200
    server = http.server.HTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook/s3cret"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_webhook_gets_the_message_and_no_secret_is_told(hook, monkeypatch, tmp_path):
    monkeypatch.setenv("HOOK", hook)
    (tmp_path / "token").write_text("t0ken\n")
    order = NotifyOrder(webhook="env:HOOK", token=f"file:{tmp_path / 'token'}")
    assert send(order, b'{"a": 1}') == ""
    assert Hook.seen == [("/hook/s3cret", "Bearer t0ken", {"a": 1})]
    Hook.answer = 500
    assert send(order, b"{}") == "notify.webhook answered 500"
    monkeypatch.setenv("HOOK", "http://127.0.0.1:9/s3cret")
    problem = send(order, b"{}")
    assert problem
    assert "s3cret" not in problem and "t0ken" not in problem
    for other in (
        "file:///etc/passwd",
        "http://localhost.example/x",
        "http://127.0.0.1.example/",
        "https://",
        "http://[",
    ):
        monkeypatch.setenv("HOOK", other)
        assert send(order, b"{}") == "notify.webhook is no https address"


def test_a_webhook_that_points_elsewhere_takes_no_token_there(hook, monkeypatch, tmp_path):
    monkeypatch.setenv("HOOK", hook)
    monkeypatch.setattr(Hook, "elsewhere", "/other")
    Hook.answer = 307
    (tmp_path / "token").write_text("t0ken\n")
    order = NotifyOrder(webhook="env:HOOK", token=f"file:{tmp_path / 'token'}")
    assert send(order, b"{}") == "notify.webhook answered 307"
    Hook.answer = 302
    assert send(order, b"{}") == "notify.webhook answered 302"
    assert [path for path, *_ in Hook.seen] == ["/hook/s3cret"] * 2


def test_one_message_for_all_systems_of_a_night(config, tmp_path):
    news = []
    for name in ("a", "b", "c"):
        mine = config.model_copy(update={"system": config.system.model_copy(update={"name": name})})
        for stand in (standing(), standing("fail", 0.5, 0.45, 0.55)):
            stand = stand.model_copy(update={"system": name})
            item = gather_news(result_of(stand), mine)
            if stand.verdicts["p/r[sex=F]"].status == "pass":
                tell_news([item], when=WHEN)
            else:
                news.append(item)
    assert tell_news(news, when=WHEN) == []
    (message,) = heard(tmp_path)
    assert [system["system"] for system in message["systems"]] == ["a", "b", "c"]


def test_an_audit_stands_where_its_report_says(tmp_path):
    result, outcome = run_task(AuditTask(make_scored_job(tmp_path, "real"), out=tmp_path / "out"))
    scopes = {verdict.scope: verdict for finding in outcome.findings for verdict in finding.verdicts}
    assert set(result.standing.verdicts) == set(scopes)
    for scope, stand in result.standing.verdicts.items():
        assert stand.status == scopes[scope].status
        assert stand.value == (scopes[scope].observed.value if scopes[scope].observed else None)


def night_of(rng, rates, rows, system):
    """One audit of an unchanged model: selection ratios and rates of three groups, judged as rules judge them."""
    verdicts = {}
    counts = [(int(rng.binomial(rows, rate)), rows) for rate in rates]
    best = max(counts)
    for i, (k, n) in enumerate(counts):
        low, high = wilson(k, n)
        verdicts[f"rate{i}"] = judged(k / n, low, high, 0.4)
        low, high = score_ratio(k, n, *best) if (k, n) != best else (1.0, 1.0)
        verdicts[f"ratio{i}"] = judged((k / n) / (best[0] / best[1]), low, high, 0.8)
    return Standing(system=system, outcome="passed", verdicts=verdicts)


def judged(value, low, high, limit):
    status = "pass" if low >= limit else "fail" if high < limit else "inconclusive"
    return Stand(rule="p/r", status=status, value=value, low=low, high=high, n=100, limit=str(limit))


@pytest.mark.slow
def test_two_hundred_unchanged_models_over_thirty_nights():
    """At most one model a night stands out by chance, and nearly always none; a real change does stand out."""
    rng = np.random.default_rng(5)
    models = [(rng.uniform(0.3, 0.6) * np.array([1, 0.8, rng.uniform(0.7, 1)]), int(rng.integers(80, 3000)))
              for _ in range(200)]  # fmt: skip
    first = [night_of(rng, rates, rows, f"m{i}") for i, (rates, rows) in enumerate(models)]
    alarms, flips = [], 0
    for _ in range(30):
        night = [night_of(rng, rates, rows, f"m{i}") for i, (rates, rows) in enumerate(models)]
        heard = [bool(told(one, two)) for one, two in zip(first, night, strict=True)]
        alarms.append(sum(heard))
        flips += sum(
            one.verdicts[scope].status != two.verdicts[scope].status
            for one, two in zip(first, night, strict=True)
            for scope in one.verdicts
        )
        # as the run does: what was told is what the next night is held against
        first = [two if alarm else one for one, two, alarm in zip(first, night, heard, strict=True)]
    assert flips > 1000  # without regard to noise, verdicts would be told all the time
    assert max(alarms) <= 1
    assert sum(alarms) <= 3
    fallen = night_of(rng, np.array([0.5, 0.25, 0.5]), 2000, "m")
    assert told(night_of(rng, np.array([0.5, 0.47, 0.5]), 2000, "m"), fallen)
