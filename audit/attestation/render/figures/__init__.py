"""Vector figures for the report: own SVG, one palette, text alternatives in each."""

from .bars import draw_importance
from .curves import draw_feature
from .dots import draw_dots
from .flips import FlipLine, draw_flips
from .forest import ForestPanel, ForestPoint, ForestRow, draw_forest
from .heatmap import HeatField, HeatScale, draw_heatmap, fits_heatmap
from .reliability import draw_reliability
from .small import SmallChart, draw_small
from .stacks import StackRow, draw_stacks
from .sums import draw_steps
from .surface import SurfacePanel, draw_surface
from .sweep import SweepLine, SweepWords, draw_sweep

__all__ = [
    "FlipLine",
    "ForestPanel",
    "ForestPoint",
    "ForestRow",
    "HeatField",
    "HeatScale",
    "SmallChart",
    "StackRow",
    "SurfacePanel",
    "SweepLine",
    "SweepWords",
    "draw_dots",
    "draw_feature",
    "draw_flips",
    "draw_forest",
    "draw_heatmap",
    "draw_importance",
    "draw_reliability",
    "draw_small",
    "draw_stacks",
    "draw_steps",
    "draw_surface",
    "draw_sweep",
    "fits_heatmap",
]
