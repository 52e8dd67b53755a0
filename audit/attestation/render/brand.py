"""An organisation's own looks: logo, colour, templates, and what becomes of them in a page.

Comes in: `report.*` of the configuration. Goes out: a `Brand` that goes into the dossier whole, so that the report is
still a function of the dossier alone; and from a `Brand`, style rules. A colour that nobody can read is refused with
its contrast; a template that stands in for nothing is refused with the name that may have been meant.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from audit.config.schema import ReportOrder
from audit.errors import ConfigError, suggest_name
from audit.evidence import Brand, TemplateShown, digest_bytes
from audit.shipped import shipped_folder

from .logo import read_logo

GROUNDS = {"#ffffff": "white paper", "#f5f7f9": "the grey of the contents"}
"""What text in the accent's colour stands on, and white text on: the tokens ``paper`` and ``wash``."""
DARK_GROUNDS = ("#11161c", "#171e26")
"""The same two where the screen is dark."""
MIN_CONTRAST = 4.5
"""WCAG 2.2, 1.4.3: text against its ground."""
MAX_BYTES = 400_000
OWN = "own/"
"""Where a folder of templates may keep parts that replace nothing."""
_FOREIGN = re.compile(r"<\s*script|\bon[a-z]+\s*=\s*[\"']|javascript:", re.I)


def read_brand(order: ReportOrder) -> Brand:
    """Read an organisation's looks; fonts come later, when it is known what they must draw.

    Parameters
    ----------
    order : ReportOrder
        The block ``report`` of the configuration.

    Raises
    ------
    ConfigError
        A logo, colour or template that cannot be used.
    """
    accent = (order.colours.accent or "").lower()
    if accent:
        check_accent(accent)
    return Brand(
        logo=read_logo(Path(order.logo)) if order.logo else None,
        accent=accent,
        templates=read_templates(Path(order.templates)) if order.templates else (),
    )


def check_accent(accent: str) -> None:
    """Refuse a colour that cannot be read.

    Parameters
    ----------
    accent : str
        ``#rrggbb``.

    Raises
    ------
    ConfigError
        Its contrast against a ground is below `MIN_CONTRAST`; the message says how large it is.
    """
    for ground, name in GROUNDS.items():
        found = contrast(accent, ground)
        if found < MIN_CONTRAST:
            raise ConfigError(
                f"{accent} is hard to read on {name}: their contrast is {found:.2f} to 1",
                place="report.colours.accent",
                hint=f"at least {MIN_CONTRAST:g} to 1, for instance {_readable(accent)}",
            )


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours ``#rrggbb``, 1 to 21 (WCAG 2.2, contrast ratio).

    Examples
    --------
    >>> contrast("#000000", "#ffffff")
    21.0
    """
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    """Return the relative luminance, 0 to 1 (WCAG 2.2; sRGB, IEC 61966-2-1)."""
    parts = [value / 255 for value in bytes.fromhex(colour[1:])]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _mix(colour: str, other: str, share: float) -> str:
    pairs = zip(bytes.fromhex(colour[1:]), bytes.fromhex(other[1:]), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _readable(colour: str, grounds: tuple[str, ...] = tuple(GROUNDS), towards: str = "#000000") -> str:
    """Return the colour nearest to `colour`, on the way `towards` another, that can be read on the grounds."""
    steps = (_mix(colour, towards, step / 50) for step in range(51))
    return next(mixed for mixed in steps if min(contrast(mixed, ground) for ground in grounds) >= MIN_CONTRAST)


def read_templates(folder: Path) -> tuple[TemplateShown, ...]:
    """Read templates and style sheets that stand in for shipped ones.

    Parameters
    ----------
    folder : pathlib.Path
        Laid out as ``templates`` is; parts that replace nothing stand below ``own/``.

    Raises
    ------
    ConfigError
        A file that replaces nothing, is no text, or brings a script.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder.name} is not a folder", place="report.templates", hint="a folder of templates")
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith(".")]
    found = tuple(_read_template(path, path.relative_to(folder).as_posix()) for path in files)
    if sum(len(template.text) for template in found) > MAX_BYTES:
        raise ConfigError(f"{folder.name} holds more than {MAX_BYTES:,} characters", place="report.templates")
    return found


def _read_template(path: Path, name: str) -> TemplateShown:
    known = _replaceable()
    if name not in known and not (name.startswith(OWN) and name.endswith(".html.j2")):
        hint = suggest_name(name, known) or f"parts that replace nothing stand below {OWN} and end in .html.j2"
        raise ConfigError(f"{name} stands in for no template", place="report.templates", hint=hint)
    data = path.read_bytes()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{name} is not UTF-8 text", place="report.templates") from error
    if name not in _with_script() and _FOREIGN.search(text):
        hint = "a report runs its own small script and nothing else"
        raise ConfigError(f"{name} brings a script", place="report.templates", hint=hint)
    _check_syntax(name, text)
    return TemplateShown(path=name, sha256=digest_bytes(data), text=text)


def _check_syntax(name: str, text: str) -> None:
    from jinja2 import Environment, TemplateSyntaxError

    if not name.endswith(".j2"):
        return
    try:
        Environment(autoescape=True, extensions=["jinja2.ext.i18n"]).parse(text, name)
    except TemplateSyntaxError as error:
        raise ConfigError(f"{error.message}", place=f"report.templates, {name}:{error.lineno}") from error


@cache
def _replaceable() -> tuple[str, ...]:
    folder = shipped_folder("templates")
    files = (path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file())
    return tuple(name for name in files if name.endswith((".html.j2", ".css")))


@cache
def _with_script() -> frozenset[str]:
    """Return the shipped templates that place our script, which a copy of them may do as well."""
    folder = shipped_folder("templates")
    return frozenset(name for name in _replaceable() if _FOREIGN.search((folder / name).read_text(encoding="utf-8")))


def find_template(brand: Brand, path: str) -> str | None:
    """Return the organisation's own text for a file below ``templates``; None where it has none."""
    return next((template.text for template in brand.templates if template.path == path), None)


def brand_style(brand: Brand, mode: str) -> str:
    """Return the style rules of a brand, empty for ours.

    Parameters
    ----------
    brand : Brand
        The looks.
    mode : str
        ``html`` or ``pdf``.
    """
    rules = []
    if brand.fonts:
        lent = ", ".join(f'"{family_of(index)}"' for index in range(len(brand.fonts)))
        rules.append(f':root {{ --sans: "Inter", "JetBrains Mono", {lent}; }}')
        rules.append(f':root {{ --mono: "JetBrains Mono", "Inter", {lent}; }}')
    if brand.accent:
        rules.append(f":root {{ --accent: {brand.accent}; --band: {brand.accent}; }}")
        if mode == "html":
            light = _readable(brand.accent, DARK_GROUNDS, "#ffffff")
            rules.append(f"@media (prefers-color-scheme: dark) {{ :root {{ --accent: {light}; }} }}")
    return "\n".join(rules)


def family_of(index: int) -> str:
    """Return the name under which a lent font is known inside a report."""
    return f"Lent {index + 1}"
