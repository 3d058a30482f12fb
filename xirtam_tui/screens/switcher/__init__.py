"""Jumping to a chat."""
