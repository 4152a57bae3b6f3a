"""Lists of nodes as schedulers write them: ``node[1-3,07],gpu1``. Nothing is expanded. Pure."""

from __future__ import annotations

import re


def names_node(text: str | None, name: str) -> bool:
    """Whether a list of nodes has a node of that name.

    Args:
        text: the list; ranges in brackets, anywhere and several (``rack[1-2]n[01-16]``), zeros in front kept.
        name: the whole name of a node.
    """
    # A comma in brackets belongs to the range.
    return any(_is(part, name) for part in re.findall(r"(?:[^,\[]|\[[^\]]*\])+", text or ""))


def _is(pattern: str, name: str) -> bool:
    head, bracket, rest = pattern.partition("[")
    if not bracket:
        return name == head
    if not name.startswith(head):
        return False
    ranges, _, tail = rest.partition("]")
    left = name[len(head) :]
    digits = re.match(r"[0-9]*", left)
    length = digits.end() if digits else 0
    return any(_within(left[:end], ranges) and _is(tail, left[end:]) for end in range(length, 0, -1))


def _within(number: str, ranges: str) -> bool:
    for part in ranges.split(","):
        first, _, last = part.partition("-")
        last = last or first
        if first.isdecimal() and last.isdecimal() and int(first) <= int(number) <= int(last):
            # 07 is not 7: a number is written as wide as the range's first.
            return number == str(int(number)).zfill(len(first))
    return False
