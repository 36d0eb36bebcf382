"""The section Best width."""
