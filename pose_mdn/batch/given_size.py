"""What a user knows of the metres in all recordings of a batch."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pose_mdn.geometry.body import KnownBodies
    from pose_mdn.geometry.ground_plane import GroundPlane
    from pose_mdn.geometry.known_distance import KnownDistance
    from pose_mdn.poses.hypotheses import HypothesisSequence


@dataclass(frozen=True, kw_only=True)
class GivenSize:
    """What is known of metres.

    Attributes:
        bodies: Statures and bone lengths.
        distances: Between two joints.
        ground: On which people stand.
    """

    bodies: "KnownBodies | None" = None
    distances: "tuple[KnownDistance, ...]" = ()
    ground: "GroundPlane | None" = None

    def apply(self, hypotheses: "HypothesisSequence") -> "HypothesisSequence":
        """The hypotheses in the size that is known.

        Raises:
            InputError: Givens contradict each other or cannot be used.
        """
        import numpy as np  # noqa: PLC0415

        from pose_mdn.inference.known_body import with_known_body  # noqa: PLC0415
        from pose_mdn.inference.known_scale import KnownScale, with_known_scale  # noqa: PLC0415

        uncertain = bool(np.isfinite(hypotheses.root_std_m).any()) and self.bodies is not None
        if self.distances or self.ground is not None or uncertain:
            scale = KnownScale(bodies=self.bodies, distances=self.distances, ground=self.ground)
            return with_known_scale(hypotheses, scale)
        return hypotheses if self.bodies is None else with_known_body(hypotheses, self.bodies)
