"""The section Calibrate."""
