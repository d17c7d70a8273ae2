"""Networks, and the graph that is exported."""
