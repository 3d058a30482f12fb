"""What this program is, where it keeps things, and its log."""
