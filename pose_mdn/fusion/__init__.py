r"""Several calibrated views of one person, fused into one distribution over poses in the world.

The unknowns are the pelvis X and sixteen joints X + Yⱼ in the world. View v has lifted the person to a mixture
pᵥ(Y | xᵥ) given its pixels xᵥ, and noise is independent from view to view, so

    p(X, Y | x₁ … x_V)  ∝  p(Y) Πᵥ p(xᵥ | X, Y)  ∝  Πᵥ pᵥ(X, Y | xᵥ) / p(Y)^(V-1).

The lifter's prior p(Y) is in each factor, and must count once. It has no closed form, but its effect does: it draws a
lifted joint away from its pixels. So each joint that V views see takes, beside the lifted Gaussians, (V - 1) / V of
each view's pixels as a likelihood of its own. With one view that is nothing, and the view's hypotheses come out as they
went in; the more views, the more the answer is triangulation; a joint that one view sees is placed by its lifter,
relative to the others. There is no switch between these.

1. `rows`: frames and persons are matched; `sightings`: everything is turned into the world.
2. `consensus`: pairs of views propose where joints are; views that show something else are left out, exchanged sides
   put right.
3. `terms`: pixels as rays with Student's noise, linear up to their depth; lifted poses as shapes, whose metres follow
   from the distance at which the pelvis is; each as information (precision, precision times mean).
4. `body_gaussian`: joints know of each other through the pelvis alone, so the normal equations are an arrowhead.
5. `posterior`: a few steps settle depths and weights. `product`: combinations of components are added view by view,
   the best kept by their evidence, which products of Gaussians have in closed form.

Errors of one lifter are alike from joint to joint and from view to view, so the product is too sure. `settings` holds
the few numbers that temper it.
"""

from pose_mdn.fusion.fuse import fuse_views
from pose_mdn.fusion.seen_by import seen_by
from pose_mdn.fusion.settings import METHODS, FusionSettings, Method

__all__ = ["METHODS", "FusionSettings", "Method", "fuse_views", "seen_by"]
