"""The page of all audits: what it says, what it must not do, and that its figures are where the numbers are."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest

from audit.attestation.history import write_history
from audit.attestation.ledger.store import hold_ledger
from audit.attestation.render.history import AuditPast, Happening, render_history, show_system
from audit.evidence import Dossier, Performance
from audit.evidence.estimate import Estimate, Measurement


def with_auc(dossier, value, low, high):
    one = Measurement(
        metric="performance.auc", model="black_box", estimate=Estimate(value=value, low=low, high=high, method="DeLong")
    )
    part = Performance(rows=100, protocol="out of fold", models=("black_box",), measurements=(one,))
    evidence = dossier.evidence.model_copy(update={"performance": part})
    judged = dossier.judgement.model_copy(update={"evidence_digest": evidence.digest()})
    return dossier.model_copy(update={"evidence": evidence, "judgement": judged})


def make_past(dossier_of, index, *, value=0.8, **about):
    dossier = with_auc(dossier_of(None), value, value - 0.05, value + 0.05)
    return AuditPast(
        **{
            "index": index, "time": f"2026-0{index + 1}-15T09:30:00Z", "system": "loans", "version": "1",
            "outcome": "passed", "counts": {"pass": 3, "fail": 1}, "dossier": dossier, "link": "r/report.html",
        }
        | about
    )  # fmt: skip


class Tags(HTMLParser):
    """Collects tags, attributes and text."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.words = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)


def render(audits):
    return render_history(audits, head="sha256:" + "ab" * 32, checked="One chain.").decode()


def test_points_and_bars_are_where_the_numbers_are(dossier_of):
    trend = show_system("loans", [make_past(dossier_of, k, value=0.7 + k / 20) for k in range(4)]).trends[0]
    heights = dict((float(text), y) for y, text in trend.ticks)
    low, high = min(heights), max(heights)
    scale = (heights[low] - heights[high]) / (high - low)
    for k, point in enumerate(trend.points):
        assert point.y == pytest.approx(heights[low] - (0.7 + k / 20 - low) * scale, abs=0.15)
        assert point.bottom - point.y == pytest.approx(0.05 * scale, abs=0.15)
        assert point.y - point.top == pytest.approx(0.05 * scale, abs=0.15)
    assert [row[1] for row in trend.rows] == ["0.700", "0.750", "0.800", "0.850"]
    assert trend.last == "0.850"


def test_withdrawn_audits_stand_in_the_table_and_not_in_the_figures(dossier_of):
    audits = [make_past(dossier_of, 0), make_past(dossier_of, 1, status="withdrawn"), make_past(dossier_of, 2)]
    shown = show_system("loans", audits)
    assert len(shown.trends[0].points) == 2
    assert [row.past.index for row in shown.rows] == [2, 1, 0]
    assert shown.now.past.index == 2


def test_standing_is_that_of_the_last_audit_that_stands(dossier_of):
    audits = [make_past(dossier_of, 0, outcome="failed"), make_past(dossier_of, 1, status="withdrawn")]
    assert show_system("loans", audits).now.outcome == "Failed"
    gone = show_system("loans", [make_past(dossier_of, 0, status="withdrawn")])
    assert gone.now is None
    assert "No audit stands" in render([make_past(dossier_of, 0, status="withdrawn")])


def test_page_needs_nothing_else_and_allows_nothing_else(dossier_of):
    page = render([make_past(dossier_of, k) for k in range(3)])
    tags = Tags(page).tags
    assert not [tag for tag, about in tags if tag in ("script", "img", "iframe", "object", "link") or "style" in about]
    assert not [about for _, about in tags if any(name.startswith("on") for name in about)]
    assert not re.findall(r"https?://", page.replace("http://www.w3.org", ""))
    policy = next(about["content"] for _, about in tags if about.get("http-equiv") == "Content-Security-Policy")
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.startswith("default-src 'none'")
    assert f"style-src 'sha256-{digest}'" in policy
    assert all(about["href"].startswith(("#", "r/")) for tag, about in tags if tag == "a")


def test_hostile_text_is_text(dossier_of):
    bad = '<script>alert(1)</script>"><img src=x onerror=alert(1)>\u202e' + "x" * 10_000
    said = Happening("2026-03-20T10:00:00Z", "correction", bad, bad)
    past = make_past(dossier_of, 0, version=bad, signer=bad, status="corrected", replaced_by=0, happenings=(said,))
    page = render([past])
    assert "<script" not in page
    assert "<img" not in page
    assert len(page) < 400_000


def test_what_happened_is_told(dossier_of):
    happenings = tuple(
        Happening("2026-03-20T10:00:00Z", kind, "Ada", f"why {kind}")
        for kind in ("signature", "correction", "withdrawal", "removal", "publication")
    )
    words = " ".join(Tags(render([make_past(dossier_of, 0, happenings=happenings)])).words)
    for one in happenings:
        assert f"why {one.kind}" in words


def test_reports_that_are_missing_or_other_ones_are_not_shown(folder_of_reports):
    ledger, reports, page = folder_of_reports
    shown = write_history(ledger, [reports], page).decode()
    assert shown.count("<circle") == 2
    assert "audits/loans/r0/report.html" in shown
    file = reports / "loans" / "r1" / "audit.json"
    value = json.loads(file.read_bytes())
    value["evidence"]["performance"]["measurements"][0]["estimate"]["value"] = 0.81
    file.write_bytes(Dossier.model_validate(value).canonical())
    changed = write_history(ledger, [reports], page).decode()
    assert changed.count("<circle") == 1
    assert "The report of 1 was not found" in changed
    assert "audits/loans/r1" not in changed


@pytest.fixture
def folder_of_reports(tmp_path, dossier_of):
    reports = tmp_path / "audits"
    with hold_ledger(tmp_path / "audit-log") as ledger:
        for k in range(2):
            dossier = with_auc(dossier_of(None, created=f"2026-0{k + 1}-15T09:30:00Z"), 0.8, 0.75, 0.85)
            folder = reports / "loans" / f"r{k}"
            folder.mkdir(parents=True)
            (folder / "audit.json").write_bytes(dossier.canonical())
            (folder / "report.html").write_bytes(b"page")
            ledger.append(dossier, {"SHA256SUMS": b"x"})
    return tmp_path / "audit-log", reports, tmp_path / "history.html"


def test_same_ledger_same_page(folder_of_reports):
    ledger, reports, page = folder_of_reports
    assert write_history(ledger, [reports], page) == write_history(ledger, [reports], page)


def test_list_command_writes_the_page(run_cli, folder_of_reports):
    ledger, reports, page = folder_of_reports
    code, out, _ = run_cli("ledger", "list", ledger, "--html", page, "--reports", reports)
    assert (code, out.strip()) == (0, str(page))
    assert page.read_bytes().startswith(b"<!DOCTYPE html>")
    assert run_cli("ledger", "list", ledger, "--html", page / "no", "--reports", reports)[0] == 2


def test_empty_history():
    assert "holds no audit yet" in render([])
