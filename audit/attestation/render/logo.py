"""An organisation's logo, let in by one door: a picture that shows and does nothing else.

Comes in: a PNG, JPEG or SVG file. Goes out: `LogoShown`. Pictures are known by their first bytes, never by their name.
An SVG keeps its shapes and colours; what an editor left in it is dropped, and what could run, be fetched or bring a
foreign font into the report is refused by name.
"""

from __future__ import annotations

import base64
import re
import struct
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree as ET

from audit.errors import ConfigError
from audit.evidence import LogoShown, digest_bytes

PLACE = "report.logo"
MAX_BYTES = 300_000
"""So that a report with a logo stays below one megabyte."""
MAX_PIXELS = 4_000_000
SVG = "{http://www.w3.org/2000/svg}"
_SHAPES = frozenset(
    {"svg", "g", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "defs", "symbol", "use", "title"}
    | {"desc", "style", "clipPath", "mask", "linearGradient", "radialGradient", "stop", "pattern"}
)
_DROPPED = frozenset({"metadata"})
_LINK = re.compile(r"^(\{http://www\.w3\.org/1999/xlink\})?href$")
_FETCHING = re.compile(r"@import|@font-face|@namespace|javascript:|url\s*\(\s*[\"']?(?!\s*[\"']?#)", re.I)
_ESCAPED = re.compile(r"\\[0-9a-fA-F]")
_DECLARED = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.I)


def read_logo(path: Path) -> LogoShown:
    """Read a logo.

    Parameters
    ----------
    path : pathlib.Path
        A PNG, JPEG or SVG file of at most `MAX_BYTES`.

    Raises
    ------
    ConfigError
        It is none of these, too large, or an SVG that does more than show shapes.
    """
    if not path.is_file():
        raise _refusal(f"{path.name} is not a file", "a PNG, JPEG or SVG file")
    data = path.read_bytes()
    if len(data) > MAX_BYTES:
        raise _refusal(f"{path.name} has {len(data):,} bytes", f"at most {MAX_BYTES:,}: save it smaller, or as SVG")
    kind: Literal["image/png", "image/jpeg", "image/svg+xml"] = "image/svg+xml"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        kind = _check_png(path.name, data)
    elif data.startswith(b"\xff\xd8\xff"):
        kind = _check_jpeg(path.name, data)
    shown = clean_svg(path.name, data) if kind == "image/svg+xml" else data
    text = base64.b64encode(shown).decode()
    return LogoShown(name=path.name, media_type=kind, sha256=digest_bytes(data), data=text)


def _refusal(what: str, hint: str) -> ConfigError:
    return ConfigError(f"the logo cannot be shown: {what}", place=PLACE, hint=hint)


def _check_size(name: str, width: int, height: int) -> None:
    if not 0 < width * height <= MAX_PIXELS:
        raise _refusal(f"{name} has {width} x {height} pixels", f"at most {MAX_PIXELS:,} pixels in all")


def _check_png(name: str, data: bytes) -> Literal["image/png"]:
    """Look at the header alone (PNG, 11.2.1): the layout engine reads the rest."""
    if len(data) < 33 or data[12:16] != b"IHDR":
        raise _refusal(f"{name} is no whole PNG", "save it again")
    _check_size(name, *struct.unpack(">II", data[16:24]))
    _check_readable(name, data)
    return "image/png"


def _check_jpeg(name: str, data: bytes) -> Literal["image/jpeg"]:
    """Find size and number of colours in the frame header (ITU-T T.81, B.2.2); four are print inks, unfit for PDF/A."""
    place = 2
    while place + 10 <= len(data) and data[place] == 0xFF:
        mark, length = data[place + 1], struct.unpack(">H", data[place + 2 : place + 4])[0]
        if 0xC0 <= mark <= 0xCF and mark not in (0xC4, 0xC8, 0xCC):
            height, width, colours = struct.unpack(">HHB", data[place + 5 : place + 10])
            _check_size(name, width, height)
            if colours == 4:
                raise _refusal(f"{name} is stored in print inks (CMYK)", "save it in RGB")
            _check_readable(name, data)
            return "image/jpeg"
        place += 2 + length
    raise _refusal(f"{name} is no whole JPEG", "save it again")


