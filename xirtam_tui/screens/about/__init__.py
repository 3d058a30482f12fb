"""What this program is, and what it has to say about itself."""
