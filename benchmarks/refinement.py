"""What the picture is worth to hypotheses that were lifted from it: before and after refinement, and how fast.

    OMP_NUM_THREADS=1 python benchmarks/refinement.py VIEWS [--views 1000]     # tables, from keypoints with their truth
    OMP_NUM_THREADS=1 python benchmarks/refinement.py MOTIONS.npz --fit        # the numbers of refinement/fitted.toml

VIEWS is a folder with `clean.npz` and `clean.truth.npz` (docs/evaluation.md) of people whom the lifter has not seen.
Other observations are made from the clean one: noise in parts of the person's size, 3 % of the joints six times as
noisy, and limb joints that are not seen. The fit films people of the validation subjects in the same way (needs torch
and a motion data file, docs/training.md) and never sees VIEWS.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from pose_mdn import metrics
from pose_mdn.distributions import PoseMixture
from pose_mdn.distributions.mixture import log_sum_exp
from pose_mdn.evaluation.protocol import evaluate
from pose_mdn.formats import read_keypoints
from pose_mdn.inference import load_lifter
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.refinement import FittedNumbers, RefinementSettings, refine_hypotheses
from pose_mdn.refinement.posterior import posterior_of
from pose_mdn.refinement.settings import fitted_numbers
from pose_mdn.reprojection.agreement import person_size_px
from pose_mdn.reprojection.bones import has_human_bones
from pose_mdn.skeletons import HUMAN36M17

OUTLIER_PROBABILITY = 0.03
OUTLIER_FACTOR = 6.0
LIMB_JOINTS = [HUMAN36M17.index(f"{side}_{joint}") for side in "lr" for joint in ("knee", "ankle", "elbow", "wrist")]
EXACT = 0.001
"""The noise to state for keypoints that have none."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One way to observe: noise in the keypoints, noise that is stated, limb joints not seen."""

    noise: float
    stated: float
    missing: int = 0

    def __str__(self) -> str:
        actual = "clean" if not self.noise else f"noise {100 * self.noise:g} %"
        hidden = f", {self.missing} missing" if self.missing else ""
        honest = self.stated == (self.noise or EXACT)
        return actual + hidden + ("" if honest else f", stated {100 * self.stated:g} %")


KINDS = (
    Kind(noise=0.0, stated=EXACT),
    Kind(noise=0.002, stated=0.002),
    Kind(noise=0.005, stated=0.005),
    Kind(noise=0.016, stated=0.016),
    Kind(noise=0.024, stated=0.024),
    Kind(noise=0.016, stated=0.016, missing=1),
    Kind(noise=0.016, stated=0.016, missing=2),
    Kind(noise=0.0, stated=EXACT, missing=2),
)
MISTAKEN = (Kind(noise=0.0, stated=0.016), Kind(noise=0.005, stated=0.016), Kind(noise=0.024, stated=0.016))


@dataclass(frozen=True, kw_only=True)
class Lifted:
    """Lifted rows and their truth, (N, 17, 3) root-relative."""

    kind: Kind
    hypotheses: HypothesisSequence
    truth_m: np.ndarray


def observe_as(kind: Kind, clean: KeypointSequence, seed: int) -> KeypointSequence:
    """Perfect keypoints as a detector of that kind would see them."""
    rng = np.random.default_rng(seed)
    points = clean.keypoints_px.astype(np.float64)
    size = person_size_px(points, np.ones(points.shape[:2], bool))[:, None, None]
    outlier = rng.random(points.shape[:2])[..., None] < OUTLIER_PROBABILITY
    noisy = points + kind.noise * size * np.where(outlier, OUTLIER_FACTOR, 1.0) * rng.normal(size=points.shape)
    hidden = np.array(LIMB_JOINTS)[rng.random((len(clean), len(LIMB_JOINTS))).argsort(axis=1)[:, : kind.missing]]
    confidence = np.ones(points.shape[:2], np.float32)
    np.put_along_axis(confidence, hidden, 0.0, axis=1)
    seen = np.where(confidence[..., None] > 0, noisy, np.nan)
    return replace(clean, keypoints_px=seen.astype(np.float32), confidence=confidence)


def lift_as(kinds: Sequence[Kind], clean: KeypointSequence, truth_m: np.ndarray, model: str) -> list[Lifted]:
    """Each kind of observation, lifted."""
    lifter = load_lifter(model, threads=1)
    lifted = []
    for kind in kinds:
        hypotheses = lifter.lift(observe_as(kind, clean, seed=0))
        keep = hypotheses.lifted
        truth = (truth_m - truth_m[:, :1])[keep].astype(np.float64)
        lifted.append(Lifted(kind=kind, hypotheses=hypotheses.take(keep), truth_m=truth))
    return lifted


