"""Finding a command by its name."""
