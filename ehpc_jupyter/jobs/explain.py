"""Why a job waits and why it did not end well, in plain words, and what to do about it. Pure.

Reasons: squeue(1), "JOB REASON CODES"; the embedded queue uses Slurm's words. A reason that is not known here is not explained:
its own words are shown.
"""

from __future__ import annotations

import re
import signal as signals
from typing import TYPE_CHECKING

from ehpc_jupyter.models.job import JobState
from ehpc_jupyter.models.values import WallTime

if TYPE_CHECKING:
    from collections.abc import Callable

    from ehpc_jupyter.models.job import JobDetail

    #: What it means, and what to do.
    Words = tuple[str | None, str | None]

_NOTHING: Words = (None, None)
_HELD = "Release it to let it wait for its turn again."
_TRY_LESS = "Ask for less, for a shorter wall time, or choose another queue."
_SOONER = "To start sooner, ask for less, for a shorter wall time, or choose another queue."
_ASK_SITE = "Ask the site's support."

#: Why a job waits. ``{after}``: the jobs it waits for.
_WAITS: dict[str, Words] = {
    "Resources": (
        "It waits until what it asks for is free; it is next in line",
        _SOONER,
    ),
    "Priority": (
        "It waits behind jobs with a higher priority in the same queue",
        _SOONER,
    ),
    "Dependency": ("It waits for {after}", None),
    "DependencyNeverSatisfied": (
        "It waits for {after}, and what it waits for can never happen any more",
        "Stop it; submit again what it depends on, then this job.",
    ),
    "BeginTime": ("It asked to start later", None),
    "JobHeldUser": ("It is held", _HELD),
    "JobHeldAdmin": ("It is held by an administrator of the cluster", _ASK_SITE),
    "JobArrayTaskLimit": ("As many tasks of this array run as may run at once", None),
    "JobLaunchFailure": ("It could not be started", "Look at its reason, mend that and submit it again."),
    "launch failed requeued held": (
        "It could not be started on its node, went back into the queue and is held",
        "Release it, or stop it and submit it again; if it happens again, ask the site's support.",
    ),
    "PartitionTimeLimit": (
        "Its wall time is longer than the queue allows: it will never start so",
        "Stop it and submit it with a shorter wall time or to another queue.",
    ),
    "PartitionNodeLimit": (
        "It asks for more nodes than the queue has or allows: it will never start so",
        "Stop it and submit it with fewer nodes or to another queue.",
    ),
    "PartitionDown": ("The queue starts no jobs at the moment", "Wait, or choose another queue."),
    "PartitionInactive": ("The queue is switched off", "Choose another queue."),
    "NodeDown": ("A node that it needs is down", _ASK_SITE),
    "BadConstraints": ("No node has what it asks for: it will never start so", f"Stop it. {_TRY_LESS}"),
    "ReqNodeNotAvail": (
        "A node that it asks for, or one of those left for it, is not available now; a maintenance may be near",
        "A shorter wall time may end before the maintenance begins.",
    ),
    "Reservation": ("It waits for its reservation to begin", None),
    "ReservationDeleted": ("Its reservation was removed: it will never start so", "Stop it and submit it without."),
    "Licenses": ("It waits for a licence that others use", None),
    "Cleaning": ("It went back into the queue, and what is left of its first run is being cleared away", None),
    "Prolog": ("Its node is being made ready", None),
    "NonZeroExitCode": ("It ended with an exit code that is not 0", None),
    "InvalidAccount": ("Its account is not valid any more: it will never start so", _ASK_SITE),
    "InvalidQOS": ("Its quality of service (QOS) is not valid: it will never start so", _ASK_SITE),
    "AccountNotAllowed": ("Your account may not use this queue: it will never start so", "Choose another queue."),
    "QOSNotAllowed": (
        "Your quality of service (QOS) may not use this queue: it will never start so",
        "Choose another queue.",
    ),
    "SchedDefer": ("The scheduler has not looked at it yet", None),
    "None": ("The scheduler has not looked at it yet", None),
}
#: ``QOSMaxCpuPerUserLimit``, ``AssocGrpGRESMinutes``, ``MaxMemPerAccount``: whose limit, of what, per whom.
_LIMIT = re.compile(
    r"(?P<who>QOS|Assoc|Association)?(?P<kind>Grp|Max)(?P<what>[A-Za-z]+?)"
    r"(?P<per>Per(?:User|Account|Job|Node))?(?P<run>Run)?(?:Minutes?|RunMinutes)?(?:Limit)?"
)
_WHAT = {
    "cpu": "cores",
    "mem": "memory",
    "gres": "GPUs or other devices",
    "node": "nodes",
    "jobs": "jobs at once",
    "submitjobs": "submitted jobs",
    "submit": "submitted jobs",
    "wall": "wall time",
    "walldurationperjob": "wall time",
    "billing": "billing units",
    "energy": "energy",
}
#: Exit codes by which shells say why nothing ran, and 128 + signal.
_CODES = {
    126: ("a command in it is there but may not be executed", "Run chmod +x on it, or name its interpreter."),
    127: (
        "a command in it was not found",
        "Check the spelling and the PATH; load the module it belongs to in the script.",
    ),
}
_SIGNALS: dict[int, Words] = {
    9: (None, "Often memory: see its peak, and ask for more."),
    11: (
        "the program made a memory fault (segmentation fault)",
        "Look at its standard error; run it on a small input.",
    ),
    6: ("the program gave up by itself (abort)", "Look at the end of its standard error."),
    7: ("the program made a memory fault (bus error)", "Is the disk full, or a file gone that it has mapped?"),
    8: ("the program divided by zero or the like", "Look at the end of its standard error."),
    25: ("a file became larger than is allowed", "Write to another file system, or ask for a higher limit."),
}


