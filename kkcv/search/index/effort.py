"""How hard an index must look for k neighbors, by measurement.

What is near the gallery is found with little effort, and what is not with much, and the scores
tell which is which. So a search has up to two steps: where the tenth score of the first is too low,
the second looks harder, or compares the query with every vector.
"""

from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from .kind import Look

DEPTHS = (10, 100, 1000)  # the numbers of neighbors that are measured
ALL = 0  # the effort of comparing with every vector
ALWAYS = -2.0  # a score that every answer reaches
TENTH = 9  # the score that tells how near a query is to the gallery
WORTH_MS = 1.0  # an index must save so much of a query, or every vector is compared
FEWEST = 30  # queries that show where little effort is enough
GLANCE = 0.7  # the recall of queries from outside for which a copy, which is nearer, is found


class Step(NamedTuple):
    """An effort, and the tenth score from which its answer is taken."""

    effort: int
    enough: float = ALWAYS


class Point(NamedTuple):
    """The recall of one effort: its share of the exact k nearest.

    ``recall`` is the mean of the kind of queries (outside.py) that is found worst, and
    ``recall_worst_tenth`` that of the worst tenth of these.
    """

    k: int
    effort: int
    recall: float
    recall_worst_tenth: float
    milliseconds: float  # a query


class Plan(NamedTuple):
    """How up to ``k`` neighbors are looked for; the other fields are as measured for k."""

    k: int
    steps: tuple[Step, ...]
    recall: float
    worst_tenth: float
    at_least: float  # the recall, with 95% confidence
    milliseconds: float
    comparing_all: float  # milliseconds
    curve: tuple[Point, ...]

    @classmethod
    def read(cls, facts: Mapping[str, Any]) -> "Plan":
        steps = tuple(Step(*step) for step in facts["steps"])
        return cls(**{**facts, "steps": steps, "curve": tuple(Point(*p) for p in facts["curve"])})

    def described(self) -> dict[str, Any]:
        """As ``kkcv stats`` and ``kkcv tune`` show it."""
        return {
            "k": self.k,
            "efforts": [shown(step.effort) for step in self.steps],
            "recall": self.recall,
            "recall_worst_tenth": self.worst_tenth,
            "recall_at_least": self.at_least,
            "milliseconds": round(self.milliseconds, 3),
        }

    def deeper(self, k: int) -> "Plan":
        """For more neighbors than were measured: effort and time grow with k."""
        times = -(-k // self.k)
        if times * self.milliseconds >= self.comparing_all:
            return all_compared(k, self.comparing_all)
        return self._replace(k=k, steps=tuple(Step(times * s.effort, s.enough) for s in self.steps))


class Looked(NamedTuple):
    """The findings of one effort for each query, float (Q,)."""

    effort: int
    recall: np.ndarray
    tenth: np.ndarray
    milliseconds: float


def shown(effort: int) -> int | str:
    return "all" if effort == ALL else effort


def glance(plan: Plan) -> int:
    """The effort of a glance: the least that finds most of what is near, though not all."""
    found = (point.effort for point in plan.curve if point.recall >= GLANCE)
    return next(found, plan.steps[0].effort)


def all_compared(k: int, milliseconds: float) -> Plan:
    return Plan(k, (Step(ALL),), 1.0, 1.0, 1.0, milliseconds, milliseconds, ())


def planned(
    search: Look,
    efforts: Callable[[int], tuple[int, ...]],
    queries: list[np.ndarray],
    truth: np.ndarray,
    count: int,
    target: float,
    same: float,
) -> tuple[Plan, ...]:
    """The cheapest plan for each of DEPTHS that reaches the recall ``target``.

    Args:
        search: Takes an effort of the kind, or ALL.
        efforts: For k, the efforts to try, ascending.
        queries: Vectors of each kind of query, float32 (Q, D).
        truth: The scores of the exact nearest of all queries, float32 (all Q, deepest).
        count: Rows of the index.
        same: Difference of scores that this kind of index cannot tell apart.
    """
    every = np.concatenate(queries)
    kinds = np.repeat(np.arange(len(queries)), [len(some) for some in queries])
    some = every[:: len(every) // FEWEST + 1]
    comparing = min(timed(search, some, min(DEPTHS[0], count), ALL)[1] for _ in range(3))
    plans = []
    for k in DEPTHS:
        if 2 * k > count or comparing < WORTH_MS:
            plans.append(all_compared(k, comparing))
            continue
        looked = []
        for effort in efforts(k):
            scores, took = timed(search, every, k, effort)
            recall = (scores >= truth[:, k - 1 : k] - same).mean(axis=1)
            looked.append(Looked(effort, recall, scores[:, TENTH], took))
            if holds(recall, kinds, target) or took > comparing - WORTH_MS:
                break
        plans.append(cheapest(looked, kinds, target, k, comparing))
    return tuple(plans)


def timed(search: Look, queries: np.ndarray, k: int, effort: int) -> tuple[np.ndarray, float]:
    """Scores, and the milliseconds of a query."""
    search(queries[:FEWEST], k, effort)  # pages that are read for the first time are not counted
    began = perf_counter()
    scores, _ = search(queries, k, effort)
    return scores, 1000 * (perf_counter() - began) / len(queries)


def cheapest(
    looked: list[Looked], kinds: np.ndarray, target: float, k: int, comparing: float
) -> Plan:
    """The plan of least time that holds: one step or two, the last of which may compare all."""
    every = Looked(ALL, np.ones(len(kinds)), np.full(len(kinds), np.inf), comparing)
    best, least = all_compared(k, comparing), comparing - WORTH_MS
    # a query that is harder than all that were measured ends with the last step: it holds alone
    for last in [*(each for each in looked if holds(each.recall, kinds, target)), every]:
        for first in looked:
            enough = ALWAYS if first is last else threshold(first, target)
            hard = first.tenth < enough
            took = first.milliseconds + float(hard.mean()) * last.milliseconds
            recall = np.where(hard, last.recall, first.recall)
            if took < least and holds(recall, kinds, target):
                least = took
                steps = [Step(first.effort, enough)] if first is not last else []
                steps.append(Step(last.effort))
                best = Plan(k, tuple(steps), *figures(recall, kinds), took, comparing, ())
    points = [Point(k, e.effort, *figures(e.recall, kinds)[:2], e.milliseconds) for e in looked]
    return best._replace(curve=tuple(points))


def threshold(first: Looked, target: float) -> float:
    """The lowest tenth score from which a first step reaches the target, also close to it."""
    order = np.argsort(-first.tenth)
    recall, tenth = first.recall[order], first.tenth[order]
    for end in range(len(order), FEWEST - 1, -1):
        if recall[end - FEWEST : end].mean() >= target and surely(recall[:end]) >= target:
            return float(tenth[end - 1])
    return np.inf


def holds(recall: np.ndarray, kinds: np.ndarray, target: float) -> bool:
    """Whether queries of each kind reach the target."""
    return all(surely(recall[kinds == kind]) >= target for kind in np.unique(kinds))


def surely(recall: np.ndarray) -> float:
    """The mean less two standard errors."""
    return float(recall.mean() - 2 * recall.std() / len(recall) ** 0.5)


def figures(recall: np.ndarray, kinds: np.ndarray) -> tuple[float, float, float]:
    """Mean, mean of the worst tenth, and what the mean surely is, of the kind that is found worst.

    Where nothing was missed in n queries, the rule of three says that fewer than 3 of n are.
    """
    each = [np.sort(recall[kinds == kind]) for kind in np.unique(kinds)]
    worst = min(each, key=lambda some: some.mean())
    tenth = worst[: max(1, len(worst) // 10)].mean()
    sure = surely(worst) if worst[0] < 1 else max(0.0, 1 - 3 / len(worst))
    return float(worst.mean()), float(tenth), sure
