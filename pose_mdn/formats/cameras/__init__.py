"""Calibrated cameras in the files that people have, one module per format."""
