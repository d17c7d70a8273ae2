"""What a generic client does, as a program that has no stubs of ours: it knows an address and asks for the rest.

Usage: reflection_program.py HOST:PORT
"""

import sys

from grpc_requests import Client


def main() -> None:
    client = Client.get_by_endpoint(sys.argv[1])
    assert set(client.service_names) >= {
        "pose_mdn.v1.PoseLiftingService",
        "pose_mdn.v1.ModelService",
        "inference.GRPCInferenceService",
        "grpc.health.v1.Health",
    }, client.service_names
    health = client.request("grpc.health.v1.Health", "Check", {"service": "pose_mdn.v1.PoseLiftingService"})
    assert health == {"status": "SERVING"}, health
    models = client.request("pose_mdn.v1.ModelService", "ListModels", {})["models"]
    assert {(model["name"], model["version"]) for model in models} >= {("mdn_lifter", "1"), ("mdn_lifter", "1-int8")}
    assert {model["name"] for model in models} == {"cvae_lifter", "mdn_lifter", "pose_cvae", "pose_vae"}
    assert all(len(model["joint_names"]) == 17 for model in models)
    pose = [[100 + 20 * joint, 100 + 37 * joint % 400] for joint in range(17)]
    answer = client.request(
        "pose_mdn.v1.PoseLiftingService",
        "Lift",
        {
            "keypoints_px": [value for point in pose for value in point],
            "camera": {"image_width_px": 640, "image_height_px": 640},
        },
    )
    assert answer["status"] == ["LIFT_STATUS_LIFTED"], answer["status"]
    assert len(answer["means_m"]) == answer["num_hypotheses"] * 17 * 3
    assert abs(sum(answer["mixing_coefficients"]) - 1) < 1e-5
    assert answer["model"] == "mdn_lifter/1"
    assert answer["intrinsics_source"].startswith("assumed")
    assert not [name for name in sys.modules if name.startswith("pose_mdn")]


if __name__ == "__main__":
    main()
