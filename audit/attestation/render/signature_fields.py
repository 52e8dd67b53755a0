"""The three places where people sign: empty signature fields, visible and tagged, made with the page that shows them.

Comes in: the laid-out pages and the PDF in the making. Goes out: the same PDF with a form of three empty signature
fields. They are made here and not when somebody signs, so that a later signature changes a field's value and nothing
of the pages, and so that assistive technology finds each field in the cell of the table where it stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import words
from .tongue import tell

ROLES = {"sign-preparer": "Preparer", "sign-reviewer": "Reviewer", "sign-approver": "Approver"}
"""Id of the cell to the name of the field in it."""
_PRINTED_AND_LOCKED = 132
"""ISO 32000-1, table 165: bits 3 and 8; a PDF/A form must be printed (ISO 19005-3, 6.3.2)."""
_INSET = 2.0
"""Points between the cell's border and the field."""


def add_signature_fields(document: Any, pdf: Any) -> None:
    """Put an empty signature field into each cell for a signature.

    Parameters
    ----------
    document : weasyprint.Document
        Laid-out pages.
    pdf : pydyf.PDF
        Objects, changed in place.
    """
    import pydyf

    fields = pydyf.Array()
    for number, page in enumerate(document.pages):
        for box in _cells(page._page_box):
            widget = _make_widget(pdf, number, _rectangle(box, page.height), ROLES[box.element.get("id")])
            _tag(pdf, number, widget, box.mark)
            fields.append(widget.reference)
    if fields:
        form = pydyf.Dictionary({"Fields": fields})
        pdf.add_object(form)
        pdf.catalog["AcroForm"] = form.reference


def _cells(box: Any) -> Iterator[Any]:
    box = getattr(box, "_box", box)
    element = getattr(box, "element", None)
    if element is not None and getattr(box, "mark", None) is not None and element.get("id") in ROLES:
        yield box
        return
    for child in getattr(box, "children", ()):
        yield from _cells(child)


def _rectangle(box: Any, height: float) -> tuple[float, float, float, float]:
    """Return a cell's box in PDF points, upwards; WeasyPrint measures in CSS pixels, downwards."""
    left, top = box.border_box_x(), box.border_box_y()
    right, bottom = left + box.border_width(), top + box.border_height()
    edges = (left * 0.75 + _INSET, (height - bottom) * 0.75 + _INSET)
    return (*edges, right * 0.75 - _INSET, (height - top) * 0.75 - _INSET)


def _make_widget(pdf: Any, number: int, rectangle: tuple[float, float, float, float], role: str) -> Any:
    import pydyf

    left, bottom, right, top = rectangle
    extra = {"Type": "/XObject", "Subtype": "/Form", "BBox": pydyf.Array([0, 0, right - left, top - bottom])}
    nothing = pydyf.Stream([b""], extra)
    pdf.add_object(nothing)
    reference = pdf.page_references[number]
    said = tell("Signature of the {role}", role=words.lowered(tell(role)))
    widget = pydyf.Dictionary(
        {
            "Type": "/Annot", "Subtype": "/Widget", "FT": "/Sig", "T": pydyf.String(role),
            "TU": pydyf.String(said), "F": _PRINTED_AND_LOCKED, "P": reference,
            "Rect": pydyf.Array(rectangle), "AP": pydyf.Dictionary({"N": nothing.reference}),
        }
    )  # fmt: skip
    pdf.add_object(widget)
    page = _object(pdf, reference)
    page.setdefault("Annots", pydyf.Array()).append(widget.reference)
    return widget


def _tag(pdf: Any, number: int, widget: Any, cell: Any) -> None:
    """Hang a field into the structure, below its cell (ISO 14289-1, 7.18.4)."""
    import pydyf

    page = pdf.page_references[number]
    link = pydyf.Dictionary({"Type": "/OBJR", "Obj": widget.reference, "Pg": page})
    pdf.add_object(link)
    # The kid is the reference itself: readers that compare revisions lose their way in a list of one.
    element = pydyf.Dictionary(
        {"Type": "/StructElem", "S": "/Form", "K": link.reference, "Pg": page, "P": cell.reference}
    )
    pdf.add_object(element)
    cell["K"].append(element.reference)
    owners = _object(pdf, _object(pdf, pdf.catalog["StructTreeRoot"])["ParentTree"])["Nums"]
    widget["StructParent"] = max(owners[::2]) + 1
    owners.extend((widget["StructParent"], element.reference))


def _object(pdf: Any, reference: bytes) -> Any:
    return pdf.objects[int(reference.split()[0])]
