"""audit.yaml as types, with the place of every mistake."""
