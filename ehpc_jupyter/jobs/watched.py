"""A cluster's jobs that may still change, in memory and in step with the store, whoever writes to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ehpc_jupyter.jobs.store import JobStore, StoredJob
    from ehpc_jupyter.models.job import JobDetail


class Watched:
    """The jobs. To read 10,000 of them from the file at every look would cost more than the look. Belongs to one thread.

    Args:
        store: where they are kept.
        cluster_id: whose they are.

    Attributes:
        jobs: by request id, oldest first.
    """

    def __init__(self, store: JobStore, cluster_id: str) -> None:
        self._store = store
        self._cluster_id = cluster_id
        self._number = 0
        self.jobs: dict[str, StoredJob] = {}

    def sync(self) -> list[JobDetail]:
        """Take over what was written since the last time; what another process learnt of jobs is returned."""
        news: list[JobDetail] = []
        changed, self._number = self._store.changed_since(self._cluster_id, self._number)
        for job, others in changed:
            known = self.jobs.get(job.request_id)
            if others and (known is None or known.detail != job.detail):
                news.append(job.detail)
            self._put(job)
        return news

    def store(self, changes: list[tuple[JobDetail, str]]) -> list[JobDetail]:
        """Store what was learnt, each with who said so; what is stored is returned. See ``JobStore.update_all``."""
        if not changes:
            return []
        stored = self._store.update_all(changes)
        done = {detail.request_id: detail for detail in stored}
        for detail, _ in changes:
            job = self.jobs.get(detail.request_id)
            if detail.request_id not in done:
                # Deleted, or ended according to another process: the file knows better.
                job = self._store.by_request(detail.request_id)
                if job is None:
                    self.jobs.pop(detail.request_id, None)
            if job is not None:
                self._put(job.with_detail(done.get(detail.request_id, job.detail)))
        return stored

    def _put(self, job: StoredJob) -> None:
        if job.detail.is_final:
            self.jobs.pop(job.request_id, None)
        else:
            self.jobs[job.request_id] = job
