"""Starting a chat by name."""
