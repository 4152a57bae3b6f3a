"""What a form knows of the clusters: which there are, and the queues of the one that is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ehpc_jupyter.errors import EhpcError
from ehpc_jupyter.notebook.queues import cluster_choices, limits, queue_choices, queue_notes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ehpc_jupyter.models.cluster import Queue
    from ehpc_jupyter.notebook.client import Client
    from ehpc_jupyter.notebook.inputs import FieldBox


class Site:
    """Fills the inputs for cluster and queue with what there is.

    Args:
        boxes: the form's inputs, by wire path.
        client: who asks.

    Attributes:
        limits: of the chosen cluster's queues; empty while they are not known.
    """

    def __init__(self, boxes: Mapping[str, FieldBox], client: Client) -> None:
        self._boxes = boxes
        self._client = client
        self.limits: list[Queue] = []

    def _box_of(self, widget: str) -> FieldBox | None:
        return next((box for box in self._boxes.values() if box.field.widget == widget), None)

    def cluster(self) -> str:
        """The cluster that is chosen."""
        box = self._box_of("cluster")
        return str((box and box.read()[0]) or self._client.cluster)

    def fetch_clusters(self) -> None:
        """Offer the clusters that are configured."""
        box = self._box_of("cluster")
        if box is None:
            return
        try:
            box.offer(cluster_choices(self._client.clusters()))
        except EhpcError as error:
            box.free_text(f"The clusters could not be listed: {error.message}")

    def fetch_queues(self) -> None:
        """Offer the chosen cluster's queues, with their limits and what is free."""
        box, cluster = self._box_of("queue"), self.cluster()
        if box is None:
            return
        try:
            queues = self._client.queues(cluster)
        except EhpcError as error:
            if cluster == self.cluster():  # an answer about a cluster that is no longer chosen comes too late
                self.limits = []
                box.free_text(
                    f"The queues of {cluster} could not be listed; type a name or leave it empty. {error.message}"
                )
            return
        if cluster == self.cluster():
            self.limits = limits(queues)
            box.offer(queue_choices(queues), queue_notes(queues))
