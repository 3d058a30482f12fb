"""Who is in a group, and managing that."""
