"""glassbox-audit."""
