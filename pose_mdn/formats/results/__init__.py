"""What results are written as: one file per format, found by the registry."""
