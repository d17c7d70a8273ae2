"""Lifting what a stream brings: frame by frame, or followed and smoothed over time."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pose_mdn.inference import Lifter, OnlineVideoLifter, VideoSettings
from pose_mdn.people import PersonTracker
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn_server.codec.lift_stream import StreamJob


class StreamLifter:
    """What is remembered between the messages of a stream, from one message of settings to the next.

    Args:
        lifter: The model.
        job: The first poses, with the settings that hold for all that follow.
    """

    def __init__(self, lifter: Lifter, job: StreamJob) -> None:
        self._lifter = lifter
        self._body = job.lift.body
        self._tracker = PersonTracker(job.lift.keypoints.fps) if job.follow_people else None
        self._video = None
        if job.lag is not None:
            self._video = OnlineVideoLifter(lifter, VideoSettings(body=self._body), lag=job.lag)

    def lift(self, people: KeypointSequence) -> HypothesisSequence | None:
        """Take in the people of the next frames; give back the rows that are now final, if there are any."""
        if self._tracker is not None:
            people = replace(people, person=_followed(self._tracker, people))
        if self._video is None:
            return self._lifter.lift(people, body=self._body)
        return self._video.push(people)

    def rest(self) -> HypothesisSequence | None:
        """The rows that still wait, if there are any."""
        return None if self._video is None else self._video.flush()


def _followed(tracker: PersonTracker, people: KeypointSequence) -> NDArray[np.int64]:
    """(N,) numbers that stay with people."""
    _, begins = np.unique(people.frame, return_index=True)
    frames = np.split(np.arange(len(people)), begins[1:])
    return np.concatenate([tracker.update(people.take(rows)) for rows in frames])
