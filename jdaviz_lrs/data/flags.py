"""Flags of the pipeline (``jwst`` documentation, "Data Quality Flags")."""

DO_NOT_USE, OUTLIER, FLUX_ESTIMATED = 1, 16, 2**28
