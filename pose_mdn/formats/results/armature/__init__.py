"""People as animated skeletons: joints that turn and move in their parents' frames, shared by BVH and glTF."""
