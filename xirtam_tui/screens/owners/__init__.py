"""Who owns the account's name."""
