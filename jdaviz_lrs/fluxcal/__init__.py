"""A standard star extracted as the target was: what turns its spectrum into that of a model."""
