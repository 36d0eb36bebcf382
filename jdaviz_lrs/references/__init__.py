"""Reference files of the extraction: read, written, found; and the built-in models for want of them."""
