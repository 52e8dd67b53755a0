"""The hand that draws: an SVG writer with one palette, nice ticks and text that fits.

Comes in: shapes in user units. Goes out: an ``<svg>`` with title and description. Presentation attributes carry the
colours for print; the same shapes carry classes, by which a page's style sheet may recolour them (dark mode). There is
no ``style`` attribute, so that a strict content security policy holds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

from markupsafe import Markup, escape

from ..glyphs import clean_text, fit_text, text_width
from ..numbers import number_text

COLOURS = {
    "ink": "#17212b",
    "soft": "#56626f",
    "faint": "#98a2ad",
    "grid": "#e4e8ec",
    "rug": "#cdd4db",
    "band": "#eef1f4",
    "black": "#17212b",
    "ebm": "#c2500a",
    "net": "#0a6aad",
    "bad": "#b3261e",
    "open": "#8a5a00",
    "good": "#0b6e4f",
    "limit": "#b3261e",
    "zone": "#fbe9e7",
    "paper": "#ffffff",
    "none": "#c9d0d7",
    "heat0": "#eef2f5",
    "heat1": "#fce3cc",
    "heat2": "#f8bf88",
    "heat3": "#e58f42",
    "heat4": "#a9520f",
    "heat5": "#6f3303",
    "onheat0": "#17212b",
    "onheat1": "#17212b",
    "onheat2": "#17212b",
    "onheat3": "#17212b",
    "onheat4": "#ffffff",
    "onheat5": "#ffffff",
    "part0": "#0a5a8c",
    "part1": "#7fb2d9",
    "part2": "#d3e3ef",
    "part3": "#f3d7a4",
    "part4": "#d98e32",
    "part5": "#83450a",
    "onpart0": "#ffffff",
    "onpart1": "#17212b",
    "onpart2": "#17212b",
    "onpart3": "#17212b",
    "onpart4": "#17212b",
    "onpart5": "#ffffff",
    "low4": "#0a4a78",
    "low3": "#2f7ab0",
    "low2": "#7fb2d9",
    "low1": "#cfe2f0",
    "even": "#f3f5f6",
    "high1": "#fbdcbf",
    "high2": "#f2ac6b",
    "high3": "#d0741f",
    "high4": "#8f4208",
    "onlow": "#ffffff",
    "onhigh": "#17212b",
    "line0": "#0a5a8c",
    "line1": "#b04a08",
    "line2": "#0b6e4f",
    "line3": "#7b3f98",
    "line4": "#8a5a00",
    "line5": "#56626f",
}
"""Colour name to hexadecimal value in print; every name is also a class ``f-name`` (fill) or ``s-name`` (stroke).
``heat`` grows darker with distance from parity, ``part`` fills the parts of a bar, ``on...`` is the text upon it;
``low`` and ``high`` grow darker with distance from 0 on either side: blue and orange, which every eye tells apart."""
HEAT_STEPS = 6
SIDE_STEPS = 4
PARTS = 6
LINES = 6


Point = tuple[float, float]


def number(value: float) -> str:
    """Return a coordinate with one decimal, a small one with two: a tenth of a pixel is not seen."""
    text = f"{value:.{1 if abs(value) >= 10 else 2}f}".rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


class Drawing:
    """One figure in the making.

    Parameters
    ----------
    width, height : float
        Size in user units; one unit is one CSS pixel at full width.
    """

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self._parts: list[str] = []

    def line(
        self,
        x1: float,
        y1: float,
        x2: float,
        y2: float,
        colour: str,
        *,
        width: float = 1,
        dash: str = "",
        cap: str = "",
    ) -> None:
        """Draw a straight line."""
        extra = (f' stroke-dasharray="{dash}"' if dash else "") + (f' stroke-linecap="{cap}"' if cap else "")
        self._parts.append(
            f'<line x1="{number(x1)}" y1="{number(y1)}" x2="{number(x2)}" y2="{number(y2)}" '
            f'stroke="{COLOURS[colour]}" stroke-width="{number(width)}" class="s-{colour}"{extra}/>'
        )

    def rect(
        self, x: float, y: float, width: float, height: float, colour: str, *, radius: float = 0, opacity: float = 1
    ) -> None:
        """Draw a filled rectangle."""
        extra = (f' rx="{number(radius)}"' if radius else "") + (f' opacity="{number(opacity)}"' if opacity < 1 else "")
        self._parts.append(
            f'<rect x="{number(x)}" y="{number(y)}" width="{number(max(0.0, width))}" '
            f'height="{number(max(0.0, height))}" fill="{COLOURS[colour]}" class="f-{colour}"{extra}/>'
        )

    def path(
        self,
        points: Sequence[tuple[float, float]],
        colour: str,
        *,
        width: float = 1.8,
        dash: str = "",
        opacity: float = 1,
    ) -> None:
        """Draw a polyline."""
        extra = (f' stroke-dasharray="{dash}"' if dash else "") + (
            f' opacity="{number(opacity)}"' if opacity < 1 else ""
        )
        self._parts.append(
            f'<path d="{_way(points)}" fill="none" stroke="{COLOURS[colour]}" stroke-width="{number(width)}" '
            f'stroke-linejoin="round" class="s-{colour} n"{extra}/>'
        )

    def area(self, points: Sequence[tuple[float, float]], colour: str, *, opacity: float = 0.14) -> None:
        """Fill a polygon."""
        self._parts.append(
            f'<path d="{_way(points)}Z" fill="{COLOURS[colour]}" fill-opacity="{number(opacity)}" class="f-{colour}"/>'
        )

    def mark(self, shape: str, x: float, y: float, colour: str, *, size: float = 4, hollow: bool = False) -> None:
        """Draw a point: ``circle``, ``square`` or ``diamond``; a hollow one shows the paper inside."""
        fill, stroke = ("paper", colour) if hollow else (colour, colour)
        paint = (
            f'fill="{COLOURS[fill]}" stroke="{COLOURS[stroke]}" stroke-width="{1.6 if hollow else 1}" '
            f'class="f-{fill} s-{stroke}"'
        )
        if shape == "circle":
            self._parts.append(f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(size)}" {paint}/>')
        else:
            r = size * (0.9 if shape == "square" else 1.25)
            corners = (
                [(x - r, y - r), (x + r, y - r), (x + r, y + r), (x - r, y + r)]
                if shape == "square"
                else [(x, y - r), (x + r, y), (x, y + r), (x - r, y)]
            )
            self._parts.append(f'<path d="{_way(corners)}Z" {paint}/>')

    def text(
        self,
        x: float,
        y: float,
        text: str,
        colour: str = "ink",
        *,
        size: float = 11,
        anchor: str = "start",
        bold: bool = False,
        within: float = 0,
    ) -> None:
        """Write `text` with its baseline at `y`; cut with an ellipsis where `within` is given and it is wider."""
        shown = clean_text(text).replace("\n", " ")
        shown = fit_text(shown, size, within, bold=bold) if within else shown
        weight = ' font-weight="600"' if bold else ""
        place = "" if anchor == "start" else f' text-anchor="{anchor}"'
        self._parts.append(
            f'<text x="{number(x)}" y="{number(y)}" font-size="{number(size)}"{weight}{place} '
            f'fill="{COLOURS[colour]}" class="f-{colour}">{escape(shown)}</text>'
        )

    def hatch(self, x: float, y: float, width: float, height: float, colour: str, *, gap: float = 7) -> None:
        """Draw slanted lines over a rectangle: told apart from a fill without any colour."""
        reach = width + height
        step, lines = gap, []
        while step < reach:
            start = (x + min(step, width), y + max(0.0, step - width))
            end = (x + max(0.0, step - height), y + min(step, height))
            lines.append((start, end))
            step += gap
        self.strokes(lines, colour, width=0.7)

    def strokes(self, lines: Sequence[tuple[Point, Point]], colour: str, *, width: float = 1) -> None:
        """Draw straight lines of one kind, all in one element."""
        if lines:
            self._parts.append(
                f'<path d="{"".join(map(_way, lines))}" fill="none" stroke="{COLOURS[colour]}" '
                f'stroke-width="{number(width)}" class="s-{colour} n"/>'
            )

    def boxes(self, boxes: Sequence[tuple[float, float, float, float]], colour: str) -> None:
        """Fill rectangles of one kind, each ``(x, y, width, height)``, all in one element."""
        if boxes:
            way = "".join(
                f"M{number(x)} {number(y)}h{number(width)}v{number(height)}h{number(-width)}z"
                for x, y, width, height in boxes
            )
            self._parts.append(f'<path d="{way}" fill="{COLOURS[colour]}" class="f-{colour}"/>')

    def finish(self, name: str, title: str, description: str, across: Axis | None = None) -> Markup:
        """Return the figure.

        Parameters
        ----------
        name : str
            Unique name within the report, for the ids of title and description.
        title : str
            The message of the figure.
        description : str
            What a reader who does not see it must know.
        across : Axis, optional
            The horizontal axis, where a reader may point at a place of it and read the values from the table behind.
        """
        ends = (across.start, across.stop, across.low, across.high) if across else ()
        read = f' data-axis="{" ".join(f"{end:.6g}" for end in ends)}"' if ends else ""
        return Markup(  # noqa: S704 - every text above went through escape()
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {number(self.width)} {number(self.height)}" '
            f'width="{number(self.width)}" height="{number(self.height)}" font-family="Inter" role="img" '
            f'aria-labelledby="{name}-t {name}-d"{read}><title id="{name}-t">{escape(clean_text(title))}</title>'
            f'<desc id="{name}-d">{escape(clean_text(description))}</desc>{"".join(self._parts)}</svg>'
        )


def _way(points: Iterable[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{_place(x)} {_place(y)}" for x, y in points)


def _place(value: float) -> str:
    """Return a coordinate of a line with one decimal: a fortieth of a millimetre in print."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


