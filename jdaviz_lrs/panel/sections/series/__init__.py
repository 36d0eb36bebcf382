"""The section Series."""
