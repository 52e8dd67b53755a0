"""Mergeable counts, filled batch by batch."""
