"""Making a group."""
