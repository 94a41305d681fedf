"""How well plans of the tiny suite tell what its runs took: half of the runs tell the other half.

    python -m tests.benchmarks.plan RUNS

RUNS holds what `genscope suite run --scale tiny` recorded on a CPU. Models are dealt out in turn;
each half is planned with what was fitted to the other, and the sum of the CPU time of all ops is
set beside the measured one.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
from dataclasses import dataclass
from pathlib import Path

from genscope.analysis.operators import breakdown
from genscope.analysis.plan.model import Fits, Model
from genscope.analysis.plan.predict import predict
from genscope.analysis.plan.results import PlanResult
from genscope.analysis.roofline.devices import DeviceRates
from genscope.analysis.roofline.measure import measure_cpu
from genscope.suite.meta.plan import asked, plan
from genscope.trace import load

_FIELDS = {
    "steps": "steps",
    "px": "image_size",
    "frames": "frames",
    "tokens": "tokens",
    "prompt": "prompt",
}
_PART = re.compile(r"(\d+)([a-z]+)")


@dataclass(frozen=True)
class Run:
    """A recorded run."""

    model: str
    attention: str
    path: Path
    task: dict[str, int]
    categories: dict[str, int]
    """Measured time in ns."""

    @property
    def total_ns(self) -> int:
        """Sum over all ops."""
        return sum(self.categories.values())


@dataclass(frozen=True)
class Miss:
    """A run and its plan."""

    run: Run
    planned: PlanResult

    @property
    def error(self) -> float:
        """How far the plan is off: -0.2 is a fifth too short."""
        return self.planned.latency_ns / self.run.total_ns - 1

    def cause(self) -> str:
        """The categories that are off most, in ms."""
        planned = {one.name: one.time_ns for one in self.planned.categories}
        names = {*planned, *self.run.categories}
        off = {name: planned.get(name, 0) - self.run.categories.get(name, 0) for name in names}
        worst = sorted(off, key=lambda name: -abs(off[name]))[:3]
        return ", ".join(f"{name} {off[name] / 1e6:+.1f} ms" for name in worst)


def runs_in(folder: Path) -> list[Run]:
    """The recorded runs of a folder, by model."""
    found = []
    for path in sorted(folder.glob("*/tiny*/*/*.pt.trace.json.gz")):
        attention, task, model = (path.parents[place].name for place in range(3))
        parts = [_PART.fullmatch(part) for part in task.split("-")[1:]]
        categories = breakdown(load(path)).categories
        found.append(
            Run(
                model=model,
                attention=attention,
                path=path,
                task={_FIELDS[one[2]]: int(one[1]) for one in parts if one},
                categories={one.category: one.sum_ns for one in categories},
            )
        )
    return found


def misses(runs: list[Run], rates: DeviceRates) -> list[Miss]:
    """Plan each half of the models with what the other half took."""
    models = sorted({one.model for one in runs})
    found = []
    for half in (0, 1):
        known = {name for place, name in enumerate(models) if place % 2 != half}
        fits = Fits(rates)
        for one in runs:
            if one.model in known:
                fits.add(load(one.path))
        model = fits.model()
        found += [_miss(one, model) for one in runs if one.model not in known]
    return found


def _miss(run: Run, model: Model) -> Miss:
    made = plan(
        asked(
            run.task,
            what=run.model,
            scale="tiny",
            attention=run.attention,
            device="cpu",
            device_name=model.rates.name,
            dtype="float32",
        )
    )
    return Miss(run, predict(made, model))


def main() -> None:
    """Print a row a run, and the median."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    found = misses(runs_in(parser.parse_args().runs), measure_cpu())
    print("| run | measured, ms | planned, ms | error | most off |\n|---|---|---|---|---|")
    for one in sorted(found, key=lambda one: -abs(one.error)):
        print(
            f"| {one.run.model} {one.run.attention} | {one.run.total_ns / 1e6:.1f} "
            f"| {one.planned.latency_ns / 1e6:.1f} | {100 * one.error:+.0f} % | {one.cause()} |"
        )
    errors = [abs(one.error) for one in found]
    print(f"\nmedian error {100 * statistics.median(errors):.0f} %, of {len(errors)} runs")


if __name__ == "__main__":
    main()
