"""What a body is."""
