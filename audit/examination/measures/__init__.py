"""One file per section of the evidence."""
