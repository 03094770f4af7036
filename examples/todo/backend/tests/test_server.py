import json
import threading
import unittest
from http.client import HTTPConnection
from unittest.mock import patch

from tests.test_api import Memory
from todo import server as module
from todo.api import Unavailable
from todo.server import LARGEST_BODY, Server


class ServerTest(unittest.TestCase):
    def setUp(self):
        quiet = patch.object(module, "log")
        self.logged = quiet.start()
        self.addCleanup(quiet.stop)
        self.store = Memory()
        self.server = Server(("127.0.0.1", 0), self.store, "7")
        self.addCleanup(self.server.server_close)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.addCleanup(self.server.shutdown)

    def ask(self, method, path, body=None, headers={}):
        connection = HTTPConnection(*self.server.server_address, timeout=5)
        self.addCleanup(connection.close)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None

    def test_answers_and_logs_once_with_the_request_id(self):
        answer = self.ask("POST", "/api/todos?x=1", b'{"title": "milk"}', {"x-request-id": "abc"})
        self.assertEqual(answer, (201, {"id": 1, "title": "milk", "done": False}))
        self.assertEqual(self.ask("DELETE", "/api/todos/1"), (204, None))
        first = self.logged.call_args_list[0]
        self.assertEqual(first.args, ("info", "request"))
        self.assertEqual((first.kwargs["id"], first.kwargs["status"]), ("abc", 201))

    def test_is_healthy_without_a_database_but_not_ready(self):
        self.assertEqual(self.ask("GET", "/ready"), (200, {"status": "ready"}))
        self.store.ping = self.store.all = self.fail_to_connect
        self.assertEqual(self.ask("GET", "/health"), (200, {"status": "ok", "version": "7"}))
        self.assertEqual(self.ask("GET", "/ready"), (503, {"status": "not ready", "reason": "the database: refused"}))
        self.assertEqual(self.ask("GET", "/api/todos"), (503, {"error": "the database cannot be reached"}))

    def test_is_not_ready_while_it_drains_and_stops_in_time(self):
        self.server.draining = True
        self.assertEqual(self.ask("GET", "/ready"), (503, {"status": "draining"}))
        self.assertEqual(self.ask("GET", "/api/todos"), (200, []))
        self.assertTrue(self.server.stop(5))

    def test_refuses_a_body_that_is_too_large(self):
        status, _ = self.ask("POST", "/api/todos", b"x" * (LARGEST_BODY + 1))
        self.assertEqual(status, 413)

    def fail_to_connect(self):
        raise Unavailable("refused")


if __name__ == "__main__":
    unittest.main()
