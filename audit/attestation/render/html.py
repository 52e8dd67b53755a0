"""The report as one HTML file that needs no network and no script.

Comes in: a dossier. Goes out: bytes: styles, fonts and a small script stand inside and are named by digest in a content
security policy; all text of the dossier is escaped by the template engine.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from audit.evidence import Dossier
from audit.shipped import shipped_folder

from . import numbers, tongue, words
from .editions import narrow_view, template_of
from .glyphs import clean_text, shorten
from .view import NOTICE, View, build_view

if TYPE_CHECKING:
    from jinja2 import Environment

FONTS = (
    ("Inter", 400, "Inter-Regular"),
    ("Inter", 600, "Inter-SemiBold"),
    ("JetBrains Mono", 400, "JetBrainsMono-Regular"),
)
"""Family, weight and file of every font that a report may hold."""

FILTERS: dict[str, Callable[..., Any]] = {
    "count": numbers.count_text,
    "number": numbers.number_text,
    "share": numbers.share_text,
    "size": numbers.size_text,
    "seconds": numbers.seconds_text,
    "day": numbers.day_text,
    "moment": numbers.moment_text,
    "pretty": words.prettify,
    "model": words.model_name,
    "shorten": shorten,
    "sentence": words.sentence,
    "plain": numbers.plain_text,
    "tell": tongue.tell,
    "echo": tongue.echo,
}


@cache
def environment() -> Environment:
    """Return the template engine: everything escaped, an unknown name an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(shipped_folder("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_clean,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.policies["ext.i18n.trimmed"] = True
    made.install_gettext_callables(tongue.translate, tongue.translate_many, newstyle=True)  # type: ignore[attr-defined]
    made.filters.update(FILTERS)
    made.globals.update(words=words, notice=NOTICE)
    return made


def _clean(value: Any) -> Any:
    """Make signs visible that no format may carry; markup of our own passes through."""
    return clean_text(value) if type(value) is str else value


def shipped_text(path: str) -> str:
    """Return a text file below ``templates``."""
    return (shipped_folder("templates") / path).read_text(encoding="utf-8")


@cache
def font_faces(families: tuple[str, ...]) -> str:
    """Return the style rules that hold fonts inside the page.

    Parameters
    ----------
    families : tuple of str
        Families of `FONTS`.
    """
    faces = []
    for family, weight, name in FONTS:
        if family not in families:
            continue
        data = base64.b64encode((shipped_folder("templates") / "fonts" / f"{name}.woff2").read_bytes()).decode()
        faces.append(
            f'@font-face{{font-family:"{family}";font-weight:{weight};font-display:block;'
            f'src:url(data:font/woff2;base64,{data}) format("woff2")}}'
        )
    return "\n".join(faces)


@cache
def _screen_style() -> str:
    faces = font_faces(tuple(dict.fromkeys(family for family, _, _ in FONTS)))
    return "\n".join([faces, shipped_text("styles/tokens.css"), shipped_text("styles/screen.css")])


def name_digest(text: str) -> str:
    """Return the digest by which a content security policy names a style or script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def render_page(view: View, mode: str) -> str:
    """Return the report's markup.

    Parameters
    ----------
    view : View
        What to print.
    mode : str
        ``html`` or ``pdf``.
    """
    style, script = (_screen_style(), shipped_text("parts/report.js")) if mode == "html" else ("", "")
    policy = (
        f"default-src 'none'; style-src '{name_digest(style)}'; script-src '{name_digest(script)}'; font-src data:; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    name, edition = template_of(view)
    view = narrow_view(view, edition) if edition else view
    template = environment().get_template(name)
    with tongue.speak(view.dossier.presentation.language):
        return template.render(v=view, d=view.dossier, e=edition, mode=mode, style=style, script=script, policy=policy)


def render_html(dossier: Dossier) -> bytes:
    """Return the report as a self-contained HTML file (UTF-8).

    Parameters
    ----------
    dossier : Dossier
        What is reported; equal dossiers give equal bytes.
    """
    return render_page(build_view(dossier), "html").encode("utf-8", errors="replace")
