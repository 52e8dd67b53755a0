"""Explanations put to the test before anybody believes them."""
