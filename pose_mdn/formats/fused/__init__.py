"""Files of fused poses."""
