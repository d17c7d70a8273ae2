import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pose_mdn.errors import InputError
from pose_mdn.geometry.size_evidence import SizeEvidence, combine


def told(stature_m: float, log_std: float, source: str = "a stick") -> SizeEvidence:
    return SizeEvidence(stature_m=stature_m, log_std=log_std, source=source)


@given(one=st.floats(1.6, 1.8), other=st.floats(1.6, 1.8), stds=st.tuples(*[st.floats(0.05, 0.3)] * 2))
def test_givens_are_combined_by_precision_in_any_order(one: float, other: float, stds: tuple[float, float]) -> None:
    first, second = told(one, stds[0], "a"), told(other, stds[1], "b")
    known, turned = combine([first, second]), combine([second, first])
    assert min(one, other) - 1e-9 <= known.stature_m <= max(one, other) + 1e-9
    assert known.log_std == pytest.approx(1 / math.sqrt(stds[0] ** -2 + stds[1] ** -2))
    assert (known.stature_m, known.log_std) == pytest.approx((turned.stature_m, turned.log_std))
    assert known.source == "a and b"


def test_a_sharp_given_outweighs_a_vague_one() -> None:
    assert combine([told(1.7, 0.001), told(1.9, 0.2)]).stature_m == pytest.approx(1.7, abs=1e-3)


def test_a_contradiction_is_refused_with_both_sides_of_it() -> None:
    with pytest.raises(InputError, match=r"stature 1\.20 m.*stature 1\.80 m") as error:
        combine([told(1.2, 0.02, "a child"), told(1.8, 0.02, "a ground")])
    assert "a child" in str(error.value)
    assert "a ground" in str(error.value)
    combine([told(1.2, 0.2), told(1.8, 0.2)])
