"""Groups of things that belong together, some of which may not: greedy agglomeration with forbidden pairs."""

import numpy as np
from numpy.typing import NDArray

from pose_mdn.people.observations import Float64Array


def cluster(evidence: Float64Array, apart: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Group K things so that pairs with negative evidence are together and others are not.

    The two groups with the most evidence for each other, summed over all their pairs, become one, as long as there is
    any; groups with a forbidden pair never do. So the answer is consistent around every cycle by construction. Then
    single things move to the group that has more evidence for them, until none wants to.

    Args:
        evidence: (K, K) symmetric, in nats; negative speaks for belonging together, 0 says nothing.
        apart: (K, K) symmetric; pairs that may not be together.

    Returns:
        (K,) group numbers, 0, 1, 2, ... by their first member.
    """
    count = len(evidence)
    if not count:
        return np.empty(0, np.int64)
    others = ~np.eye(count, dtype=bool)
    evidence, apart = np.where(others, evidence, 0.0), apart & others
    label = _agglomerate(evidence, apart)
    _settle(label, evidence, apart)
    return _by_first_member(label)


def _agglomerate(evidence: Float64Array, apart: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(K,) groups, numbered by one of their members."""
    between = np.where(apart, np.inf, evidence)
    np.fill_diagonal(between, np.inf)
    label = np.arange(len(evidence))
    # Who every group would join; kept up to date instead of looking at all pairs anew.
    nearest = between.argmin(axis=1)
    best = between.min(axis=1)
    while best[kept := int(best.argmin())] < 0.0:
        gone = int(nearest[kept])
        label[label == gone] = kept
        between[kept] += between[gone]
        between[:, kept] = between[kept]
        between[gone], between[:, gone] = np.inf, np.inf
        changed = (nearest == kept) | (nearest == gone) | (between[kept] < best)
        changed[[kept, gone]] = True
        nearest[changed] = between[changed].argmin(axis=1)
        best[changed] = between[changed].min(axis=1)
    return label


def _settle(label: NDArray[np.int64], evidence: Float64Array, apart: NDArray[np.bool_]) -> None:
    """Move single things between groups, in place, while that makes the sum of evidence within groups smaller."""
    groups = np.unique(label)
    things = np.arange(len(label))
    member = (label[:, None] == groups).astype(np.float64)
    cost, forbidden = evidence @ member, apart.astype(np.float64) @ member
    own = member.argmax(axis=1)
    for _ in things:
        allowed = np.where(forbidden > 0, np.inf, cost)
        saving = cost[things, own] - allowed.min(axis=1)
        thing = int(saving.argmax())
        if not saving[thing] > 1e-9:
            break
        for group, sign in ((own[thing], -1.0), (allowed[thing].argmin(), 1.0)):
            cost[:, group] += sign * evidence[:, thing]
            forbidden[:, group] += sign * apart[:, thing]
            own[thing] = group
    label[:] = groups[own]


def _by_first_member(label: NDArray[np.int64]) -> NDArray[np.int64]:
    _, first, group = np.unique(label, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[group]
