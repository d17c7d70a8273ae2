"""What an operator sees of a server: metrics, logs, traces."""
