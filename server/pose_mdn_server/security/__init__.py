"""Who may call, over which connection, how much, and what no caller may do to the server."""
