"""Rows: read, typed, joined, split."""
