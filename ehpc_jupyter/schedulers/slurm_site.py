"""What Slurm says of its hardware: partitions, nodes, what a job was given. Formats: sinfo(1), sacct(1), 22.05 and newer."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from ehpc_jupyter.errors import AgentError
from ehpc_jupyter.models.cluster import Node, Queue
from ehpc_jupyter.models.job import Occupied
from ehpc_jupyter.schedulers.base import FIELD

#: Ends a record: a job's name and a node's reason may have a line end in them.
RECORD = "\x1e"
#: A line for each kind of node in each partition.
QUEUES = FIELD.join(("%P", "%a", "%l", "%D", "%c", "%m", "%G", "%t"))
#: Node, partition, long state, cores, memory in MB, generic resources, address, why it is down.
NODES = FIELD.join(("%N", "%P", "%T", "%c", "%m", "%G", "%o", "%E")) + RECORD

#: Words in a node's state, sinfo(1) "NODE STATE CODES"; a node of any other state takes jobs, now or later.
_BROKEN = ("down", "drain", "fail", "unknown", "no_respond", "not_responding", "error", "inval", "blocked")
_OFF = ("power_down", "powered_down", "powering_down", "powering_off", "poweroff", "future")


def parse_queues(text: str) -> list[Queue]:
    """Sums nodes and takes the largest node of each partition. Raises AgentError."""
    queues: dict[str, Queue] = {}
    for line in text.splitlines():
        fields = line.split(FIELD)
        if len(fields) != 8:
            raise AgentError(f"sinfo printed a record of {len(fields)} fields where 8 were asked for")
        label, up, limit, nodes, cores, memory, gres, state = fields
        name = label.rstrip("*")
        old = queues.get(name) or Queue(name=name, is_default=label.endswith("*"), state=up.upper())
        idle = int(nodes) if state == "idle" else 0
        queues[name] = old.model_copy(
            update={
                "max_wall_time_s": parse_duration(limit),
                "nodes": (old.nodes or 0) + int(nodes),
                "cores_per_node": _largest(old.cores_per_node, cores),
                "memory_mb_per_node": _largest(old.memory_mb_per_node, memory),
                "gpus_per_node": max(old.gpus_per_node or 0, count_gpus(gres)),
                "idle_nodes": (old.idle_nodes or 0) + idle,
            }
        )
    return list(queues.values())


def parse_nodes(text: str) -> list[Node]:
    """Each node once, with all its partitions, sorted by name. Raises AgentError."""
    records = text.split(RECORD + "\n")
    if records.pop() != "":
        raise AgentError("sinfo's answer is not whole; it was not used")
    nodes: dict[str, Node] = {}
    for record in records:
        fields = record.split(FIELD)
        if len(fields) != 8:
            raise AgentError(f"sinfo printed a record of {len(fields)} fields where 8 were asked for")
        name, queue, state, cores, memory, gres, address, reason = fields
        before = nodes[name].queues if name in nodes else ()
        nodes[name] = Node(
            name=name,
            # sinfo's order of partitions differs from call to call.
            queues=tuple(sorted({*before, queue.rstrip("*")})),
            state=_node_state(state),
            native_state=state,
            reason=None if reason.lower() in ("none", "") else reason,
            # Most sites name a node by its host name here.
            address=address if re.fullmatch(r"[0-9.]+|[0-9a-fA-F:]*:[0-9a-fA-F:]*", address) else None,
            cores=int(cores) if cores.isdecimal() else None,
            memory_mb=int(memory) if memory.isdecimal() else None,
            gpus=count_gpus(gres),
        )
    return sorted(nodes.values(), key=lambda node: _by_number(node.name))


def _node_state(native: str) -> Literal["running", "stopped", "exception"]:
    # Flags stand behind the word: * does not respond, ~ is switched off, # is being switched on, $ maintenance (sinfo(1)).
    word = native.rstrip("*~#!%$@^+-").lower()
    if native.endswith(("~", "%")) or any(off in word for off in _OFF):
        return "stopped"
    if native.endswith("*") or any(broken in word for broken in _BROKEN):
        return "exception"
    return "running"


def _by_number(name: str) -> list[tuple[int, str]]:
    """node2 before node10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


# Many jobs have the same.
@lru_cache(maxsize=1000)
def occupied(nodes: str, cores: str, gres: str) -> Occupied | None:
    """What a job has, from squeue's ``%D``, ``%C`` (cores in all) and ``%b`` (``gres/gpu:2`` for each node, ``N/A``)."""
    if not nodes.isdecimal() or int(nodes) == 0:
        return None
    count = int(nodes)
    return Occupied(
        nodes=count,
        cores=_each(int(cores), count) if cores.isdecimal() else None,
        gpus=count_gpus(gres.replace("/", ":")),
    )


def allotted(tres: str) -> Occupied | None:
    """The same from sacct's ``AllocTRES``, sums over all nodes: ``billing=4,cpu=4,gres/gpu=2,mem=8G,node=2``."""
    sums = dict(part.split("=", 1) for part in tres.split(",") if "=" in part)
    nodes = sums.get("node", "")
    if not nodes.isdecimal() or int(nodes) == 0:
        return None
    count, cores, gpus = int(nodes), sums.get("cpu", ""), sums.get("gres/gpu", "0")
    memory = re.fullmatch(r"(\d+(?:\.\d+)?)([MGT])", sums.get("mem", ""))
    memory_mb = int(float(memory[1]) * {"M": 1, "G": 1024, "T": 1024**2}[memory[2]]) if memory else None
    return Occupied(
        nodes=count,
        cores=_each(int(cores), count) if cores.isdecimal() else None,
        memory_mb=_each(memory_mb, count) if memory_mb else None,
        gpus=_each(int(gpus), count) if gpus.isdecimal() else None,
    )


def _each(total: int, nodes: int) -> int | None:
    """Of each node; not known where the nodes differ."""
    return total // nodes if total % nodes == 0 else None


def _largest(old: int | None, text: str) -> int:
    # "16+" where the nodes of a line differ.
    return max(old or 0, int(text.rstrip("+") or 0))


def parse_duration(text: str) -> int | None:
    """Slurm's ``[days-]hours:minutes:seconds`` or ``minutes:seconds`` in seconds; None for no limit or not known."""
    match = re.fullmatch(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)", text.strip())
    if not match:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def parse_memory_mb(text: str) -> int | None:
    """sacct's ``MaxRSS``, ``1234K`` or ``1.50M`` or bytes, in MB, at least 1; None where nothing was measured."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)", text.strip())
    if not match or not float(match[1]):
        return None
    size = float(match[1]) * {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}[match[2]]
    return max(1, round(size / 1024**2))


def count_gpus(gres: str) -> int:
    """GPUs of a node from its generic resources: ``gpu:2``, ``gpu:a100:4(S:0-1),tmpdisk:1``, ``(null)``."""
    return sum(int(m[1]) for m in re.finditer(r"\bgpu(?::[A-Za-z][^:,(]*)?:(\d+)", gres))


def count_tasks(text: str) -> int:
    """How many tasks a list such as ``1,3,5``, ``2-9:3`` or ``0-99%4`` names. Nothing is expanded."""
    total = 0
    for part in text.strip("[]").partition("%")[0].split(","):
        match = re.fullmatch(r"(\d+)(?:-(\d+)(?::(\d+))?)?", part)
        if match:
            first, last = int(match[1]), int(match[2] or match[1])
            total += (last - first) // int(match[3] or 1) + 1
    return total
