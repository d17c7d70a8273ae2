"""Messages to arrays and back, with all validation of requests. Knows no transport beyond the messages."""
