"""What is done with jobs' folders after submission: read what the tasks wrote in them, remove them. Pure: text in, text out."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from ehpc_jupyter.schedulers.script import TaskRecord, parse_record

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Begins each record of an answer; a noisy login profile's words stand before the first.
_MARK = "\x1e"
_SEP = "\x1f"
_RECORDS = r"""for folder do
  for file in "$folder"/task "$folder"/task.*; do
    [ -f "$file" ] || continue
    printf '\036%s\n' "$file"
    while IFS= read -r line; do printf '%s\n' "$line"; done <"$file"
  done
done
exit 0
"""
_REMOVAL = r"""LC_ALL=C
left() { printf '\036%s\037%s\n' "$folder" "$1"; }
for folder do
  case ${folder#"$base"/} in "$folder"|""|.|..|*/*) left "it does not lie in $base, where jobs' folders are made"; continue ;; esac
  if [ -L "$folder" ]; then left "it is a link"; continue; fi
  [ -e "$folder" ] || continue
  if [ ! -f "$folder/receipt" ] && [ ! -f "$folder/void" ] && [ ! -f "$folder/request.json" ]; then
    left "nothing in it shows that it was made for a job"; continue
  fi
  words=$(rm -rf -- "$folder" 2>&1)
  [ ! -e "$folder" ] || left "${words:-it is still there}"
done
printf '\036done\n'
"""


def records_program(folders: Sequence[str]) -> str:
    """Print the tasks' records in these folders. Read its output with ``parse_records``."""
    return f"set -- {_words(folders)}\n{_RECORDS}"


def parse_records(stdout: str) -> dict[str, list[TaskRecord]]:
    """Folder → what the tasks in it wrote."""
    found: dict[str, list[TaskRecord]] = {}
    for block in stdout.split(_MARK)[1:]:
        path, _, text = block.partition("\n")
        folder, _, name = path.rpartition("/")
        task = name.partition(".")[2]
        record = parse_record(text, int(task) if task.isdecimal() else None)
        if record is not None:
            found.setdefault(folder, []).append(record)
    return found


def removal_program(folders: Sequence[str], base: str) -> str:
    """Remove jobs' folders, and nothing else: each must lie right below ``base`` and hold what a submission leaves.

    Args:
        folders: absolute.
        base: absolute; where the jobs' folders are made.
    """
    return f"base={shlex.quote(base)}\nset -- {_words(folders)}\n{_REMOVAL}"


def parse_removal(stdout: str) -> dict[str, str] | None:
    """Folder → why it is still there; None if the program did not come to its end."""
    *blocks, end = stdout.split(_MARK)[1:] or [""]
    if end != "done\n":
        return None
    pairs = (block.rstrip("\n").partition(_SEP) for block in blocks)
    return {folder: " ".join(words.split()) for folder, _, words in pairs}


def _words(folders: Sequence[str]) -> str:
    return " ".join(shlex.quote(folder) for folder in folders)
