"""The other ends of channels, in a container: ticket system and webhook receiver at 8200, mail at
8225, and the wiki that features link to at 8300."""
import functools
import pathlib
import signal
import threading
from http.server import ThreadingHTTPServer

import desk
import shopkeeper

SECRETS = pathlib.Path("/etc/slipway")
WIKI = "/srv/wiki"


def main():
    closed = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: closed.set())
    known = desk.Desk((SECRETS / "jira.token").read_text(),
                      desk.webhook_key((SECRETS / "hook.secret").read_text()))
    _, _, stop = desk.start(known, "0.0.0.0", 8200, 8225)
    wiki = ThreadingHTTPServer(("0.0.0.0", 8300),
                               functools.partial(shopkeeper.Wiki, directory=WIKI))
    threading.Thread(target=wiki.serve_forever, daemon=True).start()
    print("the desk is open", flush=True)
    closed.wait()
    stop()
    wiki.shutdown()


if __name__ == "__main__":
    main()