def explain(detail: JobDetail) -> Words:
    """What to tell a person about a job.

    Returns:
        why it waits or did not end well, one sentence, and what to do; each None where there is nothing to say.
    """
    if detail.state in (JobState.QUEUED, JobState.HELD):
        return _waits(detail)
    ends = _ENDS.get(detail.state)
    return ends(detail) if ends else _NOTHING


def _waits(detail: JobDetail) -> Words:
    reason = (detail.reason or "").strip("()")
    if reason.startswith("Can Never Run"):
        return (
            f"The cluster can never run it: {reason.partition(':')[2].strip() or 'no reason given'}",
            f"Stop it. {_TRY_LESS}",
        )
    known = _WAITS.get(reason) or _WAITS.get(reason.split(",")[0].split(":")[0])
    if known is not None:
        after = " and ".join(_after(detail.after)) or "another job"
        return f"{(known[0] or '').format(after=after)}.", known[1]
    if "DOWN, DRAINED or reserved" in reason:
        return (
            "The nodes that it needs are down, being emptied or reserved for others with a higher priority.",
            _SOONER,
        )
    if match := _LIMIT.fullmatch(reason):
        whose = "your quality of service (QOS)" if match["who"] == "QOS" else "your account on the cluster"
        what = _WHAT.get(match["what"].lower(), match["what"])
        # A group's limit is shared: it is free again when others' jobs end. One per job never is.
        never = match["per"] in ("PerJob", "PerNode") or "PerJob" in match["what"]
        said = f"The limit of {what} of {whose} is {'lower than what it asks for' if never else 'used up for now'}."
        return said, f"Stop it. {_TRY_LESS}" if never else "It starts when jobs under the same limit end."
    if detail.state is JobState.HELD:
        return ("It is held.", _HELD) if not reason else _NOTHING
    return _NOTHING


def _after(text: str | None) -> list[str]:
    words = {"ok": "job {} to end well", "any": "job {} to end", "notok": "job {} to fail"}
    pairs = [part.partition(":") for part in (text or "").split(",") if part]
    return [words[condition].format(job) for condition, _, job in pairs if condition in words]


def _failed(detail: JobDetail) -> Words:
    reason, code = detail.reason or "", detail.exit_code
    fault = re.fullmatch(r"(?:.*?: JobSpec\.\w+|it could not be started): (.*)", reason, re.DOTALL)
    if fault:
        return f"It could not be started: {fault[1]}.", "Mend that and submit it again."
    if "launch" in reason.lower() or (code is None and detail.signal == 53):
        return (
            "It could not be started: a folder of its output or its working folder may be gone, or its interpreter is missing.",
            "Check those paths and submit it again.",
        )
    if code is not None and code in _CODES:
        why, advice = _CODES[code]
        return f"It ended with exit code {code}: {why}.", advice
    number = code - 128 if code is not None and 128 < code <= 128 + 64 else detail.signal
    if number:
        said, hint = _SIGNALS.get(number, _NOTHING)
        how = f"It was ended by signal {number}{_signal_name(number)}"
        return f"{how}: {said}." if said else f"{how}.", hint or "Look at the end of its standard error."
    if code is not None:
        return f"Its command ended with exit code {code}.", "Look at the end of its standard error."
    return "It failed; its exit code is not known.", "Look at the end of its standard error."


def _signal_name(number: int) -> str:
    try:
        return f" ({signals.Signals(number).name})"
    except ValueError:
        return ""


def _out_of_memory(detail: JobDetail) -> Words:
    asked = detail.occupied.memory_mb if detail.occupied else None
    sizes = [f"it had {asked} MB on each node"] if asked else []
    sizes += [f"its peak was {detail.memory_peak_mb} MB"] if detail.memory_peak_mb else []
    more = f": {', '.join(sizes)}" if sizes else ""
    return f"It used more memory than it had{more}.", "Ask for more memory, or let it work on less at once."


def _timeout(detail: JobDetail) -> Words:
    limit = f" of {WallTime(detail.wall_time_s)}" if detail.wall_time_s else ""
    return (
        f"Its wall time{limit} was used up, so it was stopped.",
        "Ask for a longer wall time, or let it save its state and go on from there.",
    )


def _cancelled(detail: JobDetail) -> Words:
    by = re.search(r"\bby (\S+)", detail.reason or "")
    return f"It was cancelled by {by[1]}." if by else "It was cancelled.", None


def _node_failed(detail: JobDetail) -> Words:
    where = f" ({detail.node_list})" if detail.node_list else ""
    why = f": {detail.reason}" if detail.reason and " " in detail.reason else ""
    return f"A node that it ran on failed{where}{why}.", "Submit it again; it was not the job's fault."


def _unknown(detail: JobDetail) -> Words:
    return (
        "Nobody can say what became of it: the scheduler does not know it any more and it left no record of its end."
        if "does not know" in (detail.reason or "")
        else None
    ), "Look into its folder: its output may show how far it came."


def _not_submitted(detail: JobDetail) -> Words:
    return (f"It was not submitted: {detail.reason}." if detail.reason else "It was not submitted."), "Submit it again."


_ENDS: dict[JobState, Callable[[JobDetail], Words]] = {
    JobState.FAILED: _failed,
    JobState.OUT_OF_MEMORY: _out_of_memory,
    JobState.TIMEOUT: _timeout,
    JobState.CANCELLED: _cancelled,
    JobState.NODE_FAILED: _node_failed,
    JobState.UNKNOWN: _unknown,
    JobState.NOT_SUBMITTED: _not_submitted,
}
