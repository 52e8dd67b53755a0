"""Individual decisions: why they were made, and what would change them."""
