"""The way to and from the JWST pipeline."""
