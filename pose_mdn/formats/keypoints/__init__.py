"""Formats that 2D keypoints come in, one module each."""
