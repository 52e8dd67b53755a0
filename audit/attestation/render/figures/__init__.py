"""Vector figures with text alternatives."""
