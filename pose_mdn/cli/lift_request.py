"""What `lift` and `watch` are asked: how files are read, lifted and written. The options of both, and their meaning."""

from dataclasses import dataclass
from pathlib import Path

from pose_mdn.batch.settings import LiftSettings
from pose_mdn.cli import lift_options as options
from pose_mdn.cli.body_options import (
    BoneLengthsOption,
    CameraHeightOption,
    CameraRollOption,
    CameraTiltOption,
    GroundPlaneOption,
    GroundUpOption,
    KnownDistanceOption,
    StatureOption,
    parse_size_options,
)
from pose_mdn.cli.camera_options import (
    CameraOption,
    DistortionOption,
    EstimateFocalOption,
    ExifOption,
    FovOption,
    ImageSizeOption,
    IntrinsicsOption,
    parse_camera_options,
)


@dataclass(frozen=True, kw_only=True)
class LiftRequest:
    """The options, understood.

    Attributes:
        settings: How to read, lift and write.
        output: OUT.
        formats: The formats of the results.
    """

    settings: LiftSettings
    output: Path | str
    formats: options.ResultFormats


def lift_request(
    *,
    output: options.OutputOption,
    format_: options.FormatOption = None,
    skeleton: options.SkeletonOption = None,
    mapping: options.MappingOption = "names",
    fps: options.FpsOption = None,
    trust_pickle: options.TrustPickleOption = False,
    model: options.ModelOption = "mdn_lifter",
    min_confidence: options.MinConfidenceOption = 0.1,
    num_hypotheses: options.NumHypothesesOption = None,
    seed: options.SeedOption = 0,
    server: options.ServerOption = None,
    server_ca: options.ServerCaOption = None,
    server_token_file: options.ServerTokenFileOption = None,
    camera: CameraOption = None,
    fov: FovOption = None,
    exif: ExifOption = None,
    estimate_focal: EstimateFocalOption = False,
    intrinsics: IntrinsicsOption = None,
    distortion: DistortionOption = None,
    image_size: ImageSizeOption = None,
    stature: StatureOption = None,
    bone_lengths: BoneLengthsOption = None,
    known_distance: KnownDistanceOption = None,
    camera_height: CameraHeightOption = None,
    camera_tilt: CameraTiltOption = None,
    camera_roll: CameraRollOption = 0.0,
    ground_plane: GroundPlaneOption = None,
    ground_up: GroundUpOption = None,
    to: options.ToOption = None,
    pose: options.PoseOption = "mean",
    columns: options.ColumnsOption = None,
) -> LiftRequest:
    """Understand the options.

    Raises:
        typer.BadParameter: Some of them do not fit each other, or what is named does not exist.
        PoseMDNError: A file that they name cannot be read.
    """
    formats = options.parse_result_formats(to, out := options.parse_output(output))
    given_camera = parse_camera_options(
        camera, intrinsics, distortion, image_size, fov=fov, exif=exif, estimate_focal=estimate_focal
    )
    size = parse_size_options(
        stature,
        bone_lengths,
        distances=known_distance or [],
        camera_height_m=camera_height,
        camera_tilt_deg=camera_tilt,
        camera_roll_deg=camera_roll,
        ground_plane=ground_plane,
        ground_up=ground_up,
        camera=given_camera.camera,
    )
    options.check_names(format_, skeleton)
    settings = LiftSettings(
        model=model,
        num_hypotheses=num_hypotheses,
        seed=seed,
        min_confidence=min_confidence,
        format=format_,
        skeleton=skeleton,
        mapping=options.check_mapping(mapping),
        image_size=given_camera.image_size,
        fps=fps,
        trust_pickle=trust_pickle,
        camera=given_camera,
        size=size,
        outputs=formats.names,
        choice=pose,
        columns=options.parse_columns(columns, formats.names),
        server=server,
        server_ca=server_ca,
        server_token_file=server_token_file,
    )
    return LiftRequest(settings=settings, output=out, formats=formats)
