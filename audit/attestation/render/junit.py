"""Verdicts as JUnit XML, for build servers.

Comes in: a dossier. Goes out: one suite per policy, one case per scope of a rule. Failed is a failure, broken is an
error, open and not applicable are skipped with the reason: a test report knows no fourth word.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from audit.evidence import Dossier, Presentation, RuleFinding, Verdict

from . import words
from .findings import verdict_sentence
from .glyphs import clean_text

_FAILED = {"fail"}
_BROKEN = {"error"}
_SKIPPED = {"inconclusive", "manual", "not_applicable", "waived"}


def render_junit(dossier: Dossier) -> bytes:
    """Return the verdicts as JUnit XML."""
    root = ET.Element("testsuites", name=_legal(dossier.evidence.subject.system))
    packs = dict.fromkeys(finding.pack for finding in dossier.judgement.findings)
    for pack in packs:
        mine = [finding for finding in dossier.judgement.findings if finding.pack == pack]
        _add_suite(root, pack, mine, dossier.presentation)
    if dossier.evidence.broken:
        _add_broken(root, dossier)
    if not any(finding.status != "not_applicable" for finding in dossier.judgement.findings):
        _add_unjudged(root, dossier)
    _sum_up(root)
    ET.indent(root)
    data: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return data + b"\n"


def _add_suite(root: ET.Element, pack: str, findings: list[RuleFinding], shown: Presentation) -> None:
    suite = ET.SubElement(root, "testsuite", name=_legal(pack), timestamp=_legal(shown.created.rstrip("Z")))
    ET.SubElement(ET.SubElement(suite, "properties"), "property", name="audience", value=shown.audience)
    for finding in findings:
        for verdict in finding.verdicts:
            _add_case(suite, finding, verdict)


def _add_case(suite: ET.Element, finding: RuleFinding, verdict: Verdict) -> None:
    case = ET.SubElement(suite, "testcase", classname=_legal(finding.rule), name=_legal(verdict.scope), time="0")
    message = _legal(f"{words.VERDICTS[verdict.status].word}: {verdict.because}")
    said = _list_task(finding, verdict)
    if verdict.status in _FAILED:
        made = ET.SubElement(case, "failure", message=message, type=finding.severity)
        made.text = _legal("\n".join((finding.title, *verdict.trace)))
    elif verdict.status in _BROKEN:
        ET.SubElement(case, "error", message=message, type="error")
    elif verdict.status in _SKIPPED:
        ET.SubElement(case, "skipped", message=message)
        said = [*map(_legal, verdict.trace), *said]
    elif verdict.status == "warn":
        said = [message, *map(_legal, verdict.trace), *said]
    if said:
        ET.SubElement(case, "system-out").text = "\n".join(said)


def _list_task(finding: RuleFinding, verdict: Verdict) -> list[str]:
    """Return what a finding is known by and who deals with it, a line each, as build servers read a case's output.

    Parameters
    ----------
    finding, verdict : RuleFinding, Verdict
        The rule, for its place in the policy file, and one of its scopes; one that passed has no lines.

    Notes
    -----
    The schemas in use (JUnit 10 of Jenkins and pytest) allow properties to a suite alone, never to a case.
    """
    told = [(key, getattr(verdict, key)) for key in ("owner", "due", "first_seen", "note") if getattr(verdict, key)]
    if not told and verdict.status in ("pass", "not_applicable"):
        return []
    known = (("id", verdict.id), ("rule", f"{finding.path}:{finding.line}"))
    return [f"[[PROPERTY|{key}={_legal(value)}]]" for key, value in (*known, *told)]


def _add_broken(root: ET.Element, dossier: Dossier) -> None:
    suite = ET.SubElement(root, "testsuite", name="examination")
    for name, reason in dossier.evidence.why_broken().items():
        case = ET.SubElement(suite, "testcase", classname="examination", name=words.SECTIONS[name], time="0")
        ET.SubElement(case, "error", message=_legal(reason), type="not done")


def _add_unjudged(root: ET.Element, dossier: Dossier) -> None:
    """Say that nothing was held against a limit: a suite without a case would read as a success."""
    suite = ET.SubElement(root, "testsuite", name="judgement")
    case = ET.SubElement(suite, "testcase", classname="judgement", name=dossier.judgement.outcome, time="0")
    ET.SubElement(case, "skipped", message=_legal(verdict_sentence(dossier.judgement, ())))


def _sum_up(root: ET.Element) -> None:
    for suite in [*root, root]:
        cases = list(suite.iter("testcase"))
        suite.set("tests", str(len(cases)))
        for kind, name in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            if suite is not root or kind != "skipped":
                suite.set(name, str(sum(case.find(kind) is not None for case in cases)))


def _legal(text: str) -> str:
    return clean_text(text)
