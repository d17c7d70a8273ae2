"""Files that may be elsewhere: addresses such as `s3://bucket/clips`, listed, fetched and published through fsspec.

Local paths are used as they are and never import fsspec. A `file://` address is a local path.
"""

from pose_mdn.batch.storage.addresses import beside, is_url, join, local_path, name_of, refuse_secrets
from pose_mdn.batch.storage.listing import exists, expand, sizes, stamp
from pose_mdn.batch.storage.transfer import fetched, publish, staged

__all__ = [
    "beside",
    "exists",
    "expand",
    "fetched",
    "is_url",
    "join",
    "local_path",
    "name_of",
    "publish",
    "refuse_secrets",
    "sizes",
    "staged",
    "stamp",
]
