"""What our fonts can draw, and how wide: so that no foreign font enters a report and no label leaves its place.

Comes in: text. Goes out: widths in font units, text cut to a width, text without signs that the fonts lack.
"""

from __future__ import annotations

import unicodedata
from functools import cache

from audit.shipped import shipped_folder

REPLACEMENT = "□"
_BIDI = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\u2028\u2029")


@cache
def _metrics() -> tuple[dict[int, str], dict[str, int], int]:
    from fontTools.ttLib import TTFont

    with TTFont(shipped_folder("templates") / "fonts" / "Inter-Regular.ttf", lazy=True) as font:
        widths = {name: advance for name, (advance, _) in font["hmtx"].metrics.items()}
        return dict(font.getBestCmap()), widths, int(font["head"].unitsPerEm)


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Return the width of `text` at font size `size`, in the unit of `size`."""
    cmap, widths, unit = _metrics()
    total = sum(widths.get(cmap.get(ord(sign), ""), unit * _foreign_width(sign)) for sign in text)
    return total * size / unit * (1.06 if bold else 1.0)


def _foreign_width(sign: str) -> float:
    """Return about how wide a sign of another font is, in em: a full square where Unicode calls it wide."""
    return 1.0 if unicodedata.east_asian_width(sign) in "WF" else 0.6


def fit_text(text: str, size: float, width: float, *, bold: bool = False) -> str:
    """Return `text`, cut with an ellipsis where it is wider than `width`."""
    text = text[:400]
    if text_width(text, size, bold=bold) <= width:
        return text
    while text and text_width(text + "…", size, bold=bold) > width:
        text = text[:-1]
    return text.rstrip() + "…"


def shorten(text: str, limit: int = 120) -> str:
    """Return `text`, cut with an ellipsis where it has more than `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def missing_signs(text: str) -> tuple[str, ...]:
    """Return the characters of `text` that the shipped fonts cannot draw, in code order."""
    cmap = _metrics()[0]
    return tuple(sorted(sign for sign in set(text) if ord(sign) not in cmap and sign not in "\n\t\r"))


def clean_text(text: str) -> str:
    """Return `text` with control and direction signs made visible; what no format may carry."""
    bad = {sign for sign in set(text) if _is_forbidden(sign)}
    return text.translate({ord(sign): REPLACEMENT for sign in bad}) if bad else text


def _is_forbidden(sign: str) -> bool:
    return sign in _BIDI or (unicodedata.category(sign) in {"Cc", "Cs", "Cn"} and sign not in "\n\t")


def drawable(text: str, held: str = "") -> str:
    """Return `text` with every sign that neither the shipped fonts nor `held` have replaced by a visible box.

    Notes
    -----
    A report whose characters no font holds is refused before it is drawn (`lending`); what a box is left for is text
    that reaches a page by another way, in which a sign without a glyph would break PDF/A.
    """
    lacking = [sign for sign in missing_signs(text) if sign not in held]
    return text.translate({ord(sign): REPLACEMENT for sign in lacking}) if lacking else text


def name_signs(signs: tuple[str, ...]) -> str:
    """Return the code points of `signs` for a reader, at most twelve."""
    shown = ", ".join(f"U+{ord(sign):04X}" for sign in signs[:12])
    return f"{shown} and {len(signs) - 12} more" if len(signs) > 12 else shown
