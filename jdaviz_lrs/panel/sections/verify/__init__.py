"""The section Verify."""
