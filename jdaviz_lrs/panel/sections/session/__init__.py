"""The section Session."""
