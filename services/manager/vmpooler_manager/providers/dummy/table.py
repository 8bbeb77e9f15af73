"""The table of VMs: one SQL statement, in a transaction of its own, for each thing that can happen to it."""

import sqlite3
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiosqlite

from vmpooler_common.model.vm import TaskKind
from vmpooler_manager.providers.contract import OwnershipTag
from vmpooler_manager.providers.dummy.database import open_database
from vmpooler_manager.providers.dummy.machine import Machine, TaskDone
from vmpooler_manager.providers.errors import PermanentError, TransientError

# The clock is read when the statement runs, not when it was queued: see `add`.
ADD = """
INSERT INTO vm (id, place, name, template, clone_target, created_at, clone_ends_at, ready_at, ready_known,
  clone_failure, tag_installation, tag_generation, tag_pool, tag_name, tag_attempt, tag_owner, tag_ends_at)
SELECT :id, :place, :name, :template, :clone_target, :created_at, :clone_ends_at, :ready_at, :ready_known,
  :clone_failure,
  :tag_installation, :tag_generation, :tag_pool, :tag_name, :tag_attempt, :tag_owner, :tag_ends_at
WHERE wall_clock() < :refused_from
RETURNING *"""

BY_ID = "SELECT * FROM vm WHERE id = :id"
BY_TAG = "SELECT * FROM vm WHERE tag_name = :name AND tag_attempt = :attempt ORDER BY number LIMIT 1"
ALL = "SELECT * FROM vm ORDER BY number"
AT_PLACE = "SELECT * FROM vm WHERE place = :place ORDER BY number"

KNOW_READY = "UPDATE vm SET ready_known = 1 WHERE id = :id RETURNING id"
RENAME = "UPDATE vm SET hostname = name || '-renamed' WHERE id = :id RETURNING id"
MOVE = "UPDATE vm SET moves = moves + 1 WHERE id = :id RETURNING *"
SWITCH_OFF = "UPDATE vm SET powered_on = 0 WHERE id = :id RETURNING id"
RETAG = """
UPDATE vm SET tag_installation = :tag_installation, tag_generation = :tag_generation, tag_pool = :tag_pool,
  tag_name = :tag_name, tag_attempt = :tag_attempt, tag_owner = :tag_owner, tag_ends_at = :tag_ends_at
WHERE id = :id RETURNING id"""
REMOVE = "DELETE FROM vm WHERE id = :id RETURNING id"

NOTE = """
INSERT INTO task (id, vm, kind, size, snapshot)
SELECT :id, vm.id, :kind, :size, :snapshot FROM vm WHERE vm.id = :vm
ON CONFLICT (vm, id) DO UPDATE SET id = id RETURNING id"""
JOURNAL = "SELECT * FROM task WHERE vm = :id ORDER BY number"

TAG_MARKS = ("tag_installation", "tag_generation", "tag_pool", "tag_name", "tag_attempt")
"""The columns without which a tag tells nothing."""


