"""Something for another screen to read."""
