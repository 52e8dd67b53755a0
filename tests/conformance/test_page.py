"""The HTML, judged by others: the Nu HTML checker, axe and a Chromium, on a desk and on a phone, light and dark."""

from __future__ import annotations

from pathlib import Path

import pytest
from checkers import ask_vnu, browse

CORE = ("real", "german", "summary", "edition", "change", "history", "individual", "publication")
"""One of each kind; all others are checked with the slow tests."""


def test_the_checker_of_html_finds_no_error(specimens):
    files = sorted(specimens.glob("*.html"))
    assert len(files) >= 12
    assert ask_vnu(files)[1] == []


def test_the_checker_of_html_sees_an_error(specimens, tmp_path):
    page = (specimens / "summary.html").read_text("utf-8").replace("</main>", "<li></p></main>", 1)
    (tmp_path / "x.html").write_text(page, encoding="utf-8")
    assert ask_vnu([tmp_path / "x.html"])[1]


def list_faults(visits):
    return [
        f"{Path(visit['file']).name} {visit['width']} px {visit['scheme']}: {rule['rule']}, {rule['count']} times, "
        f"{rule['first']}: {rule['why']}"
        for visit in visits
        for rule in visit["axe"]
    ]


def test_axe_finds_no_violation(visits):
    assert len(visits) == 4 * len(CORE)
    assert list_faults(visits) == []


def test_nothing_is_requested_and_the_console_is_silent(visits):
    for visit in visits:
        assert (visit["requests"], visit["console"], visit["dialogs"], visit["popups"]) == ([], [], 0, 0), visit["file"]
        assert visit["fonts"] == 0


def test_no_page_is_wider_than_its_screen(visits):
    wide = [(visit["file"].rpartition("/")[2], visit["width"], visit["overflow"]) for visit in visits]
    assert [item for item in wide if item[2] > 0] == []


def list_cut(visits, kind):
    """Return what a phone shows cut off (``cut``), too small to read (``tiny``) or to hit (``narrow``), by page."""
    return {
        (Path(visit["file"]).name, visit["scheme"]): visit[kind]
        for visit in visits
        if visit["width"] == 390 and visit[kind]
    }


@pytest.mark.parametrize("kind", ["cut", "tiny", "narrow"])
def test_a_phone_shows_everything_large_enough(visits, kind):
    """No element is wider than the screen, no letter smaller than 12 px, nothing to press smaller than 24 px."""
    assert list_cut(visits, kind) == {}


def test_a_phone_without_script_pushes_tables_aside_not_the_page(visits):
    told = [visit["scriptless"] for visit in visits if "scriptless" in visit]
    assert len(told) == len(CORE)
    assert max(told) <= 0


def test_every_page_names_its_language(visits):
    spoken = {visit["file"].rpartition("/")[2]: visit["language"] for visit in visits}
    assert spoken.pop("german.html") == "de"
    assert set(spoken.values()) == {"en"}


def test_axe_and_the_browser_see_faults(tmp_path):
    """The gate itself: a picture without words, a script, a request and a page that is too wide are all seen."""
    page = (
        "<!DOCTYPE html><html lang=en><title>x</title><main><h1>x</h1><img src='http://127.0.0.1:9/x.png'>"
        "<p style='width: 2000px; color: #ccc; background: #fff'>pale</p>"
        "<script>window.__hostile = 1; alert(1)</script></main>"
    )
    (tmp_path / "x.html").write_text(page, encoding="utf-8")
    visit = browse([tmp_path / "x.html"])[0]
    assert {"image-alt", "color-contrast"} <= {rule["rule"] for rule in visit["axe"]}
    assert visit["requests"] == ["http://127.0.0.1:9/x.png"]
    assert visit["console"] and visit["dialogs"] == 1 and visit["ran"] and visit["overflow"] > 500


def test_the_browser_sees_what_a_phone_cuts_off(tmp_path):
    page = (
        "<!DOCTYPE html><html lang=en><title>x</title><meta name=viewport content='width=device-width'><main><h1>x</h1>"
        "<div style='overflow-x: auto'><table><tr><td style='min-width: 900px'>far</td><td>cut off</td></table></div>"
        "<p style='font-size: 9px'>small print</p><button style='height: 12px; padding: 0'>hit me</button></main>"
    )
    (tmp_path / "x.html").write_text(page, encoding="utf-8")
    phone = next(visit for visit in browse([tmp_path / "x.html"]) if visit["width"] == 390)
    assert any("cut off" in item for item in phone["cut"])
    assert phone["tiny"] == ["p.: small print"]
    assert phone["narrow"] == ["button.: hit me"]
    assert phone["overflow"] <= 0


@pytest.mark.slow
def test_every_specimen_is_as_good(specimens):
    visits = browse(sorted(specimens.glob("*.html")))
    assert list_faults(visits) == []
    assert [v["file"] for v in visits if v["requests"] or v["console"] or v["overflow"] > 0] == []
