"""How far a clip's results can be relied on, in a few numbers and flags, counted while it is lifted."""

from pose_mdn.quality.clip_quality import ClipQuality as ClipQuality
from pose_mdn.quality.counter import QualityCounter as QualityCounter
from pose_mdn.quality.counter import clip_quality as clip_quality
from pose_mdn.quality.flags import Flag as Flag
from pose_mdn.quality.flags import Level as Level
from pose_mdn.quality.flags import quality_flags as quality_flags
