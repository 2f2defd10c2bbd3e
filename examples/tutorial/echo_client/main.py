"""A client of echo_server: sends a list and prints what comes back.

python echo_client/main.py [milliseconds of a second] [address] [key]
"""

import sys
from functools import partial

from polyproc import AuthenticationError
from polyproc.connection import Client

print = partial(print, flush=True)


def place(address):
    host, port = address.removeprefix("tcp://").rsplit(":", 1)
    return host, int(port)


if __name__ == "__main__":
    address = sys.argv[2] if len(sys.argv) > 2 else "tcp://127.0.0.1:6000"
    key = sys.argv[3] if len(sys.argv) > 3 else "Hello World!"
    message = '["hello", 88, "World!"]'
    try:
        server = Client(place(address), authkey=key.encode())
    except AuthenticationError:
        print("refused: the key is wrong")
        sys.exit()
    with server:
        print(f"sends {message}")
        server.send_bytes(message.encode())
        print(f"gets {server.recv_bytes().decode()}")
