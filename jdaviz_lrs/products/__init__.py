"""JWST products: read as images and spectra, written in the pipeline's formats."""
