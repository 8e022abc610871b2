"""Track 4: what training costs: time, and how much depends on the settings."""

from __future__ import annotations

import itertools
import statistics

from bibench.plan import REAL, Plan
from bibench.scores import GAP_FLOOR, gap_ratio, quadratic_mean
from bibench.track import Job, Outcome, Results, Track
from bibench.training import Training, mean_of

DATA, ARCH, EPOCHS = "digits", "cnn", 4
RATES = {"adam": (1e-2, 1e-3), "sgd": (1e-1, 1e-2)}


def _trainings(plan: Plan, method: str, seed: int) -> list[Training]:
    """One for each setting: four, or eight with both ways in which the rate falls."""
    pairs = [(optimizer, rate) for optimizer, rates in RATES.items() for rate in rates]
    decays = ("cosine", "step") if plan.full else ("cosine",)
    return [
        Training(DATA, ARCH, method, seed, optimizer, rate, decay, EPOCHS)
        for decay, (optimizer, rate) in itertools.product(decays, pairs)
    ]


def _jobs(plan: Plan) -> list[Job]:
    return [
        training.job(plan)
        for seed in plan.seeds
        for method in plan.variants
        for training in _trainings(plan, method, seed)
    ]


def _evaluate(plan: Plan, results: Results) -> Outcome:
    seconds = {m: _mean(plan, results, m, "seconds") for m in plan.variants}
    spread = {m: statistics.fmean(_spread(plan, results, m, seed) for seed in plan.seeds) for m in plan.variants}
    scores = {m: quadratic_mean([seconds[REAL] / seconds[m], gap_ratio(spread[REAL], spread[m])]) for m in plan.methods}
    rows = [
        (
            method,
            f"{seconds[method]:.2f} s",
            f"{seconds[REAL] / seconds[method]:.2f}",
            f"{100 * _mean(plan, results, method, 'accuracy'):.1f} %",
            f"{100 * spread[method]:.2f}",
        )
        for method in plan.variants
    ]
    notes = (
        f"{EPOCHS} epochs of the digits' CNN with {len(_trainings(plan, REAL, 0))} settings: Adam and SGD, two rates "
        f"each{', falling as cosine or in steps' if plan.full else ''}. Time is processor time.",
        f"A deviation below {100 * GAP_FLOOR:g} points counts as that many.",
    )
    return Outcome(scores, ("method", "training", "time ratio", "mean accuracy", "deviation, points"), rows, notes)


def _mean(plan: Plan, results: Results, method: str, what: str) -> float:
    return statistics.fmean(mean_of(results, _trainings(plan, method, seed), what) for seed in plan.seeds)


def _spread(plan: Plan, results: Results, method: str, seed: int) -> float:
    """Standard deviation of the accuracy over the settings."""
    return statistics.pstdev(results[training.key]["accuracy"] for training in _trainings(plan, method, seed))


TRACK = Track(
    "consumption",
    "Training consumption",
    "√(½ [(T / T_bi)² + (std(A) / std(A_bi))²]), T the time of a training, std over settings",
    _jobs,
    _evaluate,
)
