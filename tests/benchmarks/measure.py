"""Time what the targets take, in rounds that are rotated so that each target is first, middle and last as often."""

import dataclasses
import statistics
import time
from collections.abc import Callable, Sequence


@dataclasses.dataclass(frozen=True)
class Target:
    """``act`` does it ``of`` times; ``repeat`` acts make one sample; what ``prepare`` does is not timed.

    ``against`` names the floor that the ratio is taken of.
    """

    name: str
    act: Callable[[], None]
    against: str
    repeat: int = 10
    every: int = 1
    of: int = 1
    prepare: Callable[[], None] = lambda: None


@dataclasses.dataclass(frozen=True)
class Result:
    """Milliseconds, and the ratio to the floor taken in each round, as (first quartile, median, third quartile)."""

    name: str
    milliseconds: float
    ratio: tuple[float, float, float]


def measure(targets: Sequence[Target], rounds: int) -> list[Result]:
    """Run all targets once unmeasured, then ``rounds`` times in rotated order. Prints a dot for each round."""
    for target in targets:
        _sample(target)
    samples: list[dict[str, float]] = []
    for number in range(rounds):
        due = [target for target in targets if number % target.every == 0]
        turn = number % len(due)
        samples.append({target.name: _sample(target) for target in due[turn:] + due[:turn]})
        print(".", end="", flush=True)
    print()
    return [_result(target, samples) for target in targets]


def _sample(target: Target) -> float:
    target.prepare()
    began = time.perf_counter()
    for _ in range(target.repeat):
        target.act()
    return (time.perf_counter() - began) / (target.repeat * target.of) * 1_000


def _result(target: Target, samples: list[dict[str, float]]) -> Result:
    mine = [sample for sample in samples if target.name in sample]
    ratios = [sample[target.name] / sample[target.against] for sample in mine]
    first, middle, third = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
    return Result(target.name, statistics.median(sample[target.name] for sample in mine), (first, middle, third))
