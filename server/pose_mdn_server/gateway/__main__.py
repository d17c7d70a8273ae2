"""`python -m pose_mdn_server.gateway`: the HTTP port in front of a gRPC port."""

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from pose_mdn.errors import PoseMDNError
from pose_mdn_server.config import ServerConfig
from pose_mdn_server.gateway.run import run_gateway
from pose_mdn_server.gateway.standalone import DistantServer
from pose_mdn_server.gateway.tls_files import tls_files


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m pose_mdn_server.gateway", description=__doc__)
    parser.add_argument("--target", default="127.0.0.1:8001", help="gRPC port, HOST:PORT or unix:PATH")
    parser.add_argument("--http-host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--http-port", type=int, default=8002, help="TCP port; 0 takes any free one and says which")
    parser.add_argument(
        "--http-allowed-origins", default="", help="origins of pages that may call, with commas between"
    )
    parser.add_argument("--http-allowed-hosts", default="", help="further names of this server, with commas between")
    parser.add_argument("--tls-certificate", type=Path)
    parser.add_argument("--tls-key", type=Path)
    parser.add_argument("--tls-client-ca", type=Path)
    arguments = vars(parser.parse_args())
    target = arguments.pop("target")

    def announce(port: int) -> None:
        print(f"gateway to {target} on {config.http_host}:{port}; stop it with Ctrl-C", flush=True)  # noqa: T201

    for name in ("http_allowed_origins", "http_allowed_hosts"):
        arguments[name] = tuple(item.strip() for item in arguments[name].split(",") if item.strip())
    try:
        config = ServerConfig(**arguments)
        files = tls_files(config)
        encryption = files.load() if files is not None and not target.startswith("unix:") else None
        server = DistantServer(
            target,
            encryption.towards_server if encryption is not None else None,
            encryption.names[0] if encryption is not None and encryption.names else "",
        )
        finished = run_gateway(
            config,
            supervisor=server,
            grpc_target=target,
            announce=announce,
        )
    except PoseMDNError as error:
        sys.exit(str(error))
    sys.exit(0 if finished else 1)


if __name__ == "__main__":
    main()
