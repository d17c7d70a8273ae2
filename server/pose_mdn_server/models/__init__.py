"""The models of a server: loaded from a repository, replaced while it serves."""
