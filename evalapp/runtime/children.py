"""Start processes that end when we end, however we end."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

# Loaded before any fork: a forked child must not load libraries.
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def spawn(command, *, death_signal=signal.SIGKILL, account=None, **popen_options):
    """Start the command in a session of its own; where the system can do it, it gets `death_signal` when we die.

    `account` is the unprivileged user to become (pwd.struct_passwd), or None. Call it from the main thread only:
    the kernel watches the thread that started the child.
    """
    if account is not None:
        popen_options |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    parent = os.getpid()

    def follow_parent():
        _libc.prctl(PR_SET_PDEATHSIG, int(death_signal))
        if os.getppid() != parent:  # it died between fork and prctl
            os._exit(1)

    # Set after the change of user, which would clear it.
    preexec = follow_parent if _libc else None
    return subprocess.Popen(command, start_new_session=True, preexec_fn=preexec, **popen_options)


def adopt_orphans():
    """Become the parent of grandchildren whose parent died, so that they can be reaped. Linux only."""
    if _libc:
        _libc.prctl(PR_SET_CHILD_SUBREAPER, 1)


def signal_group(pid, number):
    """Send the signal to the whole process group. Tell whether there was one."""
    # EPERM: macOS answers so for a group of zombies.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
        return True
    return False


def child_environment(**changes):
    """Return our environment for a child, without the PG* variables that would redirect its connection."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**kept, "PYTHONUNBUFFERED": "1", **changes}