def coefficient_ece(mixing: np.ndarray, winner: np.ndarray, bins: int = 10) -> float:
    """Calibration error of coefficients as probabilities that a hypothesis is the best; 0 if they come true."""
    stated, came_true = mixing.ravel(), (winner[:, None] == np.arange(mixing.shape[1])).ravel()
    place = np.minimum((stated * bins).astype(int), bins - 1)
    return sum(
        abs(stated[place == b].mean() - came_true[place == b].mean()) * (place == b).mean() for b in set(place.tolist())
    )


def row(name: str, hypotheses: HypothesisSequence, truth_m: np.ndarray) -> str:
    """One line of the table."""
    found = evaluate(name, hypotheses, truth_m)
    errors = metrics.mpjpe_mm(hypotheses.means_m.astype(np.float64), truth_m[:, None])
    winner = errors.argmin(axis=1)
    accuracy, stated, body = found.accuracy, found.distribution, found.body
    cells = [
        f"{accuracy.best_of_m:.1f}",
        f"{accuracy.top_1:.1f}",
        f"{accuracy.pa_top_1:.1f}",
        f"{stated.nll:.3f}",
        f"{stated.ece:.3f}",
        f"{100 * stated.coverage_68:.0f} %",
        f"{np.median(metrics.top_1(hypotheses.reprojection_error_px, hypotheses.mixing_coefficients)):.1f}",
        f"{100 * has_human_bones(hypotheses.means_m).mean():.0f} %",
        f"{body.mpsse:.1f}",
        f"{100 * body.within_limits:.0f} %",
        f"{100 * (hypotheses.most_probable == winner).mean():.0f} %",
        f"{coefficient_ece(hypotheses.mixing_coefficients.astype(np.float64), winner):.3f}",
    ]
    return f"| {name} | " + " | ".join(cells) + " |"


def print_tables(lifted: list[Lifted], mistaken: list[Lifted]) -> None:
    """Before and after."""
    heads = "best of 5|top-1|PA top-1|NLL|ECE|68 % holds|repr. px|bones|MPSSE|limits|best named|coefficient ECE"
    print("| views | " + heads.replace("|", " | ") + " |\n|---" + "|--:" * 12 + "|", flush=True)
    for views in lifted:
        ways = {"only moved": {"reweight": False}, "only reweighted": {"move": False}, "refined": {}}
        print(row(f"{views.kind}: lifted", views.hypotheses, views.truth_m), flush=True)
        for name, choice in ways.items():
            settings = RefinementSettings(noise=views.kind.stated, **choice)
            print(row(name, refine_hypotheses(views.hypotheses, settings), views.truth_m), flush=True)
    for views in mistaken:
        refined = refine_hypotheses(views.hypotheses, RefinementSettings(noise=views.kind.stated))
        print(row(f"{views.kind}: refined", refined, views.truth_m), flush=True)
    for shrink in (0.25, 0.5, 1.0):
        for views in (lifted[0], lifted[3]):
            refined = refine_hypotheses(views.hypotheses, RefinementSettings(noise=views.kind.stated, shrink=shrink))
            print(row(f"{views.kind}: shrink {shrink:g}", refined, views.truth_m), flush=True)


def print_speed(hypotheses: HypothesisSequence, rounds: int) -> None:
    """Hypotheses per second of processor time."""
    for name, settings in {"5 steps": RefinementSettings(), "3 steps": RefinementSettings(steps=3)}.items():
        rates = []
        for _ in range(rounds):
            start = time.process_time()
            refine_hypotheses(hypotheses, settings)
            rates.append(hypotheses.mixing_coefficients.size / (time.process_time() - start))
        print(f"{name}: {max(rates):,.0f} hypotheses/s (median {np.median(rates):,.0f})")


def likelihood_and_error(lifted: list[Lifted], change: Callable[[Kind], RefinementSettings]) -> tuple[float, float]:
    """Means over kinds of the NLL of the truth, nats per coordinate, and of errors, mm.

    The error is the mean of best-of-5, top-1 and PA top-1, so that none of them is bought with the others.
    """
    scores = []
    for views in lifted:
        refined = refine_hypotheses(views.hypotheses, change(views.kind))
        mixture = PoseMixture(refined)
        errors = metrics.mpjpe_mm(refined.means_m.astype(np.float64), views.truth_m[:, None])
        aligned = metrics.pa_mpjpe_mm(
            refined.means_m.astype(np.float64), np.broadcast_to(views.truth_m[:, None], refined.means_m.shape)
        )
        three = (errors.min(axis=1), *(metrics.top_1(each, refined.mixing_coefficients) for each in (errors, aligned)))
        scores.append((-mixture.log_prob(views.truth_m).mean() / mixture.dimensions, np.mean(three)))
    likelihood, error = np.mean(scores, axis=0)
    return float(likelihood), float(error)


