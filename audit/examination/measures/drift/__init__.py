"""The judged rows against the rows before and after them."""
