"""The append-only history of audits."""
