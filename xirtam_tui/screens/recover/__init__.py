"""An account whose devices are all lost."""
