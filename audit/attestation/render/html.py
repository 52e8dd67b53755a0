"""The report as one HTML file that needs no network and no script.

Comes in: a dossier. Goes out: bytes: styles, fonts and a small script stand inside and are named by digest in a content
security policy; all text of the dossier is escaped by the template engine.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from audit.evidence import Brand, Dossier, TemplateShown
from audit.shipped import shipped_folder

from . import numbers, told, tongue, words
from .bins import say_bins
from .brand import brand_style, family_of, find_template
from .change_numbers import say_place
from .editions import narrow_view, template_of
from .fact_words import say_fact
from .glyphs import shorten
from .naming import speak_of
from .view import NOTICE, View, build_view

if TYPE_CHECKING:
    from jinja2 import Environment

FONTS = (
    ("Inter", 400, "Inter-Regular"),
    ("Inter", 600, "Inter-SemiBold"),
    ("JetBrains Mono", 400, "JetBrainsMono-Regular"),
)
"""Family, weight and file of every font that a report may hold."""

_ID = re.compile(r'\sid="([^"]+)"')
_LINK = re.compile(r'<a\b[^>]*?href="#([^"]*)"[^>]*>(.*?)</a>', re.DOTALL)

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
    "shorten": told.keeping(shorten),
    "sentence": told.keeping(words.sentence),
    "plain": told.keeping(numbers.plain_text),
    "value": say_place,
    "fact": say_fact,
    "lowered": words.lowered,
    "points": tongue.mark_points,
    "tell": tongue.tell,
    "echo": told.hear,
    "rule": told.hear_rule,
    "source": told.hear_source,
    "headline": told.say_title,
}


SCREEN = ("styles/tokens.css", "styles/screen.css", "styles/change_screen.css", "styles/phone.css")
"""Style sheets of a page that scrolls."""


@cache
def environment(own: tuple[TemplateShown, ...] = ()) -> Environment:
    """Return the template engine: everything escaped, an unknown name an error.

    Parameters
    ----------
    own : tuple of TemplateShown
        Templates in place of shipped ones; with any, all run in a sandbox that reaches nothing but what they are given.
    """
    from jinja2 import ChoiceLoader, DictLoader, Environment, FileSystemLoader, StrictUndefined, pass_context
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    shipped = FileSystemLoader(shipped_folder("templates"))
    made = (ImmutableSandboxedEnvironment if own else Environment)(
        loader=ChoiceLoader([DictLoader({item.path: item.text for item in own}), shipped]) if own else shipped,
        autoescape=True,
        undefined=StrictUndefined,
        finalize=told.finish,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.policies["ext.i18n.trimmed"] = True
    made.newstyle_gettext = True  # type: ignore[attr-defined]
    made.globals.update(gettext=told.gettext, ngettext=told.ngettext)
    made.filters.update({name: pass_context(_speaking(change)) for name, change in FILTERS.items()})
    made.globals.update(words=words, notice=NOTICE)
    return made


def _speaking(change: Callable[..., Any]) -> Callable[..., Any]:
    """Return a filter that wants the context: so no template is compiled with the words of one language in it."""
    return lambda _, *given, **named: change(*given, **named)


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


def _screen_style(brand: Brand) -> str:
    faces = font_faces(tuple(dict.fromkeys(family for family, _, _ in FONTS)))
    lent = [
        f'@font-face{{font-family:"{family_of(index)}";src:url(data:font/ttf;base64,{font.data})}}'
        for index, font in enumerate(brand.fonts)
    ]
    return "\n".join([faces, *lent, *branded_texts(brand, "html", *SCREEN)])


@cache
def _script() -> str:
    """Return the script without what only its authors need: indents and remarks."""
    lines = (line.strip() for line in shipped_text("parts/report.js").splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("/*"))


def branded_texts(brand: Brand, mode: str, *paths: str) -> list[str]:
    """Return style sheets below ``templates``, the organisation's where it has its own, and then its colour and fonts.

    Parameters
    ----------
    brand : Brand
        The looks.
    mode : str
        ``html`` or ``pdf``.
    *paths : str
        Style sheets.
    """
    return [*(find_template(brand, path) or shipped_text(path) for path in paths), brand_style(brand, mode)]


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
    brand = view.dossier.presentation.brand
    style, script = (_screen_style(brand), _script()) if mode == "html" else ("", "")
    policy = (
        f"default-src 'none'; style-src '{name_digest(style)}'; script-src '{name_digest(script)}'; font-src data:; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    name, edition = template_of(view)
    view = narrow_view(view, edition) if edition else view
    template = environment(brand.templates).get_template(name)
    with speak_of(view.dossier):
        page = template.render(v=view, d=view.dossier, e=edition, mode=mode, style=style, script=script, policy=policy)
    page = say_bins(_unlink(page), view.dossier)
    lent = "".join(f", {family_of(index)}" for index in range(len(brand.fonts)))
    return page.replace('font-family="Inter"', f'font-family="Inter{lent}"') if lent else page


def _unlink(page: str) -> str:
    """Turn references to what an edition leaves out into plain words."""
    known = set(_ID.findall(page))
    return _LINK.sub(lambda found: found[0] if found[1] in known else f"<span>{found[2]}</span>", page)


def render_html(dossier: Dossier) -> bytes:
    """Return the report as a self-contained HTML file (UTF-8).

    Parameters
    ----------
    dossier : Dossier
        What is reported; equal dossiers give equal bytes.
    """
    return render_page(build_view(dossier), "html").encode("utf-8", errors="replace")
