"""The section Cross-dispersion profile."""
