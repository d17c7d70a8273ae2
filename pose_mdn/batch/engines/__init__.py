"""What runs the jobs of a batch: worker processes of this machine, or a cluster."""
