"""What an operator does beside running the server, a module for each command: plain functions, which `cli` gives their options."""
