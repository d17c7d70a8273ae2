from collections.abc import Iterator

import grpc
import numpy as np
import pytest

from pose_mdn.errors import InputError, ModelNotFoundError
from pose_mdn_server.client import PoseGenerationClient, PoseLiftingClient
from pose_mdn_server.client.exchange import Exchange
from pose_mdn_server.codec.methods import ENCODE_POSES
from pose_mdn_server.rpc import open_inference_pb2 as oip
from pose_mdn_server.rpc import open_inference_pb2_grpc as oip_grpc
from pose_mdn_server.rpc import pose_generation_pb2 as pb
from pose_mdn_server.server import PoseServer

NOT_A_POSE = Exchange(ENCODE_POSES, pb.EncodePosesRequest(pose_m=[1.0] * 50), str)


@pytest.fixture
def generator(server: PoseServer) -> Iterator[PoseGenerationClient]:
    with PoseGenerationClient(server.address) as connected:
        yield connected


@pytest.fixture
def conditioned(server: PoseServer) -> Iterator[PoseGenerationClient]:
    with PoseGenerationClient(server.address, model="pose_cvae") as connected:
        yield connected


def test_the_server_gives_what_the_library_gives(server, generator):
    prior = server.models.prior()
    poses, labels = generator.sample(7, seed=4, temperature=0.8)
    np.testing.assert_allclose(poses, prior.sample(7, seed=4, temperature=0.8), atol=1e-6)
    assert labels == []
    encoded, expected = generator.encode(poses), prior.encode(poses)
    np.testing.assert_allclose(encoded.mean, expected.mean, atol=1e-5)
    np.testing.assert_allclose(encoded.heading_rad, expected.heading_rad, atol=1e-6)
    decoded = generator.decode(encoded.mean, heading_rad=encoded.heading_rad)
    np.testing.assert_allclose(decoded, prior.decode(expected.mean, heading_rad=expected.heading_rad), atol=1e-5)
    scores = generator.score(poses, seed=2, samples=16)
    np.testing.assert_allclose(scores.bound_nats, prior.score(poses, seed=2, samples=16).bound_nats, atol=1e-2)
    assert scores.usual.all() == prior.score(poses, seed=2, samples=16).usual.all()


def test_seeds_repeat(generator):
    assert np.array_equal(generator.sample(3, seed=1)[0], generator.sample(3, seed=1)[0])
    assert not np.array_equal(generator.sample(3, seed=1)[0], generator.sample(3, seed=2)[0])


def test_a_broken_pose_keeps_its_row(generator):
    poses, _ = generator.sample(3, seed=0)
    poses[1, 4] = np.nan
    scores = generator.score(poses)
    assert np.isnan(scores.bound_nats).tolist() == [False, True, False]


def test_labels_are_asked_for_and_told(conditioned):
    poses, labels = conditioned.sample(4, seed=0, label="sitting")
    assert labels == ["sitting"] * 4
    assert len(set(conditioned.sample(24, seed=0)[1])) == 12
    assert conditioned.score(poses, label="sitting").bound_nats.shape == (4,)
    with pytest.raises(InputError, match=r"prior\.label"):
        conditioned.score(poses)
    with pytest.raises(InputError, match="flying"):
        conditioned.sample(1, seed=0, label="flying")


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda client: client.sample(0, seed=0), "num_poses"),
        (lambda client: client.sample(10**6, seed=0), "num_poses"),
        (lambda client: client.sample(1, seed=0, temperature=-1.0), "temperature"),
        (lambda client: client.sample(1, seed=0, label="sitting"), "label"),
        (lambda client: client.decode(np.zeros((1, 31))), "latent"),
        (lambda client: client.decode(np.zeros((2, 32)), heading_rad=[1.0]), "heading_rad"),
        (lambda client: client.score(np.zeros((1, 17, 3)), samples=100_000), "num_samples"),
        (
            lambda client: client.connection.call(
                Exchange(ENCODE_POSES, pb.EncodePosesRequest(pose_m=[1.0] * 50), str)
            ),
            "pose_m",
        ),
    ],
)
def test_a_bad_request_names_its_field(generator, call, field):
    with pytest.raises(InputError, match=field):
        call(generator)


