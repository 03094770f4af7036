"""Starts the back end, and stops it without losing a request."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

from pg8000.exceptions import DatabaseError

from .api import Unavailable
from .database import Database
from .log import log
from .server import Server

MIGRATIONS = Path(__file__).parent.parent / "migrations"
LONGEST_DELAY_SECONDS = 5
# After the drain, for the answers on the way.
STOP_SECONDS = 5


def main() -> int:
    environment = os.environ.get
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: stopping.set())

    database = Database(
        host=environment("DATABASE_HOST", "localhost"),
        port=int(environment("DATABASE_PORT", "5432")),
        database=environment("DATABASE_NAME", "todo"),
        user=environment("DATABASE_USER", "todo"),
        password=environment("DATABASE_PASSWORD"),
    )
    port, version = int(environment("PORT", "8001")), environment("APP_VERSION", "dev")
    server = Server(("", port), database, version)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    log("info", "listening", port=port, version=version)

    try:
        migrate(database, stopping, float(environment("DATABASE_WAIT_SECONDS", "60")))
    except (Unavailable, DatabaseError) as error:
        log("error", "the database cannot be used", reason=error)
        return 1
    stopping.wait()

    log("info", "stopping")
    # Until every proxy knows that this pod is leaving, requests still come: answer them.
    server.draining = True
    time.sleep(float(environment("DRAIN_SECONDS", "5")))
    in_time = server.stop(STOP_SECONDS)
    log("info" if in_time else "warning", "stopped" if in_time else "stopped with requests unanswered")
    return 0


def migrate(database: Database, stopping: threading.Event, patience: float) -> None:
    """Migrates as soon as the database is there; it may start later than this program, up to `patience` seconds."""
    deadline = time.monotonic() + patience
    delay = 0.25
    while not stopping.is_set():
        try:
            return database.migrate(MIGRATIONS)
        except Unavailable as error:
            if time.monotonic() > deadline:
                raise
            log("warning", "waiting for the database", reason=error)
        stopping.wait(delay)
        delay = min(delay * 2, LONGEST_DELAY_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
