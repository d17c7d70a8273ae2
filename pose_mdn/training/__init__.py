"""Training of lifters."""
