"""What a change changes: two audits compared number by number and, where they are known, person by person."""
