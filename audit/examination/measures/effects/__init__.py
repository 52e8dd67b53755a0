"""Per-feature effects."""
