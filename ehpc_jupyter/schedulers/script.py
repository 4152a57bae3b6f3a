"""The batch script that every scheduler gets: it runs the job's command and keeps its own record of it.

The record (``task`` in the job's folder, ``task.<n>`` for a task of an array) has lines ``word seconds text``:
``start`` with the host, ``exit`` with the command's exit code, ``signal`` when the scheduler asked it to end, ``post``
with the exit code of the post-processing. So exit codes outlive the scheduler's memory.

On every cluster the job finds its id in ``EHPC_JOB_ID`` and a task its index in ``EHPC_ARRAY_TASK_ID``. Pure: text in, text out.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ehpc_jupyter.models.spec import JobSpec
    from ehpc_jupyter.schedulers.base import Scheduler

#: Runs a user's script that has no ``#!``.
DEFAULT_INTERPRETER = "#!/bin/bash"

_BODY = r"""ehpc_task={task}
EHPC_JOB_ID={job}
export EHPC_JOB_ID
if [ -n "$ehpc_task" ]; then EHPC_ARRAY_TASK_ID=$ehpc_task; export EHPC_ARRAY_TASK_ID; fi
ehpc_record=$ehpc_folder/task${{ehpc_task:+.$ehpc_task}}
ehpc_note() {{ printf '%s %s %s\n' "$1" "$(date +%s)" "$2" >>"$ehpc_record"; }}
: >"$ehpc_record"
ehpc_note start "$(uname -n)"
trap 'ehpc_note signal TERM' TERM
for ehpc_signal in HUP USR1 USR2; do
  trap "kill -$ehpc_signal \"\$ehpc_pid\" 2>/dev/null" "$ehpc_signal"
done
(
  trap - TERM HUP USR1 USR2
{variables}  exec {command}
) </dev/null &
ehpc_pid=$!
# A signal ends `wait` early; the command is gone when it can no longer be signalled.
while :; do
  wait "$ehpc_pid"
  ehpc_code=$?
  kill -0 "$ehpc_pid" 2>/dev/null || break
done
ehpc_note exit "$ehpc_code"
{post}exit "$ehpc_code"
"""

_POST = """(
{variables}  EHPC_EXIT_CODE=$ehpc_code
  export EHPC_EXIT_CODE
  exec /bin/sh -c {command}
) </dev/null
ehpc_note post "$?"
"""

_SOURCE = '  . "$ehpc_folder/variables.sh"\n'


@dataclass(frozen=True)
class TaskRecord:
    """What a task wrote about itself.

    Attributes:
        task: its index; None for a job that is no array.
        host: where it started.
        start_time: UNIX seconds, by that host's clock.
        exit_time: likewise; None while it runs or when it was killed before it could write.
        exit_code: of the command.
        terminated: whether it was asked to end by TERM.
    """

    task: int | None
    host: str = ""
    start_time: int | None = None
    exit_time: int | None = None
    exit_code: int | None = None
    terminated: bool = False


def render_body(spec: JobSpec, scheduler: Scheduler, folder: str) -> str:
    """The batch script below its first line and the directives.

    Values that a scheduler or a shell could mistake lie in files of their own beside it (``script``, ``variables.sh``):
    sbatch refuses a script with ``\\r\\n`` anywhere in it.

    Args:
        spec: what to run.
        scheduler: whose variables name the task.
        folder: the job's folder, absolute.
    """
    words = spec.words if spec.runs_command else (f"{folder}/script", *spec.words[1:])
    source = _SOURCE if spec.variables else ""
    post = _POST.format(variables=source, command=shlex.quote(spec.post_cmd_line)) if spec.post_cmd_line else ""
    body = _BODY.format(
        task=scheduler.task_expression,
        job=scheduler.id_expression,
        variables=source,
        command=shlex.join(words),
        post=post,
    )
    return f"ehpc_folder={shlex.quote(folder)}\n{body}"


def render_variables(spec: JobSpec) -> str | None:
    """``variables.sh``: one export a variable, the values quoted so that they arrive byte for byte."""
    if not spec.variables:
        return None
    return "".join(f"export {v.name}={shlex.quote(v.value)}\n" for v in spec.variables)


def render_user_script(spec: JobSpec) -> str | None:
    """The user's script text as it will run."""
    if spec.script is None:
        return None
    text = spec.script if spec.script.endswith("\n") else spec.script + "\n"
    return text if text.startswith("#!") else f"{DEFAULT_INTERPRETER}\n{text}"


def parse_record(text: str, task: int | None = None) -> TaskRecord | None:
    """Read a record; None if it has no start. A last line without its end is not used: it may be half written."""
    values: dict[str, tuple[int, str]] = {}
    for line in text.split("\n")[:-1]:
        word, _, rest = line.partition(" ")
        seconds, _, what = rest.partition(" ")
        if seconds.isdecimal():
            values[word] = (int(seconds), what)
    if "start" not in values:
        return None
    exit_time, code = values.get("exit", (None, ""))
    return TaskRecord(
        task=task,
        host=values["start"][1],
        start_time=values["start"][0],
        exit_time=exit_time,
        exit_code=int(code) if code.isdecimal() else None,
        terminated="signal" in values,
    )
