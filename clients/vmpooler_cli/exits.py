"""The exit codes of the command."""

from enum import IntEnum


class Exit(IntEnum):
    """What the command's end means; docs/client.md and the manual are made from this."""

    def __new__(cls, code: int, meaning: str) -> "Exit":
        """Keep the meaning beside the number."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member

    meaning: str

    DONE = 0, "it was done"
    REFUSED = 1, "the service refused, or something else went wrong"
    USAGE = 2, "the command was called wrongly, or no service is configured"
    UNKNOWN = 3, "there is no such pool, VM, request or token"
    NOT_ALLOWED = 4, "a token is missing or wrong, or it is somebody else's"
    NOT_READY = 5, "no VM was ready in time, or the on-demand request failed"
    NO_SERVICE = 6, "the service can't be reached or used, doesn't answer, or isn't vmpooler"
    NOT_SUPPORTED = 7, "this service can't do that"
    LEFT = 8, "VMs are left that should have been given back; they are named"
    PIPE = 141, "whoever read the output went away"
    INTERRUPTED = 130, "Ctrl-C; what was taken has been given back"
    TERMINATED = 143, "SIGTERM, likewise (129 for SIGHUP)"
