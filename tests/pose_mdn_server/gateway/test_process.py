import http.client
import json
import re
import signal
import socket
import subprocess
import sys

from pose_mdn_server.server import PoseServer

PROGRAM = [sys.executable, "-m", "pose_mdn_server.gateway"]


def test_the_process_serves_until_it_is_told_to_stop(server: PoseServer) -> None:
    command = [*PROGRAM, "--target", server.address, "--http-port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = re.search(r" on 127\.0\.0\.1:(\d+);", process.stdout.readline())
        assert found is not None
        connection = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=20)
        connection.request("GET", "/readyz")
        assert json.loads(connection.getresponse().read()) == {"ready": True, "status": "SERVING"}
        connection.request("POST", "/pose_mdn.v1.ModelService/ListModels", b"{}", {"content-type": "application/json"})
        assert "mdn_lifter" in {model["name"] for model in json.loads(connection.getresponse().read())["models"]}
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.communicate()


def test_a_port_that_is_taken_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = [*PROGRAM, "--http-port", str(taken.getsockname()[1])]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith("http_port: expected an address that can be bound")
    assert len(ended.stderr.splitlines()) == 1
