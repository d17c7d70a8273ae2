"""Keypoints tables in Parquet; kept apart because pyarrow takes longer to import than all the rest."""
