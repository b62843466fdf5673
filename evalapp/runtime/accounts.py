"""The user that the embedded database runs as: PostgreSQL refuses to run as root."""

import os
import pwd
import shutil
import subprocess


def unprivileged_account(data_dir):
    """Return the account to run the database as, or None when we are not root and run it ourselves.

    Data that exists keeps its owner. Otherwise the system's own database user where there is one, else `nobody`;
    no user is created, and nothing outside our own folders changes its permissions.
    """
    if os.geteuid() != 0:
        return None
    if data_dir.exists() and data_dir.stat().st_uid != 0:
        return pwd.getpwuid(data_dir.stat().st_uid)
    for name in ("postgres", "_postgres", "nobody"):
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        if account.pw_uid > 0:
            return account
    raise LookupError("there is no user `postgres` or `nobody` to run the database as")


def can_reach(account, path):
    """Tell whether that account may execute or enter the path, all parent folders included."""
    if account is None:
        return os.access(path, os.X_OK)
    test = shutil.which("test") or "/bin/test"
    command = [test, "-x", str(path)]
    return not subprocess.run(
        command, user=account.pw_uid, group=account.pw_gid, extra_groups=[], cwd="/", check=False
    ).returncode
