import json
import unittest

from todo.api import Answer, answer


class Memory:
    """To-dos in memory."""

    def __init__(self):
        self.todos = {}

    def all(self):
        return list(self.todos.values())

    def add(self, title):
        number = len(self.todos) + 1
        self.todos[number] = {"id": number, "title": title, "done": False}
        return self.todos[number]

    def change(self, todo, title, done):
        found = self.todos.get(todo)
        if found:
            found.update({name: value for name, value in (("title", title), ("done", done)) if value is not None})
        return found

    def remove(self, todo):
        return self.todos.pop(todo, None) is not None

    def ping(self):
        pass


class ApiTest(unittest.TestCase):
    def setUp(self):
        self.store = Memory()

    def ask(self, method, path, body=None):
        return answer(self.store, method, path, b"" if body is None else json.dumps(body).encode())

    def test_adds_lists_ticks_renames_and_deletes(self):
        milk = {"id": 1, "title": "milk", "done": False}
        self.assertEqual(self.ask("POST", "/api/todos", {"title": "  milk "}), Answer(201, milk))
        self.assertEqual(self.ask("GET", "/api/todos"), Answer(200, [milk]))
        self.assertEqual(self.ask("PATCH", "/api/todos/1", {"done": True}).body["done"], True)
        self.assertEqual(self.ask("PATCH", "/api/todos/1", {"title": "bread"}).body, {"id": 1, "title": "bread", "done": True})
        self.assertEqual(self.ask("DELETE", "/api/todos/1"), Answer(204))
        self.assertEqual(self.ask("GET", "/api/todos"), Answer(200, []))

    def test_says_what_is_wrong_with_a_request(self):
        cases = [
            ("POST", "/api/todos", {}, 400, "a to-do needs a title"),
            ("POST", "/api/todos", {"title": " "}, 400, "a title is a line of 1 to 200 characters"),
            ("POST", "/api/todos", {"title": "x" * 201}, 400, "a title is a line of 1 to 200 characters"),
            ("POST", "/api/todos", {"title": "a\nb"}, 400, "a title is a line of 1 to 200 characters"),
            ("POST", "/api/todos", {"title": "\ud800"}, 400, "a title is a line of 1 to 200 characters"),
            ("POST", "/api/todos", {"title": 1}, 400, "title has to be a string"),
            ("POST", "/api/todos", {"titel": "x"}, 400, "unknown field 'titel'; the fields are title"),
            ("POST", "/api/todos", [], 400, "the body is not a JSON object"),
            ("POST", "/api/todos", None, 400, "the body is not JSON"),
            ("PATCH", "/api/todos/1", {"done": 1}, 400, "done has to be true or false"),
            ("PATCH", "/api/todos/9", {"done": True}, 404, "there is no to-do 9"),
            ("DELETE", "/api/todos/9", None, 404, "there is no to-do 9"),
            ("PUT", "/api/todos", None, 405, "/api/todos takes GET and POST, not PUT"),
            ("GET", "/api/other", None, 404, "there is no /api/other"),
        ]
        for method, path, body, status, message in cases:
            with self.subTest(method=method, path=path, body=body):
                self.assertEqual(self.ask(method, path, body), Answer(status, {"error": message}))


if __name__ == "__main__":
    unittest.main()
