"""The section Combine."""
