import numpy as np
import pytest

from pose_mdn.errors import InputError
from pose_mdn.poses.single import SinglePoses

FIELDS = {
    "positions_m": np.zeros((3, 17, 3), np.float32),
    "std_m": np.zeros((3, 17, 3), np.float32),
    "frame": np.arange(3),
    "person": np.zeros(3, np.int64),
    "status": np.full(3, "lifted"),
    "fps": None,
    "tracked": True,
    "choice": "mean",
    "model": "test/1",
}


def test_weights_may_be_left_out() -> None:
    poses = SinglePoses(**FIELDS)
    assert len(poses) == 3
    assert np.isnan(poses.weight).all()
    assert poses.weight.shape == (3,)


@pytest.mark.parametrize("field", ["positions_m", "std_m", "frame", "person", "status"])
def test_arrays_that_do_not_fit_each_other_are_refused(field) -> None:
    rows = 2 if field != "positions_m" else 4
    with pytest.raises(InputError, match="expected shape") as caught:
        SinglePoses(**{**FIELDS, field: np.resize(FIELDS[field], (rows, *np.shape(FIELDS[field])[1:]))})
    assert caught.value.field in FIELDS


def test_a_row_is_present_if_all_of_it_is_finite() -> None:
    positions = FIELDS["positions_m"].copy()
    positions[1, 4, 2] = np.nan
    assert SinglePoses(**{**FIELDS, "positions_m": positions}).present.tolist() == [True, False, True]
