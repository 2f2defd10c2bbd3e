"""A server that echoes. A client with the key is served until it leaves, then the next one; a
client without the key is refused and holds up nobody.

    python echo_server/main.py [milliseconds of a second] [address] [how many clients, 0: for ever]
"""

import sys
from functools import partial

from polyproc import AuthenticationError
from polyproc.connection import Listener

print = partial(print, flush=True)


def place(address):
    host, port = address.removeprefix("tcp://").rsplit(":", 1)
    return host, int(port)


if __name__ == "__main__":
    where = sys.argv[2] if len(sys.argv) > 2 else "tcp://127.0.0.1:0"
    clients = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    with Listener(place(where), authkey=b"Hello World!") as listener:
        print("listening at tcp://{}:{}".format(*listener.address))
        n = 0
        while clients == 0 or n < clients:
            try:
                client = listener.accept()
            except (AuthenticationError, EOFError, ConnectionError):
                continue
            n += 1
            print(f"client {n} comes")
            with client:
                try:
                    while True:
                        client.send_bytes(client.recv_bytes())
                except EOFError:
                    print(f"client {n} leaves")
