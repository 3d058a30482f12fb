"""What a home server keeps, as an interface, and its implementation on SQLite."""
