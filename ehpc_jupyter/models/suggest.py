"""'Did you mean …' for names that do not exist."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``"; did you mean X?"`` for the nearest known word, else the choice when it is short, else nothing."""
    choice = list(known)
    folded = {name.casefold(): name for name in choice}
    near = difflib.get_close_matches(word.casefold(), list(folded), n=1)
    if near:
        return f"; did you mean {folded[near[0]]}?"
    return f" (there is: {', '.join(choice)})" if 0 < len(choice) <= 8 else ""