class Table:
    """The cloud's VMs. Made by `open`; any number of processes may have the same file open.

    Every method is one statement that has been committed when it returns. A call that is cancelled may
    or may not have happened. Raises TransientError when the table is busy or can't be written now,
    PermanentError when it is damaged.
    """

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection
        self._closed = False

    @classmethod
    async def open(cls, filename: Path | None) -> "Table":
        """Open the table in `filename`, or a new one in memory. Raises as `open_database` does."""
        return cls(await open_database(filename))

    async def close(self) -> None:
        """Close the database, after the statements that were already sent."""
        self._closed = True
        await self._connection.close()

    async def add(
        self, machine: Mapping[str, Any], tag: OwnershipTag, *, refused_from: float
    ) -> Machine | None:
        """Add a VM; None, and no VM, when the statement runs at `refused_from` (epoch seconds) or later."""
        rows = await self._run(ADD, {**machine, **_tag_columns(tag), "refused_from": refused_from})
        return _first(rows)

    async def get(self, id: str) -> Machine | None:  # noqa: A002 - the column's name
        """Look a VM up by its id."""
        return _first(await self._run(BY_ID, {"id": id}))

    async def find(self, name: str, attempt: str) -> Machine | None:
        """Look a VM up by its tag; the oldest, should there be several."""
        return _first(await self._run(BY_TAG, {"name": name, "attempt": attempt}))

    async def at_place(self, place: str) -> list[Machine]:
        """List every VM at `place`, oldest first."""
        return [_machine(row) for row in await self._run(AT_PLACE, {"place": place})]

    async def everywhere(self) -> list[Machine]:
        """List every VM, oldest first."""
        return [_machine(row) for row in await self._run(ALL, {})]

    async def rename(self, id: str) -> bool:  # noqa: A002
        """Give the guest another host name; False when there is no such VM."""
        return bool(await self._run(RENAME, {"id": id}))

    async def move(self, id: str) -> Machine | None:  # noqa: A002
        """Move the VM to the next host; None when there is no such VM."""
        return _first(await self._run(MOVE, {"id": id}))

    async def know_ready(self, id: str) -> bool:  # noqa: A002
        """Remember that the VM passed the readiness check; False when there is no such VM."""
        return bool(await self._run(KNOW_READY, {"id": id}))

    async def switch_off(self, id: str) -> bool:  # noqa: A002
        """Switch the VM off, for good; False when there is no such VM."""
        return bool(await self._run(SWITCH_OFF, {"id": id}))

    async def retag(self, id: str, tag: OwnershipTag) -> bool:  # noqa: A002
        """Replace the VM's tag; False when there is no such VM."""
        return bool(await self._run(RETAG, {"id": id, **_tag_columns(tag)}))

    async def note(self, id: str, task: TaskDone) -> bool:  # noqa: A002
        """Do a task to a VM, unless it was done before; False when there is no such VM."""
        return bool(
            await self._run(
                NOTE,
                {"vm": id, "id": task.id, "kind": task.kind, "size": task.size, "snapshot": task.snapshot},
            )
        )

    async def journal(self, id: str) -> list[TaskDone]:  # noqa: A002
        """List the tasks that were done to a VM, oldest first."""
        return [
            TaskDone(row["id"], TaskKind(row["kind"]), row["size"], row["snapshot"])
            for row in await self._run(JOURNAL, {"id": id})
        ]

    async def remove(self, id: str) -> bool:  # noqa: A002
        """Remove the VM; False when there is no such VM."""
        return bool(await self._run(REMOVE, {"id": id}))

    async def _run(self, statement: str, parameters: Mapping[str, Any]) -> list[sqlite3.Row]:
        if self._closed:
            raise TransientError("dummy cloud's table was closed")
        try:
            # The whole statement is one errand of the connection's thread, its rows included.
            return list(await self._connection.execute_fetchall(statement, dict(parameters)))
        except sqlite3.OperationalError as error:
            raise TransientError(f"dummy cloud's table: {error}") from error
        except sqlite3.DatabaseError as error:
            raise PermanentError(f"dummy cloud's table: {error}") from error


def _tag_columns(tag: OwnershipTag) -> dict[str, Any]:
    return {
        "tag_installation": tag.installation,
        "tag_generation": tag.generation,
        "tag_pool": tag.pool,
        "tag_name": tag.name,
        "tag_attempt": tag.attempt,
        "tag_owner": tag.owner,
        "tag_ends_at": None if tag.ends_at is None else tag.ends_at.timestamp(),
    }


def _first(rows: Iterable[sqlite3.Row]) -> Machine | None:
    return next(map(_machine, rows), None)


def _machine(row: sqlite3.Row) -> Machine:
    return Machine(
        number=row["number"],
        id=row["id"],
        place=row["place"],
        name=row["name"],
        clone_ends_at=row["clone_ends_at"],
        ready_at=row["ready_at"],
        ready_known=bool(row["ready_known"]),
        powered_on=bool(row["powered_on"]),
        clone_failure=row["clone_failure"],
        hostname=row["hostname"] or row["name"],
        moves=row["moves"],
        tag=_tag(row),
    )


def _tag(row: sqlite3.Row) -> OwnershipTag | None:
    """Read a tag; None for one that lacks a mark, so that it can't pass for ours."""
    if any(row[column] is None for column in TAG_MARKS):
        return None
    ends_at = row["tag_ends_at"]
    return OwnershipTag(
        installation=row["tag_installation"],
        generation=row["tag_generation"],
        pool=row["tag_pool"],
        name=row["tag_name"],
        attempt=row["tag_attempt"],
        owner=row["tag_owner"],
        ends_at=None if ends_at is None else datetime.fromtimestamp(ends_at, UTC),
    )
