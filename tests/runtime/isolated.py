"""Run a command as another user, perhaps without a network: `isolated.py [--offline] [--user UID] COMMAND…`."""

import ctypes
import fcntl
import os
import socket
import struct
import sys

CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS, IFF_UP = 0x8914, 1


def main(arguments):
    """Leave the network, drop root, become the command."""
    if arguments[0] == "--offline":
        arguments.pop(0)
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
            sys.exit(f"unshare: {os.strerror(ctypes.get_errno())}")
        with socket.socket() as any_socket:  # only the machine itself can be reached
            fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh", b"lo", IFF_UP))
    if arguments[0] == "--user":
        uid = int(arguments[1])
        del arguments[:2]
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    os.execv(arguments[0], arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
