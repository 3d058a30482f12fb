"""A question with two answers."""
