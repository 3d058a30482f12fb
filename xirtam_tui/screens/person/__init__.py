"""Details of a person."""
