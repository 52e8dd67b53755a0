"""What a visible signature shows, as a PDF page of the size of its field.

Comes in: what the person states and their certificate. Goes out: one page in the language of the report, with its fonts
embedded; the one that a PDF library would draw by itself uses fonts that are not in the file, which PDF/A forbids.
"""

from __future__ import annotations

from audit.evidence import Countersignature, SignerShown

from .glyphs import drawable
from .html import environment
from .tongue import ENGLISH, speak

_STYLE = """
@page {{ size: {width}pt {height}pt; margin: 2pt 4pt; background: #fff }}
body {{ font: 7.6pt/1.25 Inter; color: #17212b; margin: 0 }} p {{ margin: 0 0 1.2pt; overflow: hidden }}
.who {{ white-space: nowrap; font-size: 8.6pt }} .note {{ max-height: 19pt; font-size: 7.2pt }}
.soft {{ color: #56626f; font-size: 6pt; white-space: nowrap }} .reject {{ color: #b3261e }}
.conditions {{ color: #805300 }} .approve {{ color: #0b6e4f }} strong {{ font-weight: 600 }}
"""


def render_stamp(
    stated: Countersignature, signer: SignerShown, width: float, height: float, *, language: str = ENGLISH
) -> bytes:
    """Return a PDF of one page.

    Parameters
    ----------
    stated : Countersignature
        What the person states.
    signer : SignerShown
        Whose certificate signs.
    width, height : float
        Size of the field in points.
    language : str
        Language of the report that is signed.
    """
    import weasyprint
    from weasyprint.text.fonts import FontConfiguration

    from .pdf import fetch_font, font_faces, hold_quiet

    with speak(language):
        page = drawable(environment().get_template("stamp.html.j2").render(s=stated, signer=signer, language=language))
    with hold_quiet():
        fonts = FontConfiguration()
        text = font_faces() + _STYLE.format(width=round(width, 2), height=round(height, 2))
        sheet = weasyprint.CSS(string=text, font_config=fonts, url_fetcher=fetch_font)
        # Marks of structure would belong to no structure once the page lies inside of another one.
        data: bytes = weasyprint.HTML(string=page, url_fetcher=fetch_font).write_pdf(
            stylesheets=[sheet], font_config=fonts, pdf_tags=False
        )
    return data
