"""JWST products, read into and written from the types that the rest of the package works with."""
