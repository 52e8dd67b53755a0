"""Text of a dossier made harmless for Markdown.

Comes in: any text. Goes out: one line in which no sign is taken for markup.
"""

from __future__ import annotations

from .glyphs import clean_text, shorten

_SPECIAL = "\\`*_{}[]()<>#+-!|~@&:"


def plain(text: str, limit: int = 240) -> str:
    """Return `text` on one line with every sign escaped that Markdown could take for markup."""
    one_line = " ".join(clean_text(shorten(text, limit)).split())
    return "".join(
        f"&#{ord(sign)};" if sign in "<>&@" else f"\\{sign}" if sign in _SPECIAL else sign for sign in one_line
    )
