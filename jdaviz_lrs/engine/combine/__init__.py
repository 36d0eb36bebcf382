"""Several measurements of one spectrum into one: outliers, scale factors, weighted mean."""