def test_a_model_of_another_kind_is_refused(server, people):
    with PoseGenerationClient(server.address, model="mdn_lifter") as client, pytest.raises(InputError, match="prior"):
        client.sample(1, seed=0)
    with PoseGenerationClient(server.address, model="nobody") as client, pytest.raises(ModelNotFoundError):
        client.sample(1, seed=0)
    with PoseLiftingClient(server.address) as client, pytest.raises(InputError, match="lifts"):
        client.lift(people, model="pose_vae")


def test_a_lifter_that_samples_is_served_with_seeds(server, client, people):
    lifter = server.models.lifter("cvae_lifter")
    answer = client.lift(people, model="cvae_lifter", num_hypotheses=9, seed=5)
    expected = lifter.sampling(num_hypotheses=9, seed=5).lift_arrays(people)
    np.testing.assert_allclose(answer.means_m, expected.means_m, atol=1e-6)
    assert client.lift(people, model="cvae_lifter").num_hypotheses == lifter.num_hypotheses
    with pytest.raises(InputError, match="num_hypotheses"):
        client.lift(people, num_hypotheses=9)
    with pytest.raises(InputError, match="num_hypotheses"):
        client.lift(people, model="cvae_lifter", num_hypotheses=100_000)


@pytest.fixture
def tensors(server: PoseServer) -> Iterator[oip_grpc.GRPCInferenceServiceStub]:
    with grpc.insecure_channel(server.address) as channel:
        yield oip_grpc.GRPCInferenceServiceStub(channel)


def _request(model: str, output: str, arrays: dict[str, np.ndarray]) -> oip.ModelInferRequest:
    request = oip.ModelInferRequest(model_name=model)
    request.outputs.add(name=output)
    for name, array in arrays.items():
        request.inputs.add(name=name, datatype="FP32", shape=array.shape)
        request.raw_input_contents.append(array.astype("<f4").tobytes())
    return request


def _answer(response: oip.ModelInferResponse) -> np.ndarray:
    return np.frombuffer(response.raw_output_contents[0], "<f4").reshape(tuple(response.outputs[0].shape))


def test_every_graph_is_served_as_tensors(server, tensors):
    names = {entry.name for entry in tensors.RepositoryIndex(oip.RepositoryIndexRequest()).models}
    assert {"mdn_lifter", "cvae_lifter", "pose_vae_encode", "pose_vae_decode", "pose_cvae_decode"} <= names
    prior = server.models.prior()
    latent = np.random.default_rng(0).standard_normal((3, prior.latent_dim)).astype(np.float32)
    answer = _answer(tensors.ModelInfer(_request("pose_vae_decode", "pose_m", {"latent": latent})))
    np.testing.assert_allclose(answer, prior.decode(latent), atol=1e-6)


def test_tensors_of_a_lifter_that_samples_bring_their_noise(server, tensors, people):
    lifter = server.models.lifter("cvae_lifter")
    intrinsics = np.broadcast_to(np.array([[1e3, 0, 500], [0, 1e3, 500], [0, 0, 1]], np.float32), (len(people), 3, 3))
    arrays = {
        "keypoints_px": people,
        "confidence": np.ones(people.shape[:2], np.float32),
        "intrinsics": intrinsics,
        "noise": np.zeros((len(people), 2, lifter.latent_dim), np.float32),
    }
    means = _answer(tensors.ModelInfer(_request("cvae_lifter", "means_m", arrays)))
    expected = lifter.sampling(num_hypotheses=1).lift_arrays(people, intrinsics=intrinsics)
    np.testing.assert_allclose(means[:, 1], expected.means_m[:, 0], atol=1e-4)
    arrays["noise"] = np.zeros((len(people), 4000, lifter.latent_dim), np.float32)
    arrays |= {name: np.repeat(array, 4, axis=0) for name, array in arrays.items()}
    with pytest.raises(grpc.RpcError, match="free axes"):
        tensors.ModelInfer(_request("cvae_lifter", "means_m", arrays))
