"""A page as the layout engine holds it: read as fast as it can be, with no more styles than it uses.

Comes in: the text of a page and its style. Goes out: what `render` of the engine is called on.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import Any

_EMPTY = re.compile(r"<(meta|br|img|hr|col|wbr|link)\b((?:[^<>\"']|\"[^\"]*\"|'[^']*')*?)/?>")
_OF_FOOTNOTES = re.compile(r"^::(?:footnote|note)-[\w-]+ \{[^}]*\}\n", re.M)
_OF_MARKERS = re.compile(r"^::marker \{", re.M)


def read_markup(page: str, style: str, fetch: Callable[..., Any]) -> Any:
    """Return a page as the layout engine holds it.

    Parameters
    ----------
    page : str
        Its markup.
    style : str
        What it will be laid out with; only looked at.
    fetch : callable
        Gives the pictures that the page names.

    Notes
    -----
    A page of ours is well-formed XML once its empty elements are closed, and read as such in a twentieth of the time.
    One with an organisation's own templates may not be; it is then read as browsers read it.
    """
    from xml.etree import ElementTree as ET

    import cssselect2

    kind = _lean_page() if _is_plain(style) else _any_page()
    try:
        root = ET.fromstring(_EMPTY.sub(r"<\1\2/>", page))  # noqa: S314 - no entity but the five; all text was escaped
    except ET.ParseError:
        return kind(string=page, url_fetcher=fetch)
    html = kind(string="<html></html>", url_fetcher=fetch)
    html.wrapper_element = cssselect2.ElementWrapper.from_html_root(root, content_language=None)
    html.etree_element = html.wrapper_element.etree_element
    return html


def _is_plain(style: str) -> bool:
    """Whether a style sets no footnotes and makes no list items of other elements."""
    return not any(word in style for word in ("footnote", "list-item", "note-"))


def _any_page() -> Any:
    from weasyprint import HTML

    return HTML


@cache
def _lean_page() -> Any:
    """Return the engine's page without the styles of footnotes, and with those of markers for list items alone.

    Notes
    -----
    The engine's own style sheet gives each element five styles for footnotes that it may have and one for its marker:
    a fifth of the memory and a twelfth of the time of a report, which has no footnotes of that kind. The bytes are the
    same (a test compares them). Should a later engine name its sheets otherwise, nothing is lost but that.
    """
    import weasyprint

    sheet = (resources.files(weasyprint) / "css" / "html5_ua.css").read_text("utf-8")
    lean = _OF_MARKERS.sub("li::marker, summary::marker {", _OF_FOOTNOTES.sub("", sheet))
    sheets = [weasyprint.CSS(string=lean)]

    class LeanPage(weasyprint.HTML):  # type: ignore[misc]
        def _ua_stylesheets(self, forms: bool = False) -> Any:
            return super()._ua_stylesheets(forms) if forms else sheets

    return LeanPage
