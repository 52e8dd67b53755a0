"""Vector figures for the report: own SVG, one palette, text alternatives in each."""

from .bars import draw_importance
from .curves import draw_feature
from .forest import ForestPanel, ForestPoint, ForestRow, draw_forest
from .reliability import draw_reliability

__all__ = [
    "ForestPanel",
    "ForestPoint",
    "ForestRow",
    "draw_feature",
    "draw_forest",
    "draw_importance",
    "draw_reliability",
]
