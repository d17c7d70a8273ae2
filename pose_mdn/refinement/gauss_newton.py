"""Downhill in a few damped Gauss-Newton steps, all hypotheses at once and each at its own pace.

Each step solves (H + λ diag H) step = -gradient (Levenberg, 1944; Marquardt, 1963) by the tree of the body. A step that
does not lead down is not taken, and the next one is shorter; the energy therefore never rises.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose_mdn.refinement.objective import Objective
from pose_mdn.refinement.tree_system import TreeFactor, TreeSystem

Float64Array = NDArray[np.float64]

_FIRST_DAMPING = 1e-2
_LEAST_DAMPING = 1e-9
_MOST_DAMPING = 1e6
_RELAX, _STIFFEN = 0.2, 5.0


@dataclass(frozen=True, kw_only=True)
class Descent:
    """Where B hypotheses came to rest.

    Attributes:
        joints_m: (3, J, B) relative to the pelvis.
        root_m: (3, B) pelvis.
        energies: (steps + 1, B), before and after every step.
    """

    joints_m: Float64Array
    root_m: Float64Array
    energies: Float64Array


def descend(objective: Objective, steps: int) -> Descent:
    """Minimise the energy from where hypotheses were lifted."""
    joints, root = objective.means_m.copy(), objective.root_m.copy()
    energies = [objective.energy(joints, root)]
    damping = np.full(root.shape[-1], _FIRST_DAMPING)
    for _ in range(steps):
        system, downhill, root_downhill = objective.expansion(joints, root)
        step, root_step = TreeFactor(_damped(system, damping)).solve(downhill, root_downhill)
        energy = objective.energy(joints + step, root + root_step)
        better = energy < energies[-1]
        joints, root = np.where(better, joints + step, joints), np.where(better, root + root_step, root)
        energies.append(np.where(better, energy, energies[-1]))
        damping = np.clip(damping * np.where(better, _RELAX, _STIFFEN), _LEAST_DAMPING, _MOST_DAMPING)
    return Descent(joints_m=joints, root_m=root, energies=np.stack(energies))


def _damped(system: TreeSystem, damping: Float64Array) -> TreeSystem:
    for axis in range(3):
        system.diagonal[axis, axis] *= 1.0 + damping
        system.corner[axis, axis] *= 1.0 + damping
    return system
