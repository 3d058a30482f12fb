"""A changed identity."""
