"""What one asks of a spectrum or an image: comparison, growth, cross-section, taper."""
