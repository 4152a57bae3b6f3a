"""Sets of an array's tasks that cost what their gaps cost, not what their members cost.

A task has a *number*, which the user sees (1, 3, 5 in ``1-5:2``), and an *index*, 0, 1, 2, …, by which the queue
counts. A job that is no array has the one index 0.
"""

from __future__ import annotations

from typing import NamedTuple

from ehpc_jupyter.localq import Refused
from ehpc_jupyter.localq.settings import MAX_TASKS


class Indices:
    """A set of indices as spans: sorted, apart from each other, both ends belong to it. Never changes."""

    __slots__ = ("spans",)

    def __init__(self, *spans: tuple[int, int]) -> None:
        merged: list[tuple[int, int]] = []
        for first, last in sorted(spans):
            if merged and first <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
            else:
                merged.append((first, last))
        self.spans = tuple(merged)

    @classmethod
    def parse(cls, text: str) -> Indices:
        """The inverse of ``str``: ``0-4,7``."""
        pairs = (part.partition("-") for part in text.split(",") if part)
        return cls(*((int(first), int(last or first)) for first, _, last in pairs))

    def __str__(self) -> str:
        return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in self.spans)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Indices) and self.spans == other.spans

    def __hash__(self) -> int:
        return hash(self.spans)

    def __len__(self) -> int:
        return sum(last - first + 1 for first, last in self.spans)

    def __contains__(self, index: int) -> bool:
        return any(first <= index <= last for first, last in self.spans)

    def __or__(self, other: Indices) -> Indices:
        return Indices(*self.spans, *other.spans)

    def __sub__(self, other: Indices) -> Indices:
        left, cuts, at = [], other.spans, 0
        for first, last in self.spans:
            start = first
            while at < len(cuts) and cuts[at][1] < first:
                at += 1
            cut = at
            while cut < len(cuts) and cuts[cut][0] <= last:
                if cuts[cut][0] > start:
                    left.append((start, cuts[cut][0] - 1))
                start = cuts[cut][1] + 1
                cut += 1
            if start <= last:
                left.append((start, last))
        return Indices(*left)

    def __and__(self, other: Indices) -> Indices:
        return self - (self - other)

    def lowest(self, count: int) -> list[int]:
        """Its first members, ``count`` at most."""
        found: list[int] = []
        for first, last in self.spans:
            found.extend(range(first, min(last, first + count - len(found) - 1) + 1))
            if len(found) >= count:
                break
        return found


def one(index: int) -> Indices:
    """The set of one index."""
    return Indices((index, index))


class Array(NamedTuple):
    """The numbers of an array's tasks: from ``first`` up to at most ``last`` in steps."""

    first: int
    last: int
    step: int

    @classmethod
    def parse(cls, text: str) -> Array:
        """Read ``X-Y`` or ``X-Y:Z``. Raises Refused."""
        span, colon, step = text.partition(":")
        first, dash, last = span.partition("-")
        parts = [first, last, step if colon else "1"]
        if not dash or not all(part.isascii() and part.isdecimal() and len(part) < 10 for part in parts):
            raise Refused(f"{text!r} is no range of tasks; write first-last:step, for instance 1-5:2")
        array = cls(*(int(part) for part in parts))
        if array.step < 1 or array.last < array.first:
            raise Refused(f"the range {text!r} is empty; write first-last:step, for instance 1-5:2")
        if array.size > MAX_TASKS:
            raise Refused(f"the range {text!r} has {array.size} tasks; at most {MAX_TASKS} are possible")
        return array

    @property
    def size(self) -> int:
        """How many tasks."""
        return (self.last - self.first) // self.step + 1

    def number(self, index: int) -> int:
        """The task's number."""
        return self.first + index * self.step

    def write(self, indices: Indices) -> str:
        """Numbers for the user: ``1-5:2,9``."""
        step = f":{self.step}" if self.step > 1 else ""
        return ",".join(
            f"{self.number(a)}" if a == b else f"{self.number(a)}-{self.number(b)}{step}" for a, b in indices.spans
        )

    def read(self, text: str) -> Indices:
        """The tasks that ``text`` names: numbers and ranges as ``write`` writes them, brackets allowed.

        A range without a step means all tasks of the array in it. Raises Refused: one of them is no task of the array.
        """
        spans = []
        if text.startswith("[") and text.endswith("]"):
            text = text[1:-1]
        for part in text.split(","):
            ends, _, step = part.partition(":")
            low, dash, high = ends.partition("-")
            high = high if dash else low
            ok = all(x.isascii() and x.isdecimal() and len(x) < 10 for x in (low, high))
            if not ok or (step and step != str(self.step)):
                raise Refused(f"{part!r} is no task and no range of tasks of {self.write(self.all)}")
            first = -((self.first - int(low)) // self.step)
            last = (int(high) - self.first) // self.step
            first, last = max(first, 0), min(last, self.size - 1)
            if first > last:
                raise Refused(f"there is no task {part}; its tasks are {self.write(self.all)}")
            spans.append((first, last))
        return Indices(*spans)

    @property
    def all(self) -> Indices:
        """All of its tasks."""
        return Indices((0, self.size - 1))
