"""Fonts of the user for characters that the shipped ones lack; a character that no font holds is refused by name.

Comes in: a dossier and the folder `report.fonts`. Goes out: the dossier with what is needed of these fonts, cut down to
the characters that the report prints: it stays a function of the dossier, and every reader sees the same.
"""

from __future__ import annotations

import base64
import io
import re
import unicodedata
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

from audit.errors import ConfigError, Mistake
from audit.evidence import Dossier, FontShown, digest_bytes

from .formats import FORMATS
from .glyphs import missing_signs, shorten

PLACE = "report.fonts"
MAX_BYTES = 500_000
"""What all lent fonts together may add to a report."""
_NOT_TEXT = re.compile(r"<(style|script)>.*?</\1>|<!--.*?-->", re.DOTALL)
_RESTRICTED, _NO_SUBSETTING = 0x0002, 0x0100
"""Bits of fsType (OpenType 1.9, OS/2): the font's licence forbids to embed it, or to embed a part of it."""
_BESIDE = " \u00a0-–—.,:;!?'\"()/…·"
"""What stands between words: text is drawn in runs, and a run takes its spaces from the font of its letters."""
_KEPT = frozenset(
    {"head", "hhea", "maxp", "OS/2", "hmtx", "cmap", "name", "post", "loca", "glyf", "CFF ", "CFF2", "GDEF", "GSUB"}
    | {"GPOS", "BASE", "vhea", "vmtx", "fvar", "gvar", "avar", "STAT", "HVAR", "VVAR", "MVAR"}
)
"""Tables that drawing needs; programs, editors' notes and pictures of glyphs stay behind."""
_KINDS = (
    ("findings", "a rule"),
    ("policies", "a policy"),
    ("papers", "a text of the documents"),
    ("features", "a feature"),
    ("columns", "a column"),
    ("attributes", "a protected attribute"),
    ("groups", "a group"),
    ("group", "a group"),
    ("levels", "a value of a feature"),
    ("files", "a file name"),
    ("title", "the title"),
    ("system", "the system's name"),
    ("brand", "a template"),
)
"""Name within a dossier to what a person calls the place; the innermost that is known counts."""


def lend_fonts(dossier: Dossier, folder: str | None) -> Dossier:
    """Return the dossier with fonts for every character that it prints.

    Parameters
    ----------
    dossier : Dossier
        What is rendered.
    folder : str or None
        Path of the folder with the user's fonts.

    Raises
    ------
    ConfigError
        A character that neither the shipped nor the user's fonts hold; says which, where it stands, and what to do.
    """
    lacking = find_lacking(dossier)
    if not lacking:
        return dossier
    fonts = read_fonts(Path(folder)) if folder else {}
    chosen: dict[Path, str] = {}
    for sign in lacking:
        font = next((path for path, held in fonts.items() if ord(sign) in held), None)
        if font is not None:
            chosen[font] = chosen.get(font, "") + sign
    unheld = [sign for sign in lacking if not any(sign in signs for signs in chosen.values())]
    if unheld:
        raise ConfigError(mistakes=_mistakes(unheld, dossier, fonts, folder))
    lent = tuple(cut_font(path, chosen[path]) for path in sorted(chosen))
    if sum(len(font.data) for font in lent) > MAX_BYTES:
        raise ConfigError("the fonts would make the report too large", place=PLACE, hint="use lighter fonts")
    brand = dossier.presentation.brand.model_copy(update={"fonts": lent})
    shown = dossier.presentation.model_copy(update={"brand": brand})
    return dossier.model_copy(update={"presentation": shown})


def find_lacking(dossier: Dossier) -> tuple[str, ...]:
    """Return the characters that a report prints and the shipped fonts lack; () where it is read by machines alone.

    Parameters
    ----------
    dossier : Dossier
        What is rendered.
    """
    drawn = {"html", "pdf"} & set(dossier.presentation.formats)
    if not drawn or not missing_signs(dossier.model_dump_json()):
        return ()
    page = FORMATS["html"].render(dossier).decode()
    return missing_signs(unescape(_NOT_TEXT.sub("", page)))


