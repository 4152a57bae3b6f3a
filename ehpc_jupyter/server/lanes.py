"""Threads for what waits for clusters."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Actions that are answered from the store and ask no cluster.
STORE_ACTIONS = frozenset(
    {
        "DeleteTemplate",
        "GetCluster",
        "GetJob",
        "ListClusters",
        "ListJobEvents",
        "ListJobs",
        "ListTemplates",
        "RefreshJobs",
        "SaveTemplate",
    }
)


class Lanes:
    """Threads apart for each cluster: one that hangs holds up no other's requests.

    Args:
        names: the clusters.
        threads: how many requests may wait for one cluster at once.
    """

    def __init__(self, names: Iterable[str], threads: int) -> None:
        self._own = ThreadPoolExecutor(threads, thread_name_prefix="ehpc")
        self._pools = {name: ThreadPoolExecutor(threads, thread_name_prefix=f"ehpc-{name}") for name in names}

    def of(self, cluster_id: object) -> ThreadPoolExecutor:
        """The threads for a cluster; the common ones where there is no such cluster."""
        return self._pools.get(cluster_id, self._own) if isinstance(cluster_id, str) else self._own

    def shutdown(self) -> None:
        """Take no more work, wait for none."""
        for pool in (self._own, *self._pools.values()):
            pool.shutdown(wait=False, cancel_futures=True)