def _check_readable(name: str, data: bytes) -> None:
    """Read the picture as the layout engine will, so that a broken one is refused here and not left out there."""
    import io

    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as picture:
            picture.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise _refusal(f"{name} cannot be read as a picture", "save it again") from error


def clean_svg(name: str, data: bytes) -> bytes:
    """Return an SVG with its shapes alone.

    Parameters
    ----------
    name : str
        File name, for messages.
    data : bytes
        The file.

    Raises
    ------
    ConfigError
        It is no SVG, declares entities, runs, fetches, or holds text.
    """
    if _DECLARED.search(data):
        raise _refusal(f"{name} declares a document type or entities", "remove the lines that begin with <!")
    try:
        root = ET.fromstring(data)  # noqa: S314 - entities are refused above, size and depth below
    except (ET.ParseError, ValueError, RecursionError) as error:
        raise _refusal(f"{name} is neither PNG nor JPEG nor SVG", "a PNG, JPEG or SVG file") from error
    if root.tag != f"{SVG}svg":
        raise _refusal(f"{name} is neither PNG nor JPEG nor SVG", "a PNG, JPEG or SVG file")
    if "viewBox" not in root.attrib and not {"width", "height"} <= set(root.attrib):
        raise _refusal(f"{name} states no size", 'give the <svg> a viewBox="0 0 WIDTH HEIGHT"')
    _keep_shapes(name, root, 0)
    _check_uses(name, root)
    ET.register_namespace("", SVG[1:-1])
    ET.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    kept: bytes = ET.tostring(root, encoding="utf-8")
    return kept


def _keep_shapes(name: str, element: ET.Element, depth: int) -> None:
    if depth > 60:
        raise _refusal(f"{name} nests deeper than 60 levels", "flatten its groups")
    _check_attributes(name, element)
    if element.tag == f"{SVG}style" and _fetches(element.text or ""):
        raise _refusal(f"{name} fetches something in its <style>", "keep colours and shapes alone")
    for child in list(element):
        space, _, tag = str(child.tag).rpartition("}")
        if space + "}" != SVG or tag in _DROPPED:
            element.remove(child)
            continue
        if tag not in _SHAPES:
            raise _refusal(f"{name} holds <{tag}>", _advice(tag))
        _keep_shapes(name, child, depth + 1)


def _check_uses(name: str, root: ET.Element) -> None:
    """Refuse a shape that is drawn by shapes that are drawn by others: a few of them can fill a machine's memory."""
    uses = {element for element in root.iter(f"{SVG}use")}
    holding = {element.get("id") for element in root.iter() if uses & set(element.iter())}
    targets = {value.lstrip("#") for use in uses for key, value in use.attrib.items() if _LINK.match(key)}
    if targets & holding:
        raise _refusal(f"{name} draws a <use> inside of a <use>", "replace it by its shapes")


def _advice(tag: str) -> str:
    if tag in ("text", "tspan", "textPath", "font"):
        return "turn its text into paths, so that no foreign font is needed"
    return f"a logo holds shapes and colours alone: remove <{tag}>"


def _check_attributes(name: str, element: ET.Element) -> None:
    for key, value in list(element.attrib.items()):
        if key.lower().startswith("on"):
            raise _refusal(f"{name} runs something: {key}", f"remove {key}")
        if _LINK.match(key):
            if not value.startswith("#"):
                raise _refusal(f"{name} points outside of itself: {value[:60]}", "keep what it shows inside the file")
        elif key.startswith("{"):
            del element.attrib[key]
        elif _fetches(value):
            raise _refusal(f"{name} fetches something in {key}", "keep what it shows inside the file")


def _fetches(style: str) -> bool:
    """Return whether a style could load something; an escaped sign may hide a word, so it counts as one."""
    return bool(_FETCHING.search(style) or _ESCAPED.search(style))
