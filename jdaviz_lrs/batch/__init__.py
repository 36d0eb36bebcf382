"""Many integrations and many files, in chunks, on this machine or on the workers of dask."""
