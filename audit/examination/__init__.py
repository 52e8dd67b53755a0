"""The first wing: from data and model to evidence."""
