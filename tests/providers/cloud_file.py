"""Reaches into the dummy cloud from outside: opens its SQLite file as a person with a tool would."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any


class CloudFile:
    """The file of a dummy provider. Each method opens and closes it; others may have it open."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def vms(self) -> list[dict[str, Any]]:
        """Read every VM, oldest first, by the names of the columns; none when there is no table yet."""
        if not self._path.exists():
            return []
        with closing(self._open()) as database:
            known = database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'vm'").fetchone()
            if not known[0]:
                return []
            return [dict(row) for row in database.execute("SELECT * FROM vm ORDER BY number")]

    def vm(self, id: str) -> dict[str, Any]:  # noqa: A002 - the column's name
        """Read one VM."""
        [found] = [vm for vm in self.vms() if vm["id"] == id]
        return found

    def tasks(self, vm: str) -> list[tuple[str, str]]:
        """Read what was done to a VM by its id, oldest first: the kind of the task and the task's id."""
        with closing(self._open()) as database:
            rows = database.execute("SELECT kind, id FROM task WHERE vm = ? ORDER BY number", (vm,))
            return [(row["kind"], row["id"]) for row in rows]

    def disks(self, vm: str) -> list[int]:
        """Read the sizes in GB of all disks that were ever added to a VM."""
        with closing(self._open()) as database:
            rows = database.execute(
                "SELECT size FROM task WHERE vm = ? AND kind = 'disk' ORDER BY number", (vm,)
            )
            return [row["size"] for row in rows]

    def is_locked(self) -> bool:
        """Tell whether somebody keeps others from writing, for longer than any change takes."""
        with closing(sqlite3.connect(self._path, timeout=0.3)) as database:
            try:
                database.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return True
        return False

    def change(self, id: str, **columns: Any) -> None:  # noqa: A002
        """Set columns of one VM, for example `clone_ends_at` in epoch seconds or `powered_on`."""
        settings = ", ".join(f"{column} = :{column}" for column in columns)
        with closing(self._open()) as database, database:
            database.execute(f"UPDATE vm SET {settings} WHERE id = :id", {**columns, "id": id})  # noqa: S608

    def add_foreign_vm(self, id: str, *, place: str, name: str) -> None:  # noqa: A002
        """Add a VM that somebody else made: it has no tag."""
        with closing(self._open()) as database, database:
            database.execute(
                "INSERT INTO vm (id, place, name, template, created_at, clone_ends_at, ready_at)"
                " VALUES (?, ?, ?, 'theirs', 0, 0, 0)",
                (id, place, name),
            )

    def remove(self, id: str) -> None:  # noqa: A002
        """Remove one VM behind everybody's back."""
        with closing(self._open()) as database, database:
            database.execute("DELETE FROM vm WHERE id = ?", (id,))

    def damage(self) -> str:
        """Let SQLite check the file; "ok" when it is whole."""
        with closing(self._open()) as database:
            return str(database.execute("PRAGMA integrity_check").fetchone()[0])

    def _open(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path, timeout=10)
        database.row_factory = sqlite3.Row
        return database
