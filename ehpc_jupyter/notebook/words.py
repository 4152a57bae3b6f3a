"""The words of a magic's first line, read and written as a shell would: quotes group, nothing is expanded.

A line holds no line end, so one in a value is written ``$'a\\nb'``, as bash does. ``shlex`` does not know that.
"""

from __future__ import annotations

import re
import shlex

_PIECE = re.compile(
    r"""(?P<gap>[ \t\r\n]+)
      | \$'(?P<escaped>(?:[^'\\]|\\.)*)'
      | '(?P<single>[^']*)'
      | "(?P<double>(?:[^"\\]|\\.)*)"
      | \\(?P<one>.)
      | (?P<plain>[^ \t\r\n'"\\$]+|\$)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'"}


def split(line: str) -> list[str]:
    """A line's words.

    Raises:
        ValueError: a quotation is left open, or an escape is unknown.
    """
    words: list[str] = []
    open_word = False
    place = 0
    while place < len(line):
        piece = _PIECE.match(line, place)
        if piece is None:
            raise ValueError("no closing quotation" if line[place] != "\\" else "nothing follows the last backslash")
        place = piece.end()
        if piece["gap"] is not None:
            open_word = False
            continue
        if not open_word:
            words.append("")
            open_word = True
        words[-1] += _text(piece)
    return words


def _text(piece: re.Match[str]) -> str:
    if piece["escaped"] is not None:
        return _ESCAPE.sub(_letter, piece["escaped"])
    if piece["double"] is not None:
        return re.sub(r'\\(["\\])', r"\1", piece["double"])
    return next(part for part in (piece["single"], piece["one"], piece["plain"]) if part is not None)


def _letter(escape: re.Match[str]) -> str:
    if code := escape[1] or escape[2]:
        if int(code, 16) > 0x10FFFF:
            raise ValueError(f"there is no character {escape[0]}")
        return chr(int(code, 16))
    if escape[3] not in _LETTERS:
        raise ValueError(f"{escape[0]!r} is no escape; there is \\n, \\t, \\r, \\\\, \\', \\u1234")
    return _LETTERS[escape[3]]


def quote(word: str) -> str:
    """A word as ``split`` reads it, on one line whatever is in it."""
    if word.isprintable():
        return shlex.quote(word)
    named = {char: f"\\{letter}" for letter, char in _LETTERS.items()}
    return "$'" + "".join(named.get(char) or (char if char.isprintable() else _code(char)) for char in word) + "'"


def _code(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"
