"""Who is who: over the frames of a recording, and across the views of several cameras."""

from pose_mdn.people.assignment import assign
from pose_mdn.people.cross_view import match_people, people_of_views
from pose_mdn.people.tracker import NOBODY, PersonTracker, TrackingSettings
from pose_mdn.people.tracking import Presence, presences, track_people, with_tracked_people

__all__ = [
    "NOBODY",
    "PersonTracker",
    "Presence",
    "TrackingSettings",
    "assign",
    "match_people",
    "people_of_views",
    "presences",
    "track_people",
    "with_tracked_people",
]
