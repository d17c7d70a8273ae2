"""What clients ask, as requests that are ready to be sent: checked arguments in, a way to read the answer beside it."""
