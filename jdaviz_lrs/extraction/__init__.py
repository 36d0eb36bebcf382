"""Extraction of an image: where everything lies, box or optimal, to the columns of the table."""
