"""Exposures with a known truth, in the format of the pipeline."""
