"""Choosing an account."""
