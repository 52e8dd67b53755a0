"""Intervals and tests that both wings judge and measure with."""
