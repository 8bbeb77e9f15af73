"""The SQLite database that the dummy cloud lives in: which file, whose file, and how it is opened."""

import asyncio
import sqlite3
import time
from pathlib import Path

import aiosqlite
import structlog

from vmpooler_common.model.events import EventName
from vmpooler_manager.providers.errors import PermanentError, TransientError

APPLICATION_ID = 0x766D7064
"""Marks a database as ours in its file header: "vmpd"."""
SCHEMA_VERSION = 4

BUSY_TIMEOUT = 1.5
"""Seconds that a statement waits for another process's write."""
OPENING_TIMEOUT = 10.0
"""Seconds in which the database must be opened, however many managers start at once."""

SQLITE_MAGIC = b"SQLite format 3\x00"
YAML_START = b"---"
"""How every backing file of vmpooler 3.x begins."""

VMS = """
CREATE TABLE vm (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  place TEXT NOT NULL,
  name TEXT NOT NULL,
  template TEXT NOT NULL,
  created_at REAL NOT NULL,
  clone_ends_at REAL NOT NULL,
  ready_at REAL NOT NULL,
  ready_known INTEGER NOT NULL DEFAULT 1,
  powered_on INTEGER NOT NULL DEFAULT 1,
  tag_installation TEXT,
  tag_generation TEXT,
  tag_pool TEXT,
  tag_name TEXT,
  tag_attempt TEXT,
  tag_owner TEXT,
  tag_ends_at REAL
);
CREATE INDEX vm_by_place ON vm (place);
CREATE INDEX vm_by_tag ON vm (tag_name, tag_attempt);
"""
TASKS = """
CREATE TABLE task (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  vm TEXT NOT NULL REFERENCES vm (id) ON DELETE CASCADE,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  size INTEGER NOT NULL,
  snapshot TEXT NOT NULL,
  UNIQUE (vm, id)
);
"""
TARGETS = "ALTER TABLE vm ADD COLUMN clone_target TEXT;\n"
GUESTS = """
ALTER TABLE vm ADD COLUMN clone_failure TEXT;
ALTER TABLE vm ADD COLUMN hostname TEXT;
ALTER TABLE vm ADD COLUMN moves INTEGER NOT NULL DEFAULT 0;
"""
STEPS = (VMS, TASKS, TARGETS, GUESTS)
"""What each version of the schema added; a file of an older version gets what it lacks."""


async def open_database(filename: Path | None) -> aiosqlite.Connection:
    """Open the table, made when it doesn't exist; in memory when `filename` is None.

    The connection commits each statement by itself and knows the SQL function `wall_clock()`, epoch
    seconds now. A file that isn't ours is never written to: beside the YAML file of a vmpooler 3.x a
    new database is opened, anything else is refused.

    Raises PermanentError when the file can't be used, TransientError when other processes kept it busy.
    """
    path = ":memory:" if filename is None else await asyncio.to_thread(_usable_path, filename)
    connection = aiosqlite.connect(path, timeout=BUSY_TIMEOUT, isolation_level=None)
    # A process that dies of an error doesn't come to close its tables. It must end all the same, and Python
    # waits for any thread that isn't a daemon; a statement that this cuts off is as if never begun.
    connection._thread.daemon = True
    try:
        await connection
    except sqlite3.OperationalError as error:
        raise PermanentError(f"dummy cloud: can't open {path}: {error}") from error
    ready = False
    try:
        await _prepare(connection, path)
        ready = True
    except sqlite3.DatabaseError as error:
        raise PermanentError(f"dummy cloud: can't use {path}: {error}") from error
    finally:
        if not ready:
            await connection.close()
    return connection


def _usable_path(filename: Path) -> str:
    beside = filename.with_name(filename.name + ".sqlite3")
    try:
        # Once a database stands beside it stays in use, whatever becomes of the old file.
        if beside.exists():
            return str(beside)
        if not filename.exists():
            return str(filename)
        with filename.open("rb") as file:
            start = file.read(len(SQLITE_MAGIC))
    except OSError as error:
        raise PermanentError(f"dummy cloud: can't read {filename}: {error.strerror}") from error
    if start in (b"", SQLITE_MAGIC):
        return str(filename)
    if start.startswith(YAML_START):
        structlog.get_logger().warning(
            EventName.PROVIDER_WARNING,
            message="the VMs of a vmpooler 3.x file are left alone; a database beside it is used",
            filename=str(filename),
            database=str(beside),
        )
        return str(beside)
    raise PermanentError(
        f"dummy cloud: {filename} holds something else: the name of a file of its own, "
        "or of one that doesn't exist yet, was expected"
    )


async def _prepare(connection: aiosqlite.Connection, path: str) -> None:
    # SQLite refuses a change of the journal mode at once, without its usual wait, while another process
    # makes the same change.
    deadline = time.monotonic() + OPENING_TIMEOUT
    while True:
        try:
            await _claim(connection, path)
            await connection.execute_fetchall("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            if time.monotonic() > deadline:
                raise TransientError(f"dummy cloud: {path} is kept busy by other processes") from error
            await asyncio.sleep(0.02)
    # With WAL a commit survives the death of the process; only a power cut can take the last ones back.
    await connection.execute_fetchall("PRAGMA synchronous = NORMAL")
    await connection.execute_fetchall("PRAGMA foreign_keys = ON")
    connection.row_factory = sqlite3.Row
    await connection.create_function("wall_clock", 0, time.time)


async def _claim(connection: aiosqlite.Connection, path: str) -> None:
    """Make the schema in an empty database or complete an older one; see that it is ours and known to us."""
    await connection.execute_fetchall("BEGIN IMMEDIATE")
    finished = False
    try:
        [[tables]] = await connection.execute_fetchall("SELECT count(*) FROM sqlite_master")
        [[application]] = await connection.execute_fetchall("PRAGMA application_id")
        [[version]] = await connection.execute_fetchall("PRAGMA user_version")
        if tables and application != APPLICATION_ID:
            raise PermanentError(f"dummy cloud: {path} is a database of another program")
        if version > SCHEMA_VERSION:
            raise PermanentError(
                f"dummy cloud: {path} has schema {version}, this vmpooler knows {SCHEMA_VERSION}"
            )
        if version < SCHEMA_VERSION:
            for statement in "".join(STEPS[version:]).split(";"):
                await connection.execute_fetchall(statement)
            await connection.execute_fetchall(f"PRAGMA application_id = {APPLICATION_ID}")
            await connection.execute_fetchall(f"PRAGMA user_version = {SCHEMA_VERSION}")
        finished = True
    finally:
        await connection.execute_fetchall("COMMIT" if finished else "ROLLBACK")
