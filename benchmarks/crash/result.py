"""The result of a part of the crash test."""

from collections import Counter
from dataclasses import dataclass, field

from .life import Problem

SHOWN = 5


@dataclass
class Result:
    """``trials`` are kills, power losses or faults; ``bad`` are those with a problem."""

    part: str
    trials: int = 0
    bad: int = 0
    acknowledged: int = 0
    problems: Counter[str] = field(default_factory=Counter)  # by kind
    examples: list[str] = field(default_factory=list)
    note: str = ""

    def count(self, problems: list[Problem]) -> None:
        """One more trial, and what was wrong after it."""
        self.trials += 1
        self.bad += bool(problems)
        for problem in problems:
            self.problems[problem.kind] += 1
            self.examples.append(f"{problem.kind}: {problem.what}")
        del self.examples[SHOWN:]

    def __add__(self, other: "Result") -> "Result":
        return Result(
            self.part,
            self.trials + other.trials,
            self.bad + other.bad,
            self.acknowledged + other.acknowledged,
            self.problems + other.problems,
            (self.examples + other.examples)[:SHOWN],
            self.note or other.note,
        )
