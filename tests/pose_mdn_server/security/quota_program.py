"""Takes from a shared quota for a while, as a worker would: `quota_program.py FILE RATE POSES SECONDS`."""

import sys
import time
from pathlib import Path

from pose_mdn_server.calls import Client
from pose_mdn_server.errors import QuotaExceededError
from pose_mdn_server.security.quotas import Quotas

path, rate, poses, seconds = Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
quotas = Quotas(path)
client = Client(name="shared", poses_per_s=rate)
sys.stdout.write("ready\n")
sys.stdout.flush()
sys.stdin.readline()
taken = 0
end = time.monotonic() + seconds
while time.monotonic() < end:
    try:
        quotas.take(client, poses)
    except QuotaExceededError as refused:
        time.sleep(min(refused.retry_after_s, 0.002))
    else:
        taken += poses
sys.stdout.write(f"{taken}\n")