class Axis:
    """A linear scale from values to user units.

    Parameters
    ----------
    low, high : float
        Range of values.
    start, stop : float
        Range of user units that it is drawn on.
    """

    def __init__(self, low: float, high: float, start: float, stop: float) -> None:
        if not high > low:
            low, high = low - 0.5, high + 0.5
        self.low, self.high, self.start, self.stop = low, high, start, stop

    def __call__(self, value: float) -> float:
        """Return the place of `value`, held within the axis."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.start + share * (self.stop - self.start)

    def ticks(self, about: int = 5) -> list[float]:
        """Return round values within the axis, about `about` of them."""
        return nice_ticks(self.low, self.high, about)


def nice_ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Return round values from `low` to `high`, about `about` of them.

    Examples
    --------
    >>> nice_ticks(0, 1, 5)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    raw = (high - low) / max(1, about)
    power = 10.0 ** math.floor(math.log10(raw))
    step = min((factor * power for factor in (1, 2, 2.5, 5, 10)), key=lambda value: abs(value - raw))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(index * step, 10) for index in range(first, last + 1)]


def tick_text(value: float, ticks: Sequence[float]) -> str:
    """Return the label of one tick with as many decimals as its neighbours need."""
    step = min((b - a for a, b in pairwise(ticks)), default=abs(value) or 1.0)
    decimals = max(0, min(6, -math.floor(math.log10(step) + 1e-9)))
    if abs(step * 10**decimals - round(step * 10**decimals)) > 1e-6:
        decimals += 1
    return number_text(value, decimals=decimals)


def spread_labels(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Return places near `places`, at least `gap` apart and within ``[low, high]`` where there is room."""
    order = sorted(range(len(places)), key=lambda index: places[index])
    out = list(places)
    for before, after in pairwise(order):
        out[after] = max(out[after], out[before] + gap)
    if order and out[order[-1]] > high:
        out[order[-1]] = high
        for after, before in zip(order[::-1], order[-2::-1], strict=False):
            out[before] = min(out[before], out[after] - gap)
    return [max(low, place) for place in out]


__all__ = ["COLOURS", "Axis", "Drawing", "nice_ticks", "spread_labels", "text_width", "tick_text"]
