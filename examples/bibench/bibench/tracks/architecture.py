"""Track 2: how much accuracy a method keeps in a CNN, an MLP and a transformer, all on digits."""

from __future__ import annotations

from bibench.plan import REAL, Plan
from bibench.scores import quadratic_mean
from bibench.track import Job, Outcome, Results, Track
from bibench.training import Training, mean_of

ARCHITECTURES = ("cnn", "transformer", "mlp")
DATA = "digits"
EPOCHS = {"transformer": 12}
"""Where the data set's are too few."""


def _trainings(plan: Plan, arch: str, method: str) -> list[Training]:
    """One for each seed."""
    return [Training(DATA, arch, method, seed, epochs=EPOCHS.get(arch, 0)) for seed in plan.seeds]


def _jobs(plan: Plan) -> list[Job]:
    return [
        training.job(plan)
        for arch in ARCHITECTURES
        for method in plan.variants
        for training in _trainings(plan, arch, method)
    ]


def _evaluate(plan: Plan, results: Results) -> Outcome:
    reached = {
        method: [mean_of(results, _trainings(plan, arch, method)) for arch in ARCHITECTURES] for method in plan.variants
    }
    ratios = {m: [got / real for got, real in zip(reached[m], reached[REAL], strict=True)] for m in plan.methods}
    return Outcome(
        {method: quadratic_mean(ratios[method]) for method in plan.methods},
        ("method", *ARCHITECTURES),
        [(method, *(f"{100 * value:.1f} %" for value in reached[method])) for method in plan.variants],
        (
            "Share of the digits for testing that are classified rightly.",
            "The transformer is trained and tested in float only: Tinsmith does not compile the softmax of attention. "
            "Its queries and keys stay real-valued.",
        ),
    )


TRACK = Track("architecture", "Architecture", "√(mean over architectures of (A_bi / A)²)", _jobs, _evaluate)
