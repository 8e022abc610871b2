"""Track 3: how much accuracy the digits' CNN loses when the test images are spoilt."""

from __future__ import annotations

import statistics
from collections.abc import Callable

from tinsmith.train.data import Samples
from tinsmith.train.evaluate import accuracy

from bibench.corruptions import CORRUPTIONS, STRENGTHS, corrupt
from bibench.data import load
from bibench.plan import REAL, Plan
from bibench.scores import GAP_FLOOR, gap_ratio, quadratic_mean
from bibench.track import Job, Outcome, Result, Results, Track
from bibench.tracks.task import trainings
from bibench.training import Training, mean_of

DATA, ARCH = "digits", "cnn"


def _key(training: Training) -> str:
    return f"corrupt {training.key}"


def _spoil(plan: Plan, training: Training) -> Callable[[], Result]:
    """A mean accuracy over the strengths for each corruption."""

    def run() -> Result:
        net, test = training.trained(plan), load(DATA, plan.data)[1]
        return {
            name: statistics.fmean(accuracy(net, Samples(corrupt(test.x, name, each), test.y)) for each in STRENGTHS)
            for name in CORRUPTIONS
        }

    return run


def _jobs(plan: Plan) -> list[Job]:
    jobs = []
    for method in plan.variants:
        for training in trainings(plan, DATA, ARCH, method):
            jobs += [training.job(plan), Job(_key(training), _spoil(plan, training))]
    return jobs


def _evaluate(plan: Plan, results: Results) -> Outcome:
    clean = {method: mean_of(results, trainings(plan, DATA, ARCH, method)) for method in plan.variants}
    gaps = {method: _gaps(plan, results, method, clean[method]) for method in plan.variants}
    ratios = {
        method: [gap_ratio(real, gap) for real, gap in zip(gaps[REAL], gaps[method], strict=True)]
        for method in plan.methods
    }
    rows = [(m, f"{100 * clean[m]:.1f} %", *(f"{100 * gap:+.1f}" for gap in gaps[m])) for m in plan.variants]
    note = (
        f"Points that are lost, mean of three strengths. A loss below {100 * GAP_FLOOR:g} points counts as that many. "
        "A method that has less to lose may score above 1."
    )
    headers = ("method", "clean", *(name.replace("_", " ") for name in CORRUPTIONS))
    return Outcome({m: quadratic_mean(ratios[m]) for m in plan.methods}, headers, rows, (note,))


def _gaps(plan: Plan, results: Results, method: str, clean: float) -> list[float]:
    """Accuracy that each corruption costs, mean over seeds."""
    spoilt = [results[_key(training)] for training in trainings(plan, DATA, ARCH, method)]
    return [clean - statistics.fmean(each[name] for each in spoilt) for name in CORRUPTIONS]


TRACK = Track(
    "corruption",
    "Corruption robustness",
    "√(mean over corruptions of (G / G_bi)²), G the accuracy that a corruption costs",
    _jobs,
    _evaluate,
)