def fit_energy(lifted: list[Lifted], start: FittedNumbers) -> FittedNumbers:
    """The numbers of the energy, one after the other, by the error; the likelihood is printed beside it."""
    grids = {
        "expected_noise": (0.006, 0.012, 0.024, 0.048),
        "bone_share": (0.01, 0.02, 0.05, 0.1),  # stiffer bones take many more steps
    }
    best = start
    for name, grid in grids.items():
        errors = {}
        for value in grid:
            fitted = replace(best, **{name: value})
            likelihood, errors[value] = likelihood_and_error(
                lifted, lambda kind, f=fitted: RefinementSettings(noise=kind.stated, fitted=f)
            )
            print(f"{name} {value:g}: error {errors[value]:.2f} mm, NLL {likelihood:.3f}", flush=True)
        best = replace(best, **{name: min(errors, key=errors.__getitem__)})
    return best


def fit_exponents(lifted: list[Lifted], fitted: FittedNumbers) -> FittedNumbers:
    """The exponents of the coefficients, by the likelihood of which hypothesis is the best one."""
    known = []
    for views in lifted:
        settings = RefinementSettings(noise=views.kind.stated, fitted=fitted)
        refined = refine_hypotheses(views.hypotheses, settings)
        winner = metrics.mpjpe_mm(refined.means_m.astype(np.float64), views.truth_m[:, None]).argmin(axis=1)
        mixing = views.hypotheses.mixing_coefficients.astype(np.float64)
        alive = np.take_along_axis(mixing, winner[:, None], axis=1)[:, 0] > 0
        evidence = posterior_of(views.hypotheses, settings).log_evidence
        with np.errstate(divide="ignore"):
            known.append((np.log(mixing)[alive], evidence[alive], winner[alive]))

    def loss(exponents: np.ndarray) -> float:
        total = 0.0
        for log_mixing, evidence, winner in known:
            logits = exponents[0] * log_mixing + exponents[1] * evidence
            chosen = np.take_along_axis(logits, winner[:, None], axis=1)[:, 0]
            total += float(np.mean(log_sum_exp(logits) - chosen))
        return total / len(known)

    found = minimize(loss, [1.0, 0.01], method="Nelder-Mead").x
    print(f"which is best: {loss(np.array([1.0, 0.0])):.4f} nats as lifted, {loss(found):.4f} fitted", flush=True)
    return replace(fitted, mixing_exponent=float(found[0]), evidence_exponent=float(found[1]))


def fit(motions: Path, count: int, model: str) -> None:
    """Fit on validation subjects and print the numbers, then what shrinking standard deviations would do."""
    from pose_mdn.evaluation.virtual_views import virtual_views  # noqa: PLC0415 - brings torch

    clean = virtual_views(motions, "validation", count=count, seed=0, balanced=True)[0]
    lifted = lift_as((*KINDS, *MISTAKEN), clean.keypoints, clean.pose_camera_m, model)
    fitted = fit_exponents(lifted, fit_energy(lifted, fitted_numbers()))
    for shrink in (0.0, 0.15, 0.3, 0.5, 1.0):
        likelihood, _ = likelihood_and_error(
            lifted, lambda kind, s=shrink: RefinementSettings(noise=kind.stated, shrink=s, fitted=fitted)
        )
        print(f"shrink {shrink:g}: NLL {likelihood:.3f}", flush=True)
    print("\n".join(f"{name} = {value:.3g}" for name, value in asdict(fitted).items()))


def main() -> None:
    """Command line; see the head of this file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="VIEWS|MOTIONS.npz")
    parser.add_argument("--fit", action="store_true", help="fit the numbers instead of reporting")
    parser.add_argument("--views", type=int, default=1000, help="how many")
    parser.add_argument("--rounds", type=int, default=5, help="of the measurement of speed")
    parser.add_argument("--model", default="mdn_lifter")
    given = parser.parse_args()
    if given.fit:
        fit(given.data, given.views, given.model)
        return
    clean = read_keypoints(given.data / "clean.npz")
    truth = np.load(given.data / "clean.truth.npz")["pose_camera_m"]
    chosen = np.linspace(0, len(clean) - 1, min(given.views, len(clean))).astype(int)
    clean = replace(
        clean,
        **{name: getattr(clean, name)[chosen] for name in ("keypoints_px", "confidence", "frame", "person")},
        intrinsics=np.broadcast_to(clean.intrinsics, (len(clean), 3, 3))[chosen],
    )
    lifted = lift_as((*KINDS, *MISTAKEN), clean, truth[chosen], given.model)
    print_tables(lifted[: len(KINDS)], lifted[len(KINDS) :])
    print_speed(lifted[0].hypotheses, given.rounds)


if __name__ == "__main__":
    main()
