"""Trained lifters to ONNX bundles."""
