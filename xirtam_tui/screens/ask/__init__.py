"""A question that is answered in a line of text."""
