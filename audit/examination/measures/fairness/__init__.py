"""Fairness by group."""
