"""How good a lifter is, measured as the field does."""
