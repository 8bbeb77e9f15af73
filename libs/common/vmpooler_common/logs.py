"""Logging: one line per event, for people or for machines, and never a reason to fail.

Own code logs with structlog, libraries (uvicorn, redis) with the standard library; both go through
the same processors into the same lines. Start uvicorn with `log_config=None`, or it writes its own.
"""

import json
import logging
import re
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, BinaryIO, Literal

import structlog

STANDARD_STREAMS = {None: 2, "/dev/stderr": 2, "/dev/stdout": 1}
"""File descriptors of what is open already: these paths can't be opened where they are sockets."""
SECRET_KEY = re.compile(
    r"pass(word|wd|phrase)|secret|token|authorization|credential|cookie|(api|private)_?key", re.IGNORECASE
)
URL_PASSWORD = re.compile(r"(://[^/\s:@]*:)[^/\s]+@")
URL_SECRET = re.compile(
    r"(?<=[?&;#])((?:[\w.-]*[_.-])?sig|[\w.-]*(?:signature|token|passw(?:or)?d|passphrase|secret|credential|"
    r"api[_-]?key)[\w.-]*)=[^&;#\s\"'<>]+",
    re.IGNORECASE,
)
"""A parameter of a URL; `sig` alone, for it is a part of many words."""
MASK = "***"
CLIENTS_FAULTS = (
    "Invalid HTTP request received.",
    "Unsupported upgrade request.",
    "No supported WebSocket library detected.",
    "ASGI callable returned without completing response.",
)
"""How uvicorn's lines begin that any client can cause at will: they would flood the log."""
BARE = re.compile(r"[^\s\"'=\\]+\Z")
"""Values that need no quotes in a line for people."""

Event = MutableMapping[str, Any]
Processors = tuple[Callable[[Any, str, Event], Any], ...]


class LogFileError(OSError):
    """The log file can't be opened; the text names it and the cause."""


class LineWriter:
    """Writes whole lines to `file` (None: standard error). What can't be written is counted, not raised.

    Appends, so that a file may be rotated by copying and truncating it, too. Raises LogFileError.
    """

    def __init__(self, file: str | None) -> None:
        self._file = file
        self._stream = _open(file)
        self._torn = False
        self.lost = 0
        """Lines lost since the last one that was written whole."""

    def write(self, line: str) -> None:
        """Write the line and its end."""
        rest = f"{line}\n".encode(errors="backslashreplace")
        if self._torn:
            rest = b"\n" + rest
        length = len(rest)
        try:
            while rest:
                written = self._stream.write(rest)
                if not written:  # a pipe that doesn't block and that nobody empties
                    break
                rest = rest[written:]
        except (OSError, ValueError):  # full disk, closed pipe; closed file
            pass
        if rest:
            self.lost += 1
            self._torn = self._torn or len(rest) < length
        else:
            self.lost = 0
            self._torn = False

    debug = info = warning = error = critical = write
    """The names under which structlog hands over a rendered line."""

    def reopen(self) -> None:
        """Go on in the file of this name, another one if the former was renamed. Raises LogFileError."""
        former, self._stream = self._stream, _open(self._file)
        former.close()

    def close(self) -> None:
        """Close the file; standard streams stay open."""
        self._stream.close()


def _open(file: str | None) -> BinaryIO:
    """Open a log file, unbuffered: a line that failed must not wait, to fail the next one or the exit."""
    descriptor = STANDARD_STREAMS.get(file)
    target = file if descriptor is None and file is not None else descriptor or 2
    try:
        return open(target, "ab", buffering=0, closefd=descriptor is None)
    except OSError as error:
        raise LogFileError(error.errno, f"the log file can't be written: {error.strerror}", file) from error


def reopen() -> None:
    """Have all lines go to the file that has the configured name now.

    Raises LogFileError; then they go on to the former one.
    """
    for handler in logging.getLogger().handlers:
        if isinstance(handler, LineHandler):
            handler.reopen()


class LineHandler(logging.Handler):
    """Brings the standard library's records into the same lines as our own events."""

    def __init__(self, writer: LineWriter, processors: Processors) -> None:
        super().__init__()
        self._writer = writer
        self._processors = processors

    def emit(self, record: logging.LogRecord) -> None:
        """Render the record and write it."""
        try:
            text = record.getMessage()
        except (TypeError, ValueError):  # arguments that don't fit the message
            text = str(record.msg)
        event: Any = {"event": text, "logger": record.name}
        if record.exc_info:
            event["exc_info"] = record.exc_info
        for process in self._processors:
            event = process(None, record.levelname.lower(), event)
        self._writer.write(event)

    def reopen(self) -> None:
        """Go on in the file that has the name now. Raises LogFileError."""
        self._writer.reopen()

    def close(self) -> None:
        """Close the file with the handler."""
        self._writer.close()
        super().close()


