"""The two ordinary users: on the machine and in the accounting."""

import pwd
import secrets
import shutil
import time
from pathlib import Path

from ehpclab.configs import make_key
from ehpclab.layout import ACCOUNTS, CLUSTER, USERS, Lab, LabError
from ehpclab.procs import attempt, check


def make_user(lab: Lab, name: str) -> dict[str, str]:
    """Make the user if need be, let them in, and return what a test needs to log in."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        uid = str(USERS[name])
        check("useradd", "-m", "-U", "-u", uid, "-s", "/bin/bash", name)
        entry = pwd.getpwnam(name)
    if entry.pw_uid != USERS[name]:
        raise LabError(f"user {name} has id {entry.pw_uid}, not {USERS[name]}: somebody else?")

    home = Path(entry.pw_dir)
    home.mkdir(mode=0o755, exist_ok=True)
    shutil.chown(home, name, name)
    home.chmod(0o755)

    key = lab.ssh / name
    allowed = home / ".ssh" / "authorized_keys"
    # The user may have left a link in the place of either.
    if allowed.parent.is_symlink() or not allowed.parent.is_dir():
        allowed.parent.unlink(missing_ok=True)
        allowed.parent.mkdir(mode=0o700)
    allowed.unlink(missing_ok=True)
    allowed.write_text(make_key(key))
    shutil.chown(allowed.parent, name, name)
    shutil.chown(allowed, name, name)

    # Without PAM sshd looks into /etc/shadow itself, and an account without a
    # password there is locked for key logins too. The method is named so that
    # chpasswd does not go through PAM either.
    password = secrets.token_urlsafe(12)
    check("chpasswd", "-c", "SHA512", stdin=f"{name}:{password}\n")
    return {"password": password, "key": str(key), "home": str(home)}


def register(lab: Lab, limit: float = 2) -> None:
    """Enter the cluster, the accounts and the users into the accounting.

    Before slurmctld starts for the first time: with limits enforced it gives up
    when it has neither an answer nor a saved copy of the associations.
    """
    default, *_ = ACCOUNTS
    lines = [f"Cluster - '{CLUSTER}'", "Parent - 'root'"]
    lines += [":".join((f"Account - '{name}'", *limits)) for name, limits in ACCOUNTS.items()]
    for account in ACCOUNTS:
        lines += [f"Parent - '{account}'", *(f"User - '{name}':DefaultAccount='{default}'" for name in USERS)]
    file = lab.etc / "accounts.cfg"
    file.write_text("\n".join(lines) + "\n")
    # One file, as each call of "sacctmgr add" takes half a second.
    load = ("sacctmgr", "-i", "load", str(file))
    end = time.monotonic() + limit
    # The port may be open before slurmdbd is quite ready.
    while (done := attempt(*load, limit=10)).returncode:
        # A fault of munge does not pass, and each try takes two seconds to tell.
        if time.monotonic() > end or "unge" in done.stderr:
            said = (done.stderr.strip() or done.stdout.strip())[-2000:]
            raise LabError(f"{' '.join(load)}: exit {done.returncode}: {said}")
        time.sleep(0.1)


def can_submit() -> bool:
    """Whether a user's job would be taken: munge, limits and partitions in one."""
    test = ("sbatch", "--test-only", "--wrap=true")
    return all(attempt(*test, user=name).returncode == 0 for name in USERS)
