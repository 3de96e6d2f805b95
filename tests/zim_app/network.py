"""Runs a program and lists the sockets that it, or anything it starts, asks for.

The kernel reports each call, native libraries' too, and refuses it (seccomp's user
notification, Linux 5.0 and later); sockets of this computer alone (AF_UNIX) are left.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import platform
import select
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

_CALLS = {"x86_64": (0xC000003E, 41, 317), "aarch64": (0xC00000B7, 198, 277)}
"""By machine: the audit number, and the numbers of socket(2) and seccomp(2)."""
_NO_NEW_PRIVILEGES = 38
_SET_FILTER, _NEW_LISTENER = 1, 8
_NOTIFY, _ALLOW = 0x7FC00000, 0x7FFF0000
_LOAD, _IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_RECEIVE, _SEND = 0xC0502100, 0xC0182101
_NOTIFICATION, _ANSWER = struct.Struct("=QIIiIQ6Q"), struct.Struct("=QqiI")
_EPERM = 1
CHANNEL = "ZIM_TEST_NETWORK"
"""Environment variable with the descriptor that the filter's listener is sent over."""


def can_watch() -> bool:
    """Whether this system reports calls: it is Linux, and no sandbox forbids it."""
    if sys.platform != "linux" or platform.machine() not in _CALLS:
        return False
    try:
        return not network_use(["-c", ""], Path.cwd(), {})
    except subprocess.CalledProcessError:
        return False


def network_use(
    arguments: Sequence[str], folder: Path, variables: dict[str, str]
) -> list[str]:
    """What sockets a Python program asked for, by family and program; none is best.

    Args:
        arguments: of the interpreter.
        folder: the current one.
        variables: to add to the environment.

    Raises:
        subprocess.CalledProcessError: it does not end with 0.
    """
    found: list[str] = []
    ours, theirs = socket.socketpair()
    with ours, theirs:
        environment = {
            **{name: x for name, x in os.environ.items() if not name.startswith("HF_")},
            **{"QT_QPA_PLATFORM": "offscreen", CHANNEL: str(theirs.fileno())},
            "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
            **variables,
        }
        process = subprocess.Popen(
            [sys.executable, "-B", __file__, *arguments],
            cwd=folder,
            env=environment,
            pass_fds=[theirs.fileno()],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        theirs.close()
        _, descriptors, _, _ = socket.recv_fds(ours, 1, 1)
    watch = threading.Thread(target=_watch, args=(descriptors, found))
    watch.start()
    output, _ = process.communicate(timeout=300)
    watch.join(30.0)  # it ends with the last process that the program started
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, arguments, output)
    return found


def _watch(descriptors: list[int], found: list[str]) -> None:
    """Answer each call with an error, until nobody is left who could make one."""
    for listener in descriptors:
        poll = select.poll()
        poll.register(listener, select.POLLIN)
        while True:
            [(_, event)] = poll.poll()
            if not event & select.POLLIN:
                break
            _refuse(listener, found)
        os.close(listener)


def _refuse(listener: int, found: list[str]) -> None:
    notification = bytearray(_NOTIFICATION.size)
    try:
        fcntl.ioctl(listener, _RECEIVE, notification)
        number, process, _, _, _, _, family, *_ = _NOTIFICATION.unpack(notification)
        name = Path(f"/proc/{process}/comm").read_text().strip()
        found.append(f"{socket.AddressFamily(family).name} by {name}")
        fcntl.ioctl(listener, _SEND, _ANSWER.pack(number, 0, -_EPERM, 0))
    except FileNotFoundError:  # the process was killed meanwhile
        found.append("a socket by a process that is gone")


def _filter_calls(channel: socket.socket) -> None:
    """Let the kernel report this process's sockets, and those of all it starts."""
    audit, socket_call, seccomp_call = _CALLS[platform.machine()]
    program = b"".join(
        struct.pack("=HBBI", *step)
        for step in (
            (_LOAD, 0, 0, 4),  # the kind of machine
            (_IF_EQUAL, 0, 5, audit),
            (_LOAD, 0, 0, 0),  # the call
            (_IF_EQUAL, 0, 3, socket_call),
            (_LOAD, 0, 0, 16),  # its first argument, the family
            (_IF_EQUAL, 1, 0, socket.AF_UNIX),
            (_RETURN, 0, 0, _NOTIFY),
            (_RETURN, 0, 0, _ALLOW),
        )
    )
    steps = ctypes.create_string_buffer(program)
    whole = struct.pack("@HP", len(program) // 8, ctypes.addressof(steps))
    system = ctypes.CDLL(None, use_errno=True)
    listener = -1
    if system.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0:
        listener = system.syscall(seccomp_call, _SET_FILTER, _NEW_LISTENER, whole)
    if listener < 0:
        sys.exit(f"the kernel reports no calls: {os.strerror(ctypes.get_errno())}")
    socket.send_fds(channel, [b"."], [listener])
    os.close(listener)


def main() -> None:
    """Be a Python interpreter with the command line's arguments, but filtered."""
    with socket.socket(fileno=int(os.environ.pop(CHANNEL))) as channel:
        _filter_calls(channel)
    os.execv(sys.executable, [sys.executable, *sys.argv[1:]])


if __name__ == "__main__":
    main()
