"""The section Verdict."""
