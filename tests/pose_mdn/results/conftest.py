"""Films of several people who come and go, with rows that hold nothing."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import strategies as st

from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.status import Status

FILMS = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2**32 - 1),
        "frames": st.integers(0, 6),
        "people": st.integers(1, 3),
        "components": st.integers(1, 4),
        "fps": st.sampled_from([None, 25.0, 29.97]),
    }
)
"""Arguments of `make_film`, from no row at all to several people with one hypothesis or more."""

UNLIFTED = [status.value for status in Status if not status.is_lifted]


@pytest.fixture(scope="session")
def films() -> st.SearchStrategy[dict]:
    return FILMS


@pytest.fixture(scope="session")
def make_film(random_hypotheses: Callable[..., HypothesisSequence]) -> Callable[..., HypothesisSequence]:
    """Everybody is somewhere before the camera; a fifth of all rows is left out, and a fifth was not lifted."""

    def make(seed: int = 0, frames: int = 5, people: int = 2, components: int = 3, fps: float | None = 30.0):
        rng = np.random.default_rng(seed)
        pairs = np.array([(frame, person) for frame in range(frames) for person in range(people)], np.int64)
        pairs = pairs.reshape(-1, 2)[rng.random(frames * people) > 0.2]
        film = random_hypotheses(seed, len(pairs), components)
        unlifted = rng.random(len(film)) < 0.2
        nobody = unlifted & (rng.random(len(film)) < 0.5)
        status = np.where(unlifted, rng.choice(UNLIFTED, len(film)), "lifted").astype(np.str_)
        status[nobody] = Status.NO_PERSON.value
        empty = {
            name: np.where(unlifted.reshape(-1, *[1] * (values.ndim - 1)), np.nan, values).astype(np.float32)
            for name, values in (
                ("means_m", film.means_m),
                ("std_m", film.std_m),
                ("mixing_coefficients", film.mixing_coefficients),
                ("view_rotation", film.view_rotation),
                ("reprojection_error_px", film.reprojection_error_px),
                ("root_translation_m", rng.uniform(2, 9, film.root_translation_m.shape)),
            )
        }
        # At most one row of nobody in a frame.
        frame, person = 3 * pairs[:, 0] + 7, np.where(nobody, -1, pairs[:, 1] * 4)
        first = np.zeros(len(film), bool)
        first[np.unique(frame * 100 + person, return_index=True)[1]] = True
        return replace(film, **empty, status=status, frame=frame, person=person, fps=fps).take(first)

    return make
