"""Motion capture files: skeletons that move and markers that were filmed, read as 3D joints over time."""
