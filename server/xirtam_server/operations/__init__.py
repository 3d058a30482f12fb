"""What a running server shows its operator: health and metrics, on a listener of their own."""
