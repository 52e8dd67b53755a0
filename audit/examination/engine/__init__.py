"""How work is spread and followed."""
