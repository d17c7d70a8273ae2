"""The gRPC service of pose-mdn."""
