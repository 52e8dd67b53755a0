"""Doors for other systems."""
