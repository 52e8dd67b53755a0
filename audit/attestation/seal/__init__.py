"""Signatures: made and checked."""
