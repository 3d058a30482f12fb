"""Choosing how the app looks, when it calls, and what others are told."""
