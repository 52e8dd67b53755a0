"""The glass boxes that stand beside the black box."""
