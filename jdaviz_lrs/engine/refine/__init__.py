"""Refinements of an optimal extraction: what the data tell about trace, width, outliers and neighbours."""
