"""The devices of an account."""
