"""Vector figures for the report: own SVG, one palette, text alternatives in each."""

from .bars import draw_importance
from .curves import draw_feature
from .flips import FlipLine, draw_flips
from .forest import ForestPanel, ForestPoint, ForestRow, draw_forest
from .heatmap import HeatField, HeatScale, draw_heatmap, fits_heatmap
from .reliability import draw_reliability
from .stacks import StackRow, draw_stacks
from .sweep import SweepLine, SweepWords, draw_sweep

__all__ = [
    "FlipLine",
    "ForestPanel",
    "ForestPoint",
    "ForestRow",
    "HeatField",
    "HeatScale",
    "StackRow",
    "SweepLine",
    "SweepWords",
    "draw_feature",
    "draw_flips",
    "draw_forest",
    "draw_heatmap",
    "draw_importance",
    "draw_reliability",
    "draw_stacks",
    "draw_sweep",
    "fits_heatmap",
]
