"""The recovery key."""
