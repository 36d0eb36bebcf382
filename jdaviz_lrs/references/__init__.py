"""The reference files of the extraction: read, written, found; and the built-in models that stand in for them."""
