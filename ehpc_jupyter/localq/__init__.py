"""The small queue behind the cluster ``local``: cores, memory and GPUs of this machine, priorities, arrays, wall time,
jobs that wait for others (dependencies).

It is a program, not a library: ``schedulers/local.py`` calls its command line as it would call ``sbatch``. Standard
library only, and nothing else of ours. Who does what::

    submit, stop, … (cli, orders)          status, queues (cli, report)
            │ writes                              │ reads
            ▼                                     ▼
    queue.sqlite3 (database): the only truth, in a folder of the account's own (settings)
            ▲ takes waiting tasks (progress, plan)      ▲ writes start, end, exit code (progress)
            │                                           │
    manager ──────────── starts one per task ──────► shepherd ──► the job's script (launch), in a session of its own

Everything that lives holds a lock on a file as long as it lives (daemon), and sleeps until its bell, a FIFO, rings.
Locks vanish with their holder, whatever killed it: no pid has to be believed. A shepherd does not need the manager,
and whoever finds that no manager lives while there is work (a command, a shepherd at its end) starts one.
"""

#: What ``version`` says: rises with what the commands understand and print.
VERSION = "2"


class Refused(Exception):
    """What was asked for cannot be done; the text says why and names the value."""
