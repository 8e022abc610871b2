"""Track 1: how much accuracy a method keeps on images, sensors, speech, tables and text."""

from __future__ import annotations

from bibench.data import available, left_out
from bibench.plan import REAL, Plan
from bibench.scores import quadratic_mean
from bibench.track import Job, Outcome, Results, Track
from bibench.training import Training, mean_of


def trainings(plan: Plan, data: str, arch: str, method: str) -> list[Training]:
    """One for each seed."""
    return [Training(data, arch, method, seed) for seed in plan.seeds]


def _jobs(plan: Plan) -> list[Job]:
    return [
        training.job(plan)
        for each in available(plan)
        for method in plan.variants
        for training in trainings(plan, each.name, each.arch, method)
    ]


def _evaluate(plan: Plan, results: Results) -> Outcome:
    sets = available(plan)
    reached = {
        method: [mean_of(results, trainings(plan, each.name, each.arch, method)) for each in sets]
        for method in plan.variants
    }
    ratios = {m: [got / real for got, real in zip(reached[m], reached[REAL], strict=True)] for m in plan.methods}
    return Outcome(
        {method: quadratic_mean(ratios[method]) for method in plan.methods},
        ("method", *(f"{each.name} ({each.domain})" for each in sets)),
        [(method, *(f"{100 * value:.1f} %" for value in reached[method])) for method in plan.variants],
        ("Share of test samples that are classified rightly.", *left_out(plan)),
    )


TRACK = Track("task", "Learning task", "√(mean over sets of (A_bi / A)²), A the accuracy", _jobs, _evaluate)
