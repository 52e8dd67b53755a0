"""One summary of many audits: a page for people, JSON for programs, JUnit for build servers.

Comes in: results. Goes out: ``index.html`` (one file, no script, no network), ``summary.json`` and ``junit.xml`` in one
folder. Links to reports are relative, so that the folder can be moved together with them. The page is in the language
of the reports where all share one, and English otherwise; JSON and JUnit are for programs and always English.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

from audit.attestation.folder import explain_os_error, replace_file
from audit.attestation.render.html import environment, font_faces, name_digest, shipped_text
from audit.attestation.render.tongue import ENGLISH, speak, tell
from audit.attestation.render.words import VERDICTS
from audit.evidence import VERDICT_ORDER, VerdictWord

from .task import WORST_FIRST, AuditResult, worst_code

CODES = {
    0: "passed or measured", 1: "failed", 2: "mistake in a text", 3: "could not be examined", 4: "cannot be trusted",
    5: "undecided", 6: "try again",
}  # fmt: skip
"""Exit code to its meaning."""
TONES = {0: "good", 1: "bad", 2: "bad", 3: "bad", 4: "bad", 5: "open", 6: "open"}


def write_summary(folder: Path, results: Sequence[AuditResult], *, when: str) -> Path:
    """Write page, JSON and JUnit of a run; existing ones are replaced, each in one step.

    Parameters
    ----------
    folder : pathlib.Path
        Where to; made where it is missing.
    results : sequence of AuditResult
        In the order of the configurations.
    when : str
        UTC time of the run, ISO 8601.

    Returns
    -------
    pathlib.Path
        The page.

    Raises
    ------
    ConfigError
        Nothing can be written there.
    TryAgain
        The disk is full.
    """
    files = {
        "index.html": render_fleet_page(results, when=when, folder=folder),
        "summary.json": json.dumps(summarise(results, when=when), indent=2, ensure_ascii=False).encode() + b"\n",
        "junit.xml": render_fleet_junit(results, when=when),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            replace_file(folder / name, data, mode=0o644)
    except OSError as error:
        raise explain_os_error(error, folder) from None
    return folder / "index.html"


def summarise(results: Sequence[AuditResult], *, when: str) -> dict[str, Any]:
    """Return the summary of a run as a JSON value."""
    return {
        "time": when,
        "exit_code": worst_code(list(results)),
        "count": {words: sum(result.exit_code == code for result in results) for code, words in CODES.items()},
        "audits": [result.as_json() for result in results],
    }


def render_fleet_junit(results: Sequence[AuditResult], *, when: str) -> bytes:
    """Return the run as JUnit XML: one suite per audit, one case per rule.

    Notes
    -----
    Failed rules are failures, what broke or could not be made is an error, what is open is skipped with its reason.
    """
    root = ET.Element("testsuites", name="audits")
    for result in results:
        name = result.system or result.config
        suite = ET.SubElement(
            root, "testsuite", name=_legal(name), time=f"{result.seconds:.3f}", timestamp=when.rstrip("Z")
        )
        if result.error:
            case = ET.SubElement(suite, "testcase", classname=_legal(name), name="audit")
            ET.SubElement(case, "error", message=_legal(result.error), type=CODES.get(result.exit_code, "error"))
        for finding in result.described.get("findings", ()):
            _add_case(suite, name, finding)
        _sum_up(suite)
    _sum_up(root)
    ET.indent(root)
    data: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return data + b"\n"


def render_fleet_page(results: Sequence[AuditResult], *, when: str, folder: Path) -> bytes:
    """Return the page: worst first, one row per audit, with a bar of its verdicts and a link to its report.

    Parameters
    ----------
    folder : pathlib.Path
        Where the page will stand; links are relative to it.
    """
    style = "\n".join((font_faces(("Inter",)), *(shipped_text(f"styles/{name}.css") for name in ("tokens", "fleet"))))
    policy = (
        f"default-src 'none'; style-src '{name_digest(style)}'; font-src data:; base-uri 'none'; form-action 'none'"
    )
    ordered = sorted(results, key=lambda result: (WORST_FIRST.index(result.exit_code), result.system or result.config))
    counts = [(code, sum(result.exit_code == code for result in results)) for code in WORST_FIRST]
    language = shared_language(results)
    with speak(language):
        page = (
            environment()
            .get_template("fleet.html.j2")
            .render(
                policy=policy,
                style=style,
                language=language,
                when=when,
                rows=[_row_of(result, folder) for result in ordered],
                totals=[(tell(CODES[code]), count, TONES[code]) for code, count in counts if count],
                audits=len(results),
            )
        )
    return page.encode("utf-8", errors="replace")


def shared_language(results: Sequence[AuditResult]) -> str:
    """Return the language that all reports share; English where they share none, or none is known."""
    spoken = {result.language for result in results if result.language}
    return spoken.pop() if len(spoken) == 1 else ENGLISH


def _row_of(result: AuditResult, folder: Path) -> dict[str, Any]:
    counts: dict[VerdictWord, int] = {word: result.described.get("counts", {}).get(word, 0) for word in VERDICT_ORDER}
    worst = [finding for finding in result.described.get("findings", ()) if finding["status"] in ("fail", "error")]
    return {
        "name": result.system or result.config,
        "title": result.title,
        "config": result.config,
        "meaning": tell(CODES[result.exit_code]),
        "tone": TONES[result.exit_code],
        "code": result.exit_code,
        "errors": [text for text in (result.error, result.hint) if text],
        "worst": worst[:3],
        "more": max(0, len(worst) - 3),
        "bar": _bar(counts),
        "counts": counts,
        "seconds": f"{result.seconds:.1f}",
        "report": _link(result, folder),
    }


def _bar(counts: dict[VerdictWord, int]) -> list[dict[str, Any]]:
    """Return the pieces of a bar of 200 units: place, width, verdict and number."""
    total, start, pieces = sum(counts.values()), 0.0, []
    for word, count in counts.items():
        if count:
            width = 200 * count / total
            said = tell(VERDICTS[word].word.lower())
            pieces.append({"x": f"{start:.2f}", "width": f"{width:.2f}", "word": word, "said": said, "count": count})
            start += width
    return pieces


def _link(result: AuditResult, folder: Path) -> str:
    report = Path(result.described.get("folder", "")) / "report.html"
    if not result.described or not report.is_file():
        return ""
    return quote(Path(os.path.relpath(report.resolve(), folder.resolve())).as_posix())


def _add_case(suite: ET.Element, name: str, finding: dict[str, Any]) -> None:
    case = ET.SubElement(suite, "testcase", classname=_legal(name), name=_legal(finding["rule"]))
    message = _legal(f"{finding['status'].replace('_', ' ')}: {finding['because']}")
    if finding["status"] == "fail":
        ET.SubElement(case, "failure", message=message, type=finding["severity"])
    elif finding["status"] == "error":
        ET.SubElement(case, "error", message=message, type="error")
    elif finding["status"] in ("inconclusive", "manual", "waived", "not_applicable"):
        ET.SubElement(case, "skipped", message=message)


def _sum_up(element: ET.Element) -> None:
    counted = (("testcase", "tests"), ("failure", "failures"), ("error", "errors"), ("skipped", "skipped"))
    for tag, name in counted:
        if element.tag != "testsuites" or name != "skipped":  # the schema of JUnit counts skipped ones by suite
            element.set(name, str(len(list(element.iter(tag)))))


def _legal(text: str) -> str:
    """Leave out signs that XML 1.0 cannot hold."""
    return "".join(sign for sign in text if sign in "\t\n" or (ord(sign) >= 32 and not 0xD800 <= ord(sign) <= 0xDFFF))
