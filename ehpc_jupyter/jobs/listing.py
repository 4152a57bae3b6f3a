"""ListJobs' filter and order as SQL. Pure: only fixed text of this file becomes SQL, what a caller wrote becomes a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ehpc_jupyter.models.actions import JobFilter, SortBy


def chosen(cluster_id: str, wanted: JobFilter) -> tuple[str, list[str]]:
    """The condition for a cluster's jobs that a filter takes, and its values. ``names_node`` is a function of the store's."""
    # Written out, not as a parameter: so SQLite knows that the partial indexes have all these rows.
    where, values = ["cluster_id = ?", "state <> 'NOT_SUBMITTED'"], [cluster_id]
    if wanted.job_ids:
        # Who asks for a job by name is told also that it came to nothing.
        marks = ", ".join("?" * len(wanted.job_ids))
        where[1] = f"(job_id IN ({marks}) OR request_id IN ({marks}))"
        values += [*wanted.job_ids, *wanted.job_ids]
    if wanted.job_status != "all":
        where.append(f"is_final = {int(wanted.job_status == 'finished')}")
    if wanted.job_name:
        where.append("job_name LIKE ? ESCAPE '\\'")
        values.append("%" + "".join("\\" + c if c in "%_\\" else c for c in wanted.job_name) + "%")
    for condition, limit in (
        ("submit_time >= ?", wanted.create_time_start),
        ("submit_time <= ?", wanted.create_time_end),
    ):
        if limit:
            where.append(condition.replace("?", "CAST(? AS INTEGER)"))
            values.append(limit)
    for column, names in (("queue", wanted.queues), ("user", wanted.users)):
        if names:
            where.append(f"{column} IN ({', '.join('?' * len(names))})")
            values += names
    if wanted.nodes:
        named = " OR ".join(["names_node(node_list, ?)"] * len(wanted.nodes))
        lists = "SELECT DISTINCT node_list FROM jobs WHERE cluster_id = ?"
        where.append(f"node_list IN (SELECT node_list FROM ({lists}) WHERE {named})")  # noqa: S608 - fixed text
        values += [cluster_id, *wanted.nodes]
    return " AND ".join(where), values


def ordered(wanted: SortBy) -> str:
    """The ORDER BY of a page; the keys count in the order of ``SortBy``."""
    newest = "ASC" if wanted.submit_order == "asc" else "DESC"
    keys = [f"submit_time {newest}", f"rowid {newest}"]
    if wanted.pend_order:
        waits = "state IN ('SUBMITTING', 'QUEUED', 'HELD')"
        keys[:0] = [f"{waits} DESC", f"CASE WHEN {waits} THEN submit_time END {wanted.pend_order.upper()}"]
    if wanted.execute_order:
        keys[:0] = ["start_time IS NULL", f"start_time {wanted.execute_order.upper()}"]
    return ", ".join(keys)