def read_fonts(folder: Path) -> dict[Path, frozenset[int]]:
    """Return each font of a folder with the code points that it holds.

    Raises
    ------
    ConfigError
        No such folder, no font in it, or a font that cannot be read or may not be embedded.
    """
    from fontTools.ttLib import TTFont, TTLibError

    if not folder.is_dir():
        raise ConfigError(f"{folder.name} is not a folder", place=PLACE, hint="a folder of TTF and OTF files")
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in (".ttf", ".otf"))
    if not files:
        raise ConfigError(f"{folder.name} holds no font", place=PLACE, hint="files that end in .ttf or .otf")
    found = {}
    for path in files:
        try:
            with TTFont(path, lazy=True) as font:
                rights = int(font["OS/2"].fsType)
                found[path] = frozenset(font.getBestCmap() or ())
        except (TTLibError, KeyError, OSError, ValueError, AssertionError) as error:
            raise ConfigError(f"{path.name} cannot be read as a font", place=PLACE) from error
        if rights & (_RESTRICTED | _NO_SUBSETTING) and rights & 0xF != 0x8:
            raise ConfigError(f"the licence of {path.name} forbids to embed it in a document", place=PLACE)
    return found


def cut_font(path: Path, characters: str) -> FontShown:
    """Return what a font needs to draw some characters.

    Parameters
    ----------
    path : pathlib.Path
        A TTF or OTF file.
    characters : str
        Characters that it holds.
    """
    from fontTools import subset
    from fontTools.ttLib import TTFont

    options = subset.Options(layout_features=["*"], hinting=False, recalc_timestamp=False, notdef_outline=True)
    with TTFont(path, recalcTimestamp=False) as font:
        cutter = subset.Subsetter(options)
        for table in set(font.keys()) - _KEPT - {"GlyphOrder"}:
            del font[table]
        cutter.populate(text=characters + _BESIDE)
        cutter.subset(font)
        out = io.BytesIO()
        font.flavor = None
        font.save(out, reorderTables=True)
    data = base64.b64encode(out.getvalue()).decode()
    return FontShown(name=path.name, sha256=digest_bytes(path.read_bytes()), characters=characters, data=data)


def _mistakes(
    unheld: list[str], dossier: Dossier, fonts: dict[Path, frozenset[int]], folder: str | None
) -> tuple[Mistake, ...]:
    names = ", ".join(path.name for path in fonts)
    hint = f"none of {shorten(names, 160)} holds it: add a font that does to {folder}" if folder else ""
    hint = hint or "name a folder with a TTF or OTF font that holds it under report.fonts"
    texts = list(
        _texts(dossier.model_dump(mode="json", exclude={"judgement": {"policies": {"__all__": {"text"}}}}), ())
    )
    places: dict[str, list[str]] = {}
    for sign in unheld:
        places.setdefault(_where(sign, texts), []).append(sign)
    told = tuple(
        Mistake(f"no font can draw {_list(signs)}, as in {where}", PLACE, hint)
        for where, signs in list(places.items())[:8]
    )
    more = len(places) - len(told)
    return (*told, Mistake(f"and in {more} further places", PLACE)) if more else told


def _list(signs: list[str]) -> str:
    """Return the characters by name, at most six."""
    more = f" and {len(signs) - 6} more" if len(signs) > 6 else ""
    return ", ".join(map(_name, signs[:6])) + more


def _name(sign: str) -> str:
    name = unicodedata.name(sign, "")
    return f"‘{sign}’ (U+{ord(sign):04X}{', ' + name if name else ''})"


def _where(sign: str, texts: list[tuple[tuple[str, ...], str]]) -> str:
    path, text = next(((path, text) for path, text in texts if sign in text), ((), ""))
    kind = next((words for step in reversed(path) for name, words in _KINDS if step == name), "")
    return f"{kind or '.'.join(path) or 'the words of the report'}{f': “{shorten(text, 60)}”' if text else ''}"


def _texts(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield every text of a document with its path, names of fields and keys included."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield path, key
            yield from _texts(part, (*path, key))
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part, path)
