"""The section Figure."""
