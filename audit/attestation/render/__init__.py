"""Bytes per format, from the dossier alone."""
