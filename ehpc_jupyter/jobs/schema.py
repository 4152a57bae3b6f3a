"""The store's tables, as SQL."""

from __future__ import annotations

#: Each entry brings a file of the version before it to the next; a released entry is never changed.
SCHEMAS = (
    """
CREATE TABLE jobs (
  request_id TEXT PRIMARY KEY,
  cluster_id TEXT NOT NULL,
  job_id TEXT,
  client_token TEXT,
  login_user TEXT NOT NULL,
  job_name TEXT NOT NULL,
  queue TEXT,
  state TEXT NOT NULL,
  is_final INTEGER NOT NULL,
  submit_time INTEGER NOT NULL,
  request TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX jobs_by_token ON jobs (cluster_id, client_token) WHERE client_token IS NOT NULL;
CREATE INDEX jobs_by_id ON jobs (cluster_id, job_id, submit_time DESC);
CREATE INDEX jobs_by_time ON jobs (cluster_id, submit_time DESC);
CREATE INDEX jobs_active ON jobs (cluster_id) WHERE is_final = 0;
CREATE TABLE history (
  request_id TEXT NOT NULL,
  time INTEGER NOT NULL,
  state TEXT NOT NULL,
  source TEXT NOT NULL,
  reason TEXT
) STRICT;
CREATE INDEX history_by_request ON history (request_id, time);
""",
    """
ALTER TABLE jobs ADD COLUMN user TEXT GENERATED ALWAYS AS (json_extract(detail, '$.User')) VIRTUAL;
ALTER TABLE jobs ADD COLUMN node_list TEXT GENERATED ALWAYS AS (json_extract(detail, '$.NodeList')) VIRTUAL;
ALTER TABLE jobs ADD COLUMN start_time INTEGER GENERATED ALWAYS AS (json_extract(detail, '$.StartTime')) VIRTUAL;
DROP INDEX jobs_by_time;
CREATE INDEX jobs_listed ON jobs (cluster_id, submit_time) WHERE state <> 'NOT_SUBMITTED';
CREATE INDEX jobs_started ON jobs (cluster_id, start_time) WHERE state <> 'NOT_SUBMITTED';
CREATE INDEX jobs_by_user ON jobs (cluster_id, user);
CREATE TABLE spent_tokens (
  cluster_id TEXT NOT NULL,
  client_token TEXT NOT NULL,
  job_id TEXT,
  PRIMARY KEY (cluster_id, client_token)
) STRICT, WITHOUT ROWID;
""",
    # changed: a number that grows with every write, so that whoever watches reads what is new; writer: whose it was.
    # array_tasks: how the tasks of an array ended, see arrays.py. rebuilding: clusters whose folders are to be read, '' for all.
    """
ALTER TABLE jobs ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN writer TEXT NOT NULL DEFAULT '';
CREATE INDEX jobs_changed ON jobs (cluster_id, changed);
CREATE TABLE counter (last INTEGER NOT NULL) STRICT;
INSERT INTO counter VALUES (1);
CREATE TABLE array_tasks (
  request_id TEXT PRIMARY KEY,
  ended TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE cluster_answers (
  cluster_id TEXT PRIMARY KEY,
  checked_time INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE rebuilding (cluster_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
""",
    """
CREATE TABLE templates (
  name TEXT PRIMARY KEY,
  fields TEXT NOT NULL,
  saved_time INTEGER NOT NULL
) STRICT;
""",
    # By the cluster first, it was taken for counting a cluster's jobs, too, which then read each row.
    """
DROP INDEX jobs_changed;
CREATE INDEX jobs_changed ON jobs (changed);
""",
    # Slurm keeps no trace of tasks that were stopped before they had a record of their own. tasks: '' for a whole job.
    """
CREATE TABLE told_to_stop (request_id TEXT NOT NULL, tasks TEXT NOT NULL, PRIMARY KEY (request_id, tasks)) STRICT, WITHOUT ROWID;
""",
    # Few lists of nodes are told apart, so a node is looked for in those and not in each job's.
    """
CREATE INDEX jobs_by_nodes ON jobs (cluster_id, node_list);
""",
)
