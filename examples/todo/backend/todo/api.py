"""What the API answers, apart from HTTP and from PostgreSQL."""

import json
import re
from typing import Any, NamedTuple, Protocol

LONGEST_TITLE = 200
LARGEST_ID = 2**63 - 1
# Control characters, and halves of characters, which no database takes.
NOT_TEXT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
TODO_PATH = re.compile(r"/api/todos/([0-9]{1,19})")


class Unavailable(Exception):
    """The database cannot be reached now; trying again later may work."""


class Refused(Exception):
    """The request is wrong, and why."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


class Answer(NamedTuple):
    status: int
    body: Any = None


class Store(Protocol):
    """Where to-dos are kept. A to-do is a dict with id, title and done."""

    def all(self) -> list[dict]: ...
    def add(self, title: str) -> dict: ...
    def change(self, todo: int, title: str | None, done: bool | None) -> dict | None:
        """The changed to-do, or None where there is none. What is None stays as it is."""
    def remove(self, todo: int) -> bool: ...


def answer(store: Store, method: str, path: str, body: bytes) -> Answer:
    """The answer to a request. Raises Unavailable where the store does."""
    try:
        if path == "/api/todos":
            return collection(store, method, body)
        if match := TODO_PATH.fullmatch(path):
            return member(store, method, min(int(match[1]), LARGEST_ID), body)
        raise Refused(404, f"there is no {path}")
    except Refused as refused:
        return Answer(refused.status, {"error": str(refused)})


def collection(store: Store, method: str, body: bytes) -> Answer:
    if method == "GET":
        return Answer(200, store.all())
    if method == "POST":
        fields = read(body, {"title": str})
        if "title" not in fields:
            raise Refused(400, "a to-do needs a title")
        return Answer(201, store.add(checked_title(fields["title"])))
    raise Refused(405, f"/api/todos takes GET and POST, not {method}")


def member(store: Store, method: str, todo: int, body: bytes) -> Answer:
    if method == "PATCH":
        fields = read(body, {"title": str, "done": bool})
        title = checked_title(fields["title"]) if "title" in fields else None
        changed = store.change(todo, title, fields.get("done"))
    elif method == "DELETE":
        changed = store.remove(todo)
    else:
        raise Refused(405, f"a to-do takes PATCH and DELETE, not {method}")
    if not changed:
        raise Refused(404, f"there is no to-do {todo}")
    return Answer(204) if method == "DELETE" else Answer(200, changed)


def read(body: bytes, known: dict[str, type]) -> dict:
    """The fields of a JSON object, each of its known type."""
    try:
        fields = json.loads(body)
    except ValueError:
        raise Refused(400, "the body is not JSON") from None
    if not isinstance(fields, dict):
        raise Refused(400, "the body is not a JSON object")
    for name, value in fields.items():
        if name not in known:
            raise Refused(400, f"unknown field {name!r}; the fields are {', '.join(known)}")
        if type(value) is not known[name]:
            raise Refused(400, f"{name} has to be {'a string' if known[name] is str else 'true or false'}")
    return fields


def checked_title(title: str) -> str:
    title = title.strip()
    if not title or len(title) > LONGEST_TITLE or NOT_TEXT.search(title):
        raise Refused(400, f"a title is a line of 1 to {LONGEST_TITLE} characters")
    return title
