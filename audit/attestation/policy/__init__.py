"""Rules as YAML, judged against evidence."""
