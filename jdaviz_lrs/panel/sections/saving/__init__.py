"""The section Save."""
