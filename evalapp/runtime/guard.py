"""Outlive the supervisor by a moment and end what it left behind. A process of its own, standard library only.

The supervisor holds the other end of stdin and writes what exists, line by line:

    + PID SIGNAL LAST    a process group: how to end it, and what to send when that takes too long
    - PID                that group is gone
    rm PATH              a folder to remove at the end

When the supervisor dies, even by kill -9, the pipe closes. On Linux the children have their own death signal; this
also reaches grandchildren, and on macOS, which knows no death signal, it is the only way.
"""

import os
import shutil
import signal
import sys
import time

PATIENCE = 5


def main():
    """Read until the supervisor is gone, then sweep."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups, folders = {}, []
    for line in sys.stdin:
        word, _, rest = line.strip().partition(" ")
        if word == "+":
            pid, first, last = map(int, rest.split())
            groups[pid] = (first, last)
        elif word == "-":
            groups.pop(int(rest), None)
        elif word == "rm":
            folders.append(rest)
    sweep(groups)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(groups):
    """End every group, first politely."""
    waiting = {pid for pid, (first, _) in groups.items() if send(pid, first)}
    deadline = time.monotonic() + PATIENCE
    while waiting and time.monotonic() < deadline:
        time.sleep(0.02)
        waiting = {pid for pid in waiting if send(pid, 0)}
    for pid in waiting:
        send(pid, groups[pid][1])


def send(pid, number):
    """Signal the group. Tell whether it still exists."""
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    main()
