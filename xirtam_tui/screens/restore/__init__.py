"""An account from its copy."""
