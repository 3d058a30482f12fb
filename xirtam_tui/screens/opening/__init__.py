"""What shows until an account is open."""
