"""Addresses as people write them."""


def join_address(host: str, port: int) -> str:
    """HOST:PORT; with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
