"""The same over gRPC: keypoints go to a server, hypotheses come back.

python examples/01_lift_over_grpc.py                    # starts a server of its own on a free port
python examples/01_lift_over_grpc.py 127.0.0.1:8001     # asks one that runs: `pose-mdn serve`
"""

import sys
import time
from contextlib import ExitStack
from importlib.resources import as_file, files

from pose_mdn.formats import read_keypoints
from pose_mdn_server.client import PoseLiftingClient
from pose_mdn_server.config import ServerConfig
from pose_mdn_server.server import PoseServer

with as_file(files("pose_mdn") / "samples" / "walking_clip.npz") as path:
    clip = read_keypoints(path)

with ExitStack() as stack:
    target = sys.argv[1] if len(sys.argv) > 1 else stack.enter_context(PoseServer(ServerConfig(port=0))).address
    client = stack.enter_context(PoseLiftingClient(target))

    started = time.perf_counter()
    hypotheses = client.lift_sequence(clip)
    elapsed_ms = (time.perf_counter() - started) * 1e3

print(f"{len(clip)} frames in one call to {target}: {elapsed_ms:.0f} ms")
for index in range(0, len(hypotheses), 20):
    status, weights = hypotheses.status[index], hypotheses.mixing_coefficients[index]
    line = f"frame {hypotheses.frame[index]:3d}  {status:22s}"
    if hypotheses.lifted[index]:
        depth_m = hypotheses.root_translation_m[index, hypotheses.most_probable[index], 2]
        line += "  weights " + " ".join(f"{weight:.2f}" for weight in weights) + f"   {depth_m:.1f} m away"
    print(line)
