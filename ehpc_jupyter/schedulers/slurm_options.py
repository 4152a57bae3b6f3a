"""What ``sbatch`` is told about a job: sbatch(1), 22.05 and newer. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ehpc_jupyter.schedulers.base import with_task

if TYPE_CHECKING:
    from ehpc_jupyter.schedulers.base import Submission


def options(job: Submission) -> list[str]:
    """Long options, so that no value can be taken for an option."""
    spec, is_array = job.spec, job.spec.array_request is not None
    argv = [
        f"--job-name={job.name}",
        f"--output={_pattern(job.stdout, is_array=is_array)}",
        f"--error={_pattern(job.stderr, is_array=is_array)}",
        f"--comment={job.token}",
    ]
    if spec.work_dir:
        argv.append(f"--chdir={job.work_dir}")
    if spec.job_queue:
        argv.append(f"--partition={spec.job_queue}")
    if spec.wall_time:
        argv.append(f"--time={spec.wall_time}")
    if spec.array_request:
        argv.append(f"--array={spec.array_request}")
    if spec.priority is not None:
        # An ordinary user's --priority is ignored without a word; --nice is not (measured, 22.05).
        argv.append(f"--nice={(9 - spec.priority) * job.priority_step}")
    wanted = spec.resources
    if wanted:
        if wanted.nodes is not None:
            argv.append(f"--nodes={wanted.nodes}")
        if wanted.cores is not None:
            # One task a node that owns the node's cores: what a threaded program and PBS's select both mean.
            argv += ["--ntasks-per-node=1", f"--cpus-per-task={wanted.cores}"]
        if wanted.memory is not None:
            argv.append(f"--mem={wanted.memory.mb}M")
        if wanted.gpus:
            argv.append(f"--gres=gpu:{wanted.gpus}")
    if spec.after:
        # The conditions have the same names, but for their "after": sbatch(1), --dependency.
        argv.append(f"--dependency={','.join(f'after{condition}:{job_id}' for condition, job_id in spec.after.jobs)}")
    return argv


def _pattern(path: str, *, is_array: bool) -> str:
    # Slurm's %j is each task's own number; ours is the array's id, which Slurm calls %A.
    path = with_task(path, is_array=is_array)
    return re.sub(r"%(.)", lambda m: "%A" if m[1] == "j" else m[0], path) if is_array else path