_FACTS = frozenset({"error", "provider_id", "request", "user"})
"""Fields that only some lines of an event have."""


def without_nothing(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Leave facts out that aren't known. Settings stay: that there is no password may be told."""
    return {key: value for key, value in event.items() if value is not None or key not in _FACTS}


def configure(*, format: Literal["text", "json"], level: str, file: str | None) -> None:  # noqa: A002 - the setting's name
    """Set up all logging of this process; again replaces what was set up before.

    `level` is debug, info, warning, error or critical; `file` None is standard error. Raises
    LogFileError, and ValueError for another level; then nothing has changed, but that after a first
    LogFileError lines go to standard error, so that the one that tells of it looks like all others.
    """
    threshold = logging.getLevelNamesMapping().get(level.upper())
    if threshold is None:
        raise ValueError(f"{level!r} is no log level; expected debug, info, warning, error or critical")
    try:
        writer = LineWriter(file)
    except LogFileError:
        if file is not None and not structlog.is_configured():
            configure(format=format, level=level, file=None)
        raise
    processors: Processors = (
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        without_nothing,
        telling_losses(writer),
        mask_secrets,
        render_json if format == "json" else render_text,
    )
    root = logging.getLogger()
    for former in [handler for handler in root.handlers if isinstance(handler, LineHandler)]:
        root.removeHandler(former)
        former.close()
    handler = LineHandler(writer, processors)
    handler.addFilter(is_worth_a_line)
    root.addHandler(handler)
    # Libraries write each statement and each byte at the debug level, which would drown our own lines.
    root.setLevel(max(threshold, logging.INFO))
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=lambda *_: writer,
        cache_logger_on_first_use=False,  # loggers made earlier must follow a change
    )


def is_worth_a_line(record: logging.LogRecord) -> bool:
    """Say whether a library's record is neither one of CLIENTS_FAULTS nor about a request that went well."""
    if record.name == "httpx":
        return record.levelno > logging.INFO
    return not (record.name == "uvicorn.error" and str(record.msg).startswith(CLIENTS_FAULTS))


def telling_losses(writer: LineWriter) -> Callable[[Any, str, Event], Event]:
    """Make the processor that says in the next line how many were lost before it."""

    def tell(_logger: Any, _method: str, event: Event) -> Event:
        if writer.lost:
            event["log_lines_lost"] = writer.lost
        return event

    return tell


def mask_secrets(_logger: Any, _method: str, event: Event) -> Event:
    """Hide what looks like a secret by its key, and secrets in URLs. A last defence: don't log secrets."""
    return {key: _masked(key, value) for key, value in event.items()}


def without_url_secrets(text: str, *, mask: str = MASK) -> str:
    """Hide passwords and parameters like `sig=…`, `token=…` of the URLs in a text."""
    if "://" in text:
        text = URL_PASSWORD.sub(rf"\1{mask}@", text)
    return URL_SECRET.sub(rf"\1={mask}", text) if "=" in text else text


def _masked(key: str, value: Any) -> Any:
    if SECRET_KEY.search(key) and not isinstance(value, bool | None):
        return MASK
    match value:
        case str():
            return without_url_secrets(value)
        case Mapping():
            return {inner: _masked(str(inner), held) for inner, held in value.items()}
        case list() | tuple():
            return [_masked("", held) for held in value]
    return value


def render_json(_logger: Any, _method: str, event: Event) -> str:
    """Write one JSON object; what JSON doesn't know is written as text."""
    ordered = {key: event.pop(key) for key in ("timestamp", "level", "event")} | dict(event)
    try:
        return json.dumps(ordered, default=str, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError):  # keys that aren't text, infinities, structures that hold themselves
        return json.dumps({str(key): str(value) for key, value in ordered.items()}, ensure_ascii=False)


def render_text(_logger: Any, _method: str, event: Event) -> str:
    """Write time, level, event and `key=value`. Line breaks are escaped: nobody can forge a line."""
    timestamp, level, text = (event.pop(key) for key in ("timestamp", "level", "event"))
    trace = event.pop("exception", None)
    facts = "".join(f" {key}={_quoted(str(value))}" for key, value in event.items())
    line = f"{timestamp} {level:<8} {_printable(str(text))}{facts}"
    return line if trace is None else "\n    ".join((line, *map(_printable, trace.splitlines())))


def _quoted(value: str) -> str:
    if BARE.match(value) and value.isprintable():
        return value
    return json.dumps(value, ensure_ascii=False)


def _printable(text: str) -> str:
    return text if text.isprintable() else json.dumps(text, ensure_ascii=False)[1:-1]
