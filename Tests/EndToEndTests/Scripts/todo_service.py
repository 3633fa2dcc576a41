"""A to-do list over HTTP, with state: what the playback tests record.  Usage: todo_service.py; prints its port."""

import http.server
import json
import socketserver


class Todo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    items = {}
    revision = 0

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def number(self):
        return int(self.path.rsplit("/", 1)[1])

    def body(self):
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def do_GET(self):
        if self.path == "/items":
            return self.answer(200, {"revision": Todo.revision, "items": Todo.items})
        item = Todo.items.get(self.number())
        self.answer(200 if item else 404, {"revision": Todo.revision, "item": item})

    def do_POST(self):
        Todo.revision += 1
        number = len(Todo.items) + 1
        Todo.items[number] = {**self.body(), "done": False}
        self.answer(201, {"id": number})

    def do_PUT(self):
        Todo.revision += 1
        Todo.items[self.number()].update(self.body())
        self.answer(200, Todo.items[self.number()])

    def do_DELETE(self):
        Todo.revision += 1
        del Todo.items[self.number()]
        self.answer(200, {})

    def log_message(self, *_):
        pass


class Threaded(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


if __name__ == "__main__":
    server = Threaded(("127.0.0.1", 0), Todo)
    print(server.server_address[1], flush=True)
    server.serve_forever()
