"""The loaders of images and of extracted spectra."""
