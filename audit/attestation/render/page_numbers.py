"""Page numbers in references, written once every page is laid out.

Comes in: WeasyPrint's laid-out pages, in which each reference ends in `PLACEHOLDER`. Goes out: the same pages with the
numbers. A style sheet could count for itself (``target-counter``), but then every page that refers to a later one is
laid out two more times, which was a third of the time of a report; digits of one width make that needless.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

PLACEHOLDER = "88"
"""What the print style sheet writes after ``pageref`` and ``pgno``: as wide as most numbers."""
_CLASSES = frozenset({"pageref", "pgno"})


def write_page_numbers(document: Any) -> None:
    """Put the number of its target's page into every reference.

    Parameters
    ----------
    document : weasyprint.Document
        Laid-out pages, changed in place.
    """
    numbers: dict[str, str] = {}
    for number, page in enumerate(document.pages, start=1):
        for anchor in page.anchors:
            numbers.setdefault(anchor, str(number))  # the first page of what runs over several
    for page in document.pages:
        for text, parents in _references(page._page_box, ()):
            target = parents[-1].element.get("href", "").removeprefix("#")
            _write(text, parents, numbers.get(target, ""))


def _references(box: Any, parents: tuple[Any, ...]) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """Yield every text that ends in the placeholder, with the boxes that it stands in."""
    if hasattr(box, "pango_layout"):
        if parents and _is_reference(parents[-1]) and box.text.endswith(PLACEHOLDER):
            yield box, parents
        return
    for child in getattr(box, "children", ()):
        yield from _references(getattr(child, "_box", child), (*parents, box))


def _is_reference(box: Any) -> bool:
    element = box.element
    return (
        str(box.element_tag).endswith("::after")
        and element is not None
        and bool(_CLASSES & set((element.get("class") or "").split()))
    )


def _write(text: Any, parents: Sequence[Any], number: str) -> None:
    """Write a number, and move what follows it on the line by what it is wider or narrower than the placeholder."""
    text.text = text.text.removesuffix(PLACEHOLDER) + number
    wider = _width(text) - text.width
    if abs(wider) < 0.01:
        return
    text.width += wider
    child = text
    for parent in reversed(parents):
        if type(parent).__name__ == "LineBox":
            _settle(parent, child, wider)
            return
        parent.width += wider
        _move_after(parent, child, wider)
        child = parent


def _settle(line: Any, child: Any, wider: float) -> None:
    """Keep a line at its right edge where it is set flush right."""
    _move_after(line, child, wider)
    if line.style["text_align_all"] in ("right", "end"):
        for part in line.children:
            part.translate(-wider, 0)


def _move_after(parent: Any, child: Any, wider: float) -> None:
    place = next(index for index, item in enumerate(parent.children) if item is child)
    for item in parent.children[place + 1 :]:
        item.translate(wider, 0)


def _width(text: Any) -> float:
    """Return how wide a text's line has become, in CSS pixels."""
    from weasyprint.text.line_break import line_size

    layout = text.pango_layout
    layout.reactivate(text.style)
    layout.set_text(text.text)
    line, _ = layout.get_first_line()
    width = float(line_size(line, text.style)[0])
    layout.deactivate()
    return width
