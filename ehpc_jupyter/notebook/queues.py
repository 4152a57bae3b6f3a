"""Queues and clusters as a form offers them: labels to choose by, limits and what is free, checks while one types. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ehpc_jupyter.models.cluster import Queue
from ehpc_jupyter.models.values import Memory, WallTime

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ehpc_jupyter.models.actions import ClusterInfo, QueueInfo


def cluster_choices(clusters: Iterable[ClusterInfo]) -> list[tuple[str, str]]:
    """Clusters as labels with their descriptions."""
    return [
        (f"{c.cluster_id}: {c.cluster_description}" if c.cluster_description else c.cluster_id, c.cluster_id)
        for c in clusters
    ]


def queue_choices(queues: Sequence[QueueInfo]) -> list[tuple[str, str]]:
    """Queues as labels that say what is free, with the cluster's default first."""
    default = next((f"default: {_label(queue)}" for queue in queues if queue.is_default), "default")
    return [(default, ""), *((_label(queue), queue.queue_name) for queue in queues)]


def _label(queue: QueueInfo) -> str:
    free = "" if queue.idle_nodes is None else f"{queue.idle_nodes} idle"
    state = "" if _takes_jobs(queue) else queue.state
    words = ", ".join(word for word in (state, free) if word)
    return f"{queue.queue_name} ({words})" if words else queue.queue_name


def queue_notes(queues: Sequence[QueueInfo]) -> dict[str, str]:
    """What is known of each queue, by what is chosen for it: its limits, and what is free."""
    notes = {queue.queue_name: _note(queue) for queue in queues}
    default = next((queue for queue in queues if queue.is_default), None)
    return notes if default is None else {**notes, "": _note(default)}


def _note(queue: QueueInfo) -> str:
    each = [
        _count(queue.max_cores_per_node, "core"),
        queue.max_memory_per_node or "",
        _count(queue.max_gpus_per_node or None, "GPU"),
    ]
    on_each = ", ".join(part for part in each if part)
    parts = [
        "" if _takes_jobs(queue) else f"The queue is {queue.state}",
        f"up to {queue.max_wall_time}" if queue.max_wall_time else "",
        _nodes(queue),
        f"{on_each} on each" if on_each else "",
    ]
    text = "; ".join(part for part in parts if part)
    return text[:1].upper() + text[1:]


def _nodes(queue: QueueInfo) -> str:
    if queue.idle_nodes is None:
        return _count(queue.max_nodes, "node")
    if queue.max_nodes is None:
        return f"{_count(queue.idle_nodes, 'node')} idle"
    return f"{queue.idle_nodes} of {_count(queue.max_nodes, 'node')} idle"


def _takes_jobs(queue: QueueInfo) -> bool:
    return queue.state.upper() == "UP"


def _count(number: int | None, what: str) -> str:
    return "" if number is None else f"{number} {what}{'' if number == 1 else 's'}"


def limits(queues: Iterable[QueueInfo]) -> list[Queue]:
    """The queues as ``models.cluster.check`` takes them."""
    return [
        Queue(
            name=queue.queue_name,
            is_default=queue.is_default,
            state=queue.state,
            max_wall_time_s=WallTime.parse(queue.max_wall_time).seconds if queue.max_wall_time else None,
            nodes=queue.max_nodes,
            cores_per_node=queue.max_cores_per_node,
            memory_mb_per_node=Memory.parse(queue.max_memory_per_node).mb if queue.max_memory_per_node else None,
            gpus_per_node=queue.max_gpus_per_node,
            idle_nodes=queue.idle_nodes,
        )
        for queue in queues
    ]
