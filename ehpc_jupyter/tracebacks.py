"""What IPython shows of an error of ours instead of a traceback: the user's own lines, then the error in a few words.

IPython asks an exception for ``_render_traceback_``. ``%xmode Verbose`` brings the whole traceback back. Nothing is imported
for this: where IPython runs, it is there.
"""

from __future__ import annotations

import sys
import sysconfig
import traceback
from pathlib import Path

TYPE_CHECKING = False  # as type checkers read it; importing typing costs 10 ms

if TYPE_CHECKING:
    from typing import Any

_PATHS = sysconfig.get_paths()
_OURS = str(Path(__file__).parent)
_NOT_THE_USERS = (_PATHS["stdlib"], _PATHS["purelib"], _PATHS["platlib"])
_HINT = "%xmode Verbose shows the whole traceback."


def short(error: BaseException, words: str, *, lines: bool = True) -> list[str]:
    """What IPython is to print.

    Args:
        error: what was raised.
        words: what to say of it.
        lines: whether to name the user's lines that led to it; a magic is its own line.
    """
    shell = _shell()
    if shell is not None and getattr(shell.InteractiveTB, "mode", "") == "Verbose":
        whole: list[str] = shell.InteractiveTB.structured_traceback(type(error), error, error.__traceback__)
        return whole
    return [*_users_lines(error, shell), words, _HINT] if lines else [words]


def _users_lines(error: BaseException, shell: Any) -> list[str]:
    found = []
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename.startswith(_OURS):
            break
        if not frame.filename.startswith(_NOT_THE_USERS):
            code = f": {frame.line}" if frame.line else ""
            found.append(f"{_place(frame.filename, shell)}, line {frame.lineno}{code}")
    return found


def _place(filename: str, shell: Any) -> str:
    """``Cell In[3]`` for a cell, as IPython names it."""
    name = getattr(getattr(shell, "compile", None), "format_code_name", None)
    return " ".join(name(filename) or ("File", filename)) if name else f"File {filename}"


def _shell() -> Any:
    module = sys.modules.get("IPython")
    return module.get_ipython() if module is not None and hasattr(module, "get_ipython") else None
