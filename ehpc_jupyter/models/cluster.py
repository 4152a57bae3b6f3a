"""A cluster as configured, its queues and their limits; and what one site allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, SecretStr

from ehpc_jupyter.errors import Problem
from ehpc_jupyter.models.base import WireModel
from ehpc_jupyter.models.suggest import did_you_mean
from ehpc_jupyter.models.values import WallTime

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ehpc_jupyter.models.spec import JobSpec

SchedulerName = Literal["auto", "slurm", "local"]


class ClusterProfile(WireModel):
    """How a cluster is reached and what is known of it; one entry of ``c.EhpcExtension.clusters``."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")
    """Its name here, the API's ClusterId."""

    description: str = ""
    """A line for people."""

    enabled: bool = True
    """Whether anything may be asked of it; of one that is not, only what is known already is shown."""

    host: str | None = None
    """Login node: a host name, an address or an alias of ~/.ssh/config; empty for a scheduler on this machine."""

    port: int | None = Field(None, ge=1, le=65535)
    """SSH port; that of ~/.ssh/config or 22 if empty."""

    user: str | None = None
    """Account to log in with; that of ~/.ssh/config or your own name if empty."""

    password: SecretStr | None = Field(None, exclude=True, repr=False)
    """Password to log in with; a key or an agent is better."""

    identity_file: str | None = None
    """Private key to log in with."""

    known_hosts: str | None = None
    """File of known host keys; ~/.ssh/known_hosts if empty. An unknown host is always refused."""

    ssh_config: str | None = None
    """SSH client configuration; ~/.ssh/config if empty."""

    scheduler: SchedulerName = "auto"
    """The batch system there; auto looks for it at the first login."""

    jobs_folder: str = "~/ehpc-jobs"
    """Where the jobs' folders are made, on the cluster."""

    priority_step: int = Field(100, ge=1, le=100_000)
    """Slurm: how much ``--nice`` one step of Priority is worth."""

    poll_interval_s: float = Field(2.0, ge=0.2, le=3600)
    """Shortest time between two questions to the scheduler, seconds."""

    connect_timeout_s: float = Field(10.0, gt=0)
    """Time-out of a login, seconds."""

    command_timeout_s: float = Field(60.0, gt=0)
    """Time-out of one command, seconds. Slurm's own MessageTimeout is up to 60 s on some sites."""


class Queue(WireModel):
    """A queue and its limits; what is not limited or not known is absent."""

    name: str
    is_default: bool = False
    state: str = "UP"
    """The scheduler's word."""
    max_wall_time_s: int | None = None
    nodes: int | None = None
    """Nodes in all."""
    cores_per_node: int | None = None
    """Of its largest node."""
    memory_mb_per_node: int | None = None
    gpus_per_node: int | None = None
    idle_nodes: int | None = None


class Node(WireModel):
    """A compute node; what is not known is absent."""

    name: str
    queues: tuple[str, ...] = ()
    state: Literal["running", "stopped", "exception"] = "running"
    """The API's word: it takes jobs now or later, it is switched off, or the scheduler cannot use it."""
    native_state: str
    """The scheduler's word."""
    reason: str | None = None
    """Why it takes no jobs."""
    address: str | None = None
    """Its IP address."""
    cores: int | None = None
    memory_mb: int | None = None
    gpus: int | None = None


def check(spec: JobSpec, queues: Sequence[Queue] = ()) -> list[Problem]:
    """All that a cluster's queues would refuse in a job, each with its field.

    Args:
        spec: a valid specification.
        queues: what the cluster has; nothing is checked where they are not known.
    """
    if not queues:
        return []
    name = spec.job_queue
    chosen = [q for q in queues if (q.name == name if name else q.is_default)]
    if not chosen:
        if name is None or "," in name:
            return []
        hint = did_you_mean(name, [q.name for q in queues])
        return [Problem("JobSpec.JobQueue", f"there is no queue {name!r}{hint}")]
    queue, found = chosen[0], []
    if spec.wall_time and queue.max_wall_time_s and spec.wall_time.seconds > queue.max_wall_time_s:
        limit = WallTime(queue.max_wall_time_s)
        found.append(
            Problem("JobSpec.WallTime", f"{spec.wall_time} is more than {limit}, the most in queue {queue.name}")
        )
    wanted = spec.resources
    if wanted:
        memory = wanted.memory.mb if wanted.memory else None
        for field, value, limit_, unit in (
            ("Nodes", wanted.nodes, queue.nodes, "nodes"),
            ("Cores", wanted.cores, queue.cores_per_node, "cores on a node"),
            ("Memory", memory, queue.memory_mb_per_node, "MB on a node"),
            ("Gpus", wanted.gpus, queue.gpus_per_node, "GPUs on a node"),
        ):
            if value is not None and limit_ is not None and value > limit_:
                text = f"{value} is more than queue {queue.name} has: {limit_} {unit}"
                found.append(Problem(f"JobSpec.Resources.{field}", text))
    return found
