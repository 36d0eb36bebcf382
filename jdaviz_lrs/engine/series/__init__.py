"""What single integrations of a time series have of their own: drift, and pixels that were hit."""
