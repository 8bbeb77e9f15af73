"""A process that has imported the command and forks for each call of it: a call needs no start of Python.

The call itself is real: a process of its own with its own arguments, environment, streams and signals. Run as
`python -m tests.client.command_server SOCKET`; the other side is `tests.client.command`.
"""

import fcntl
import json
import os
import signal
import socket
import sys
import termios
import traceback
from pathlib import Path
from typing import Any

import rich.console
import rich.status
import rich.table
import rich.text

import vmpooler_cli.__main__
import vmpooler_cli.pool_names
import vmpooler_cli.session

__all__ = ["rich"]

ORDER_BYTES = 65536
STREAMS = (0, 1, 2)


def serve(path: Path) -> None:
    """Take calls until the process is ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        while True:
            connection, _ = listener.accept()
            with connection:
                if os.fork() == 0:
                    listener.close()
                    _take_call(connection)


def _take_call(connection: socket.socket) -> None:
    """Run one call in a child, and tell its process id and then how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    order, streams, _, _ = socket.recv_fds(connection, ORDER_BYTES, len(STREAMS))
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # until the command has begun
    child = os.fork()
    if child == 0:
        connection.close()
        _become_the_command(json.loads(order), streams)
    for stream in streams:
        os.close(stream)
    connection.sendall(f"{child}\n".encode())
    _, status = os.waitpid(child, 0)
    connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def _become_the_command(order: dict[str, Any], streams: list[int]) -> None:
    code = 70
    try:
        os.setsid()
        for number, stream in zip(STREAMS, streams, strict=True):
            os.dup2(stream, number)
            os.close(stream)
        sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w", buffering=1)
        if os.isatty(0):
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        os.environ.clear()
        os.environ.update(order["environment"])
        os.chdir(order["directory"])
        sys.argv = ["vmpooler", *order["arguments"]]
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        vmpooler_cli.__main__.main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1 if ended.code else 0
    except KeyboardInterrupt:  # before the command could look after it, as in a Python that has just started
        code = 130
    except BaseException:
        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
