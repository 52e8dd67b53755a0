"""What may be told to everybody: the public edition of a report."""
