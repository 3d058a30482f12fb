"""A copy of the account."""
