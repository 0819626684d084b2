"""Reads live updates as any client of server-sent events would, after the WHATWG's text."""
import json
import threading
import time

import requests


class Event:
    """One event: its id (the last one given so far), its name and its data."""

    def __init__(self, identity, name, data):
        self.id, self.name, self.data = identity, name, json.loads(data)

    def __repr__(self):
        return f"{self.name} {self.id}"


class Watch:
    """GET /v1/stream in a thread of its own, from __enter__ to __exit__."""

    def __init__(self, slipway, topics, who="rel", last=None):
        headers = {"Authorization": f"Bearer {slipway.stage.tokens[who]}"}
        if last:
            headers["Last-Event-ID"] = last
        self.url = f"{slipway.stage.gateway_url}/v1/stream?topics={topics}"
        self.headers, self.events, self.came = headers, [], threading.Condition()
        self.over = False

    def __enter__(self):
        self.answer = requests.get(self.url, headers=self.headers, stream=True, timeout=60)
        assert self.answer.status_code == 200, self.answer.text
        assert self.answer.headers["Content-Type"] == "text/event-stream"
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()
        self.wait(lambda e: e.name == "hello")
        return self

    def __exit__(self, *_):
        self.answer.raw._fp.fp.raw._sock.shutdown(2)  # the reader sits in recv
        self.thread.join(30)
        self.answer.close()

    def read(self):
        identity, name, data = None, "message", []
        try:
            for line in self.answer.iter_lines(chunk_size=1, decode_unicode=True):
                field, _, value = line.partition(": ")
                if line == "":
                    if data:
                        self.add(Event(identity, name, "\n".join(data)))
                    name, data = "message", []
                elif field == "id":
                    identity = value
                elif field == "event":
                    name = value
                elif field == "data":
                    data.append(value)
        except (requests.RequestException, OSError):
            pass
        with self.came:
            self.over = True
            self.came.notify_all()

    def add(self, event):
        with self.came:
            self.events.append(event)
            self.came.notify_all()

    def wait(self, wanted, seconds=90):
        """The first event, of those there are and those to come, for which wanted() holds."""
        end, seen = time.monotonic() + seconds, 0
        with self.came:
            while True:
                for event in self.events[seen:]:
                    if wanted(event):
                        return event
                seen = len(self.events)
                assert not self.over, f"the stream ended; {self.events[-20:]}"
                left = end - time.monotonic()
                assert left > 0, f"waited {seconds} s; {self.events[-20:]}"
                self.came.wait(left)

    def last(self):
        """The id to come back with."""
        with self.came:
            return self.events[-1].id

    def news(self):
        """What was told, but for greetings and signs of life."""
        with self.came:
            return [e for e in self.events if e.name not in ("hello", "ping")]
