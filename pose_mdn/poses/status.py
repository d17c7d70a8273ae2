"""What happened to each row of a lifting job."""

from enum import StrEnum


class Status(StrEnum):
    """Outcome of one row. Rows that could not be lifted hold NaN and keep their place."""

    LIFTED = "lifted"
    """Every joint that the layout provides was seen."""
    LIFTED_JOINTS_MISSING = "lifted_joints_missing"
    """Some joints were not seen; their positions come from the others, with wider standard deviations."""
    LIFTED_CUT_BY_FRAME = "lifted_cut_by_frame"
    """Some joints lie outside the picture and were treated as missing."""
    LIFTED_FROM_NEIGHBOURS = "lifted_from_neighbours"
    """Too little was seen for a pose; it was filled in from neighbouring frames of a film."""
    NO_PERSON = "no_person"
    """Nobody was seen in this frame."""
    TOO_FEW_JOINTS = "too_few_joints"
    """Fewer joints were seen than a pose needs."""
    DEGENERATE = "degenerate"
    """The joints seen coincide in one point of the picture, or no body before the camera looks like them."""

    @property
    def is_lifted(self) -> bool:
        """Whether the row holds hypotheses."""
        return self.value.startswith("lifted")
