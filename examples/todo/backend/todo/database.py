"""To-dos in PostgreSQL."""

import queue
import threading
from contextlib import contextmanager
from pathlib import Path

from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import Connection

from .api import Unavailable
from .log import log

# Every answer of the database is waited for this long at most.
TIMEOUT_SECONDS = 5
CONNECTIONS = 5
# Any number, the same in every replica: who holds this lock migrates, the others wait.
MIGRATION_LOCK = 8001
# Classes of SQLSTATE that pass by themselves: connection failure, insufficient resources, operator intervention.
PASSING = ("08", "53", "57")

COLUMNS = "id, title, done"


class Database:
    """A pool of connections. Its methods raise Unavailable while PostgreSQL cannot be reached."""

    def __init__(self, **connection: object):
        self._settings = connection
        self._idle: queue.LifoQueue[Connection] = queue.LifoQueue()
        self._free = threading.BoundedSemaphore(CONNECTIONS)

    def ping(self) -> None:
        """Asks for the table itself, so that a database that is not migrated yet does not count as there."""
        self._run("SELECT FROM todos LIMIT 1")

    def migrate(self, folder: Path) -> None:
        """Applies the files of the folder that were not applied yet, in the order of their names, all or none."""
        with self._connection() as connection:
            connection.run("BEGIN")
            connection.run(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
            connection.run(
                "CREATE TABLE IF NOT EXISTS schema_migrations"
                " (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
            )
            applied = {name for (name,) in connection.run("SELECT name FROM schema_migrations")}
            for file in sorted(folder.glob("*.sql")):
                if file.name not in applied:
                    connection.run(file.read_text())
                    connection.run("INSERT INTO schema_migrations (name) VALUES (:name)", name=file.name)
                    log("info", "migrated", migration=file.name)
            connection.run("COMMIT")

    def all(self) -> list[dict]:
        return self._run(f"SELECT {COLUMNS} FROM todos ORDER BY id")

    def add(self, title: str) -> dict:
        return self._run(f"INSERT INTO todos (title) VALUES (:title) RETURNING {COLUMNS}", title=title)[0]

    def change(self, todo: int, title: str | None, done: bool | None) -> dict | None:
        rows = self._run(
            "UPDATE todos SET title = coalesce(CAST(:title AS text), title), done = coalesce(CAST(:done AS boolean), done)"
            f" WHERE id = CAST(:id AS bigint) RETURNING {COLUMNS}",
            id=todo,
            title=title,
            done=done,
        )
        return rows[0] if rows else None

    def remove(self, todo: int) -> bool:
        return bool(self._run("DELETE FROM todos WHERE id = CAST(:id AS bigint) RETURNING id", id=todo))

    def _run(self, statement: str, **parameters: object) -> list[dict]:
        with self._connection() as connection:
            rows = connection.run(statement, **parameters) or []
            names = [column["name"] for column in connection.columns or []]
            return [dict(zip(names, row)) for row in rows]

    @contextmanager
    def _connection(self):
        if not self._free.acquire(timeout=TIMEOUT_SECONDS):
            raise Unavailable("every connection to the database is busy")
        try:
            connection = self._take()
            try:
                yield connection
            except BaseException:
                # Whatever state it is in: the next one gets another.
                close(connection)
                raise
            self._idle.put(connection)
        except (InterfaceError, OSError) as error:
            # The server went away; the idle connections led to the same one.
            self._drop_idle()
            raise Unavailable(str(error)) from error
        except DatabaseError as error:
            state, message = error.args[0].get("C", ""), error.args[0].get("M", "")
            if state.startswith(PASSING):
                self._drop_idle()
                raise Unavailable(message) from error
            raise
        finally:
            self._free.release()

    def _take(self) -> Connection:
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            return Connection(**self._settings, timeout=TIMEOUT_SECONDS, application_name="todo")

    def _drop_idle(self) -> None:
        while True:
            try:
                close(self._idle.get_nowait())
            except queue.Empty:
                return


def close(connection: Connection) -> None:
    try:
        connection.close()
    except (InterfaceError, OSError):
        pass
