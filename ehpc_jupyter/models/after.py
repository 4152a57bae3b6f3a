"""Which other jobs a job waits for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ehpc_jupyter.models.values import Written

#: What has to become of the other job: it ended well, it ended, it ended and not well.
CONDITIONS = ("ok", "any", "notok")
#: More would make a command line that no scheduler was tried with.
MOST_JOBS = 100
_JOB = r"[A-Za-z0-9][A-Za-z0-9_.+\[\]-]{0,99}"
_PART = re.compile(rf"(?:({'|'.join(CONDITIONS)}):)?({_JOB})", re.ASCII)


@dataclass(frozen=True)
class After(Written):
    """Jobs of the same cluster that must end first: ``condition:job id``, several with commas; ``ok:`` may be left out.

    Attributes:
        jobs: pairs of condition (one of ``CONDITIONS``) and job id; all must hold.
    """

    jobs: tuple[tuple[str, str], ...]
    pattern = rf"^\s*((ok|any|notok):)?{_JOB}(\s*,\s*((ok|any|notok):)?{_JOB})*\s*$"
    example = "ok:12"

    @classmethod
    def parse(cls, text: Any) -> After:
        """Read ``"12"``, ``"ok:12,any:13"``, ``12``, a job that has a ``job_id``, a pair ``("any", job)``, or a list of those.

        Raises:
            ValueError: it names no job, or none that has an id.
        """
        jobs = tuple(dict.fromkeys(_pairs(text)))
        if not jobs:
            raise ValueError("it names no job; write condition:job, for instance ok:12")
        if len(jobs) > MOST_JOBS:
            raise ValueError(
                f"it names {len(jobs)} jobs, {MOST_JOBS} are the most; wait for one that waits for the others"
            )
        return cls(jobs)

    def __str__(self) -> str:
        return ",".join(f"{condition}:{job}" for condition, job in self.jobs)


def _pairs(value: Any) -> list[tuple[str, str]]:
    if isinstance(value, After):
        return list(value.jobs)
    if isinstance(value, (list, tuple)):
        if len(value) == 2 and value[0] in CONDITIONS and not isinstance(value[1], (list, tuple)):
            return [(value[0], job) for _, job in _pairs(value[1])]
        return [pair for part in value for pair in _pairs(part)]
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    elif hasattr(value, "job_id"):
        if value.job_id is None:
            raise ValueError("the job to wait for has no id yet; wait a moment")
        value = str(value.job_id)
    if not isinstance(value, str):
        raise ValueError("write condition:job, for instance ok:12; the conditions are ok, any and notok")  # noqa: TRY004 - pydantic takes ValueError
    found = []
    for part in value.split(","):
        match = _PART.fullmatch(part.strip())
        if not match:
            raise ValueError(
                f"{part.strip()!r} is no job to wait for; write ok:12, any:12 or notok:12, several with commas"
            )
        found.append((match[1] or "ok", match[2]))
    return found
