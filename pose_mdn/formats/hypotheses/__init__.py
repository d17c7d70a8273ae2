"""The formats that hypotheses are written to, one module each."""
