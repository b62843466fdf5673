"""A small real HTTP server that speaks OpenAI's chat completions, in the place of the provider."""

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ANSWER = "It was shipped on Monday."
RESPONSE_MODEL = "gpt-4o-2024-08-06"
USAGE = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
TOOL_CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "lookup_order", "arguments": '{"order": "o-17"}'},
}
UNKNOWN_MODEL = "The model `gpt-unknown` does not exist."


class _Chat(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if request["model"] == "gpt-unknown":
            error = {"message": UNKNOWN_MODEL, "type": "invalid_request_error", "code": "model_not_found"}
            return self._send(404, "application/json", json.dumps({"error": error}))
        if request.get("stream"):
            return self._send(200, "text/event-stream", "".join(_chunks(request)))
        wants_tool = request.get("tools") and request["messages"][-1]["role"] != "tool"
        message = {"role": "assistant", "content": None if wants_tool else ANSWER}
        if wants_tool:
            message["tool_calls"] = [TOOL_CALL]
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if wants_tool else "stop"}
        body = {**_head("chat.completion"), "choices": [choice], "usage": USAGE}
        return self._send(200, "application/json", json.dumps(body))

    def _send(self, status, content_type, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def _head(kind):
    return {"id": "chatcmpl-1", "object": kind, "created": 1_795_000_000, "model": RESPONSE_MODEL}


def _chunks(request):
    words = ANSWER.split(" ")
    deltas = [{"role": "assistant", "content": ""}]
    deltas += [{"content": word if index == 0 else f" {word}"} for index, word in enumerate(words)]
    for delta in deltas:
        yield _event({"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
    yield _event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    if (request.get("stream_options") or {}).get("include_usage"):
        yield _event({"choices": [], "usage": USAGE})
    yield "data: [DONE]\n\n"


def _event(fields):
    return f"data: {json.dumps({**_head('chat.completion.chunk'), **fields})}\n\n"


@contextlib.contextmanager
def openai_server():
    """Serve until the block ends; yields the base URL for the `openai` package."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Chat)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
