"""The second wing: from evidence to a sealed report."""
