"""What the layout engine leaves open in a PDF, mended before the file is written.

Comes in: WeasyPrint's document and the PDF in the making. Goes out: the same PDF, then PDF/A-3a and PDF/UA-1 at once:
the UA mark with its extension schema, figure boxes in PDF units, each attachment named once, headers with scope,
empty fields for the signatures.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .signature_fields import add_signature_fields

UA_MARK = b"""<rdf:Description xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" rdf:about=""
 xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/"><pdfuaid:part>1</pdfuaid:part></rdf:Description>
<rdf:Description xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" rdf:about=""
 xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/" xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#"
 xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#"><pdfaExtension:schemas><rdf:Bag>
<rdf:li rdf:parseType="Resource"><pdfaSchema:schema>PDF/UA identification schema</pdfaSchema:schema>
<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix><pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">
<pdfaProperty:name>part</pdfaProperty:name><pdfaProperty:valueType>Integer</pdfaProperty:valueType>
<pdfaProperty:category>internal</pdfaProperty:category>
<pdfaProperty:description>Indicates, which part of ISO 14289 standard is followed</pdfaProperty:description>
</rdf:li></rdf:Seq></pdfaSchema:property></rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description>
"""
"""ISO 14289-1, 5: the conformance mark; ISO 19005-3, 6.6.2.3: a property outside PDF/A needs its schema."""


BARE = frozenset({"/Span", "/NonStruct"})
BARE_KEYS = {"Type", "S", "K", "Pg", "P"}
_TEXTUAL = ("P", "TD", "TH", "Caption", "LBody", "Lbl", "H1", "H2", "H3", "H4", "H5", "H6")
HOLDERS = BARE | {f"/{name}" for name in _TEXTUAL}
"""What text may hang in directly (ISO 32000-1, 14.8.4.3 and 14.8.4.4)."""


def finish_pdf(document: Any, pdf: Any) -> None:
    """Mend a PDF before it is written.

    Parameters
    ----------
    document : weasyprint.Document
        Laid-out pages.
    pdf : pydyf.PDF
        Objects, changed in place.
    """
    _mark_accessible(pdf)
    _name_attachments_once(pdf)
    _place_figures(document, pdf)
    add_signature_fields(document, pdf)
    _give_headers_scope(document)
    _drop_bare_spans(pdf)


def _mark_accessible(pdf: Any) -> None:
    stream = pdf.objects[int(pdf.catalog["Metadata"].split()[0])]
    whole = b"".join(stream.stream)
    head, end, tail = whole.rpartition(b"</rdf:RDF>")
    stream.stream = [head + UA_MARK + end + tail]
    stream.compress = False


def _name_attachments_once(pdf: Any) -> None:
    if "AF" in pdf.catalog:
        pdf.catalog["AF"][:] = list(dict.fromkeys(pdf.catalog["AF"]))


def _place_figures(document: Any, pdf: Any) -> None:
    """Turn boxes from CSS pixels, downwards, into PDF points, upwards (ISO 32000-1, 14.8.5.4.3)."""
    heights = {reference: page.height for reference, page in zip(pdf.page_references, document.pages, strict=True)}
    for item in pdf.objects:
        if isinstance(item, dict) and item.get("S") == "/Figure" and "A" in item:
            left, top, right, bottom = item["A"]["BBox"]
            height = heights[item["Pg"]]
            item["A"]["BBox"][:] = [left * 0.75, (height - bottom) * 0.75, right * 0.75, (height - top) * 0.75]


def _give_headers_scope(document: Any) -> None:
    for page in document.pages:
        for box in _descend(page._page_box):
            mark = getattr(box, "mark", None)
            if mark is not None and mark.get("S") == "/TH":
                row = box.element is not None and box.element.get("scope") == "row"
                mark["A"]["Scope"] = "/Row" if row else "/Column"


def _drop_bare_spans(pdf: Any) -> None:
    """Hang text into the paragraph, heading or cell that holds it: marks that say nothing are half of the structure.

    Notes
    -----
    Objects are looked at from the last to the first, so that children come before their parents.
    """
    root = _object(pdf, _object(pdf, pdf.catalog["StructTreeRoot"])["ParentTree"])["Nums"]
    owners = {pdf.page_references[root[i]]: root[i + 1] for i in range(0, 2 * len(pdf.page_references), 2)}
    item: Any
    for item in reversed([found for found in pdf.objects if isinstance(found, dict)]):
        if item.get("S") not in BARE or set(item) != BARE_KEYS:
            continue
        parent = _object(pdf, item["P"])
        whole = all(isinstance(kid, int) for kid in item["K"])
        if not whole or parent.get("S") not in HOLDERS or parent.get("Pg") != item["Pg"]:
            continue
        place = parent["K"].index(item.reference)
        parent["K"][place : place + 1] = item["K"]
        for kid in item["K"]:
            owners[item["Pg"]][kid] = parent.reference
        item.free, item.generation, item.number = "f", 1, 0  # else it would count among the compressed objects


def _object(pdf: Any, reference: bytes) -> Any:
    return pdf.objects[int(reference.split()[0])]


def _descend(box: Any) -> Iterator[Any]:
    box = getattr(box, "_box", box)
    yield box
    for child in getattr(box, "children", ()):
        yield from _descend(child)
