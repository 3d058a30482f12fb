"""What others need to know of this account."""
