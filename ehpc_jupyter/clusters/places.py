"""What is done with jobs' folders after submission: read what the tasks wrote in them, remove them. Pure: text in, text out."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ehpc_jupyter.schedulers.script import TaskRecord, parse_record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Begins each record of an answer; a noisy login profile's words stand before the first.
_MARK = "\x1e"
_SEP = "\x1f"
_RECORDS = r"""for file do
  [ -f "$file" ] || continue
  printf '\036%s\n' "$file"
  while IFS= read -r line; do printf '%s\n' "$line"; done <"$file"
done
exit 0
"""
_FOLDERS = r"""for folder in "$base"/*/; do
  folder=${folder%/}
  [ -f "$folder/request.json" ] && [ ! -f "$folder/void" ] && [ ! -L "$folder" ] || continue
  printf '\036%s\037%s\037' "$folder" "$(stat -c %Y "$folder/request.json")"
  while IFS= read -r line || [ -n "$line" ]; do printf '%s\n' "$line"; done <"$folder/request.json"
  printf '\037'
  if [ -f "$folder/receipt" ]; then
    while IFS= read -r line || [ -n "$line" ]; do printf '%s\n' "$line"; done <"$folder/receipt"
  fi
done
printf '\036done\n'
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


def records_program(wanted: Mapping[str, Sequence[int] | None]) -> str:
    """Print the tasks' records. Read its output with ``parse_records``.

    Args:
        wanted: folder → the tasks of an array, or None for whatever tasks there are.
    """
    words: list[str] = []
    for folder, tasks in wanted.items():
        if tasks is None:
            # The shell's own pattern: it makes the list where the files are, however many.
            words += [shlex.quote(f"{folder}/task"), f"{shlex.quote(f'{folder}/task')}.*"]
        else:
            words += [shlex.quote(f"{folder}/task.{task}") for task in tasks]
    return f"set -- {' '.join(words)}\n{_RECORDS}"


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


@dataclass(frozen=True)
class JobFolder:
    """A job's folder.

    Attributes:
        path: absolute.
        request_id: in its name.
        made_time: UNIX seconds.
        request: what is in ``request.json``.
        receipt: the scheduler's answer, its exit code in the first line; None if there is none.
    """

    path: str
    request_id: str
    made_time: int
    request: dict[str, Any]
    receipt: str | None


def folders_program(base: str) -> str:
    """Print what shows of the jobs whose folders lie below ``base``. Read its output with ``parse_folders``."""
    return f"base={shlex.quote(base)}\n{_FOLDERS}"


def parse_folders(stdout: str) -> list[JobFolder] | None:
    """The jobs' folders; one whose request cannot be read is left out. None if the program did not come to its end."""
    *blocks, end = stdout.split(_MARK)[1:] or [""]
    if end != "done\n":
        return None
    found = []
    for block in blocks:
        path, seconds, text, receipt = [*block.split(_SEP), "", "", ""][:4]
        request_id = path.rpartition("-")[2]
        try:
            request = json.loads(text)
        except ValueError:
            continue
        if re.fullmatch(r"[0-9a-f]{32}", request_id) and seconds.isdecimal() and isinstance(request, dict):
            found.append(JobFolder(path, request_id, int(seconds), request, receipt or None))
    return found
