"""Audits that nobody watches: many at once, with limits, logs, metrics, and word of what changed."""
