"""HTTP in front of the API."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from . import api
from .log import log

LARGEST_BODY = 16 * 1024
# How long a client may take to send its request.
TIMEOUT_SECONDS = 10
QUIET = ("/health", "/ready")


class Server(ThreadingHTTPServer):
    """Serves the store until it is drained. `version` is what /health shows."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], store, version: str):
        super().__init__(address, Handler)
        self.store = store
        self.version = version
        self.draining = False
        self._running = 0
        self._changed = threading.Condition()

    def process_request_thread(self, request, client_address):
        with self._changed:
            self._running += 1
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def stop(self, seconds: float) -> bool:
        """Takes no more connections, and waits for the answers on the way. Whether all were given in time."""
        self.shutdown()
        with self._changed:
            return self._changed.wait_for(lambda: self._running == 0, seconds)


class Handler(BaseHTTPRequestHandler):
    # HTTP/1.0, the default: a connection for each request, so none is cut while a client believes it open.
    timeout = TIMEOUT_SECONDS
    server: Server

    def handle_one_request(self):
        self.start = time.monotonic()
        super().handle_one_request()

    def do_GET(self):
        self.serve()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def serve(self):
        path = self.path.split("?")[0]
        if path == "/health":
            answer = api.Answer(200, {"status": "ok", "version": self.server.version})
        elif path == "/ready":
            answer = self.readiness()
        else:
            answer = self.api_answer(path)
        self.send(answer)
        if path not in QUIET:
            self.log_answer(path, answer.status)

    def readiness(self) -> api.Answer:
        if self.server.draining:
            return api.Answer(503, {"status": "draining"})
        try:
            self.server.store.ping()
        except Exception as error:
            return api.Answer(503, {"status": "not ready", "reason": f"the database: {error}"})
        return api.Answer(200, {"status": "ready"})

    def api_answer(self, path: str) -> api.Answer:
        length = self.headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            return api.Answer(413, {"error": f"a body has at most {LARGEST_BODY} bytes, and says how many"})
        try:
            return api.answer(self.server.store, self.command, path, self.rfile.read(int(length)))
        except api.Unavailable as error:
            log("error", "the database cannot be reached", reason=error)
            return api.Answer(503, {"error": "the database cannot be reached"})
        except Exception as error:
            log("error", "unexpected", error=repr(error))
            return api.Answer(500, {"error": "something went wrong on the server"})

    def send(self, answer: api.Answer):
        body = b"" if answer.body is None else json.dumps(answer.body).encode()
        self.send_response(answer.status)
        if body:
            self.send_header("content-type", "application/json")
        if answer.status != 204:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_answer(self, path: str, status: int):
        log(
            "error" if status >= 500 else "info",
            "request",
            id=self.headers.get("x-request-id"),
            method=self.command,
            path=path,
            status=status,
            milliseconds=round((time.monotonic() - self.start) * 1000),
        )

    def log_request(self, code="-", size="-"):
        """Requests are logged once, by `log_answer`."""

    def log_message(self, format, *args):
        log("warning", format % args)
