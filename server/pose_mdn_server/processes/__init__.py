"""One server, several processes: a supervisor, a worker for each core, and the gateway for HTTP."""
