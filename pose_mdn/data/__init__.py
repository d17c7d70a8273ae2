"""Motion data, and the views made of it for training."""
