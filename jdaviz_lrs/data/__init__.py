"""The nouns: image, spectrum, limits, flags. No files."""
