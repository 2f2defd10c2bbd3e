"""The other side of the connection tests: CPython's own multiprocessing.connection.

peer.py client ADDRESS KEY    echoes what the listener sends until the end of the stream peer.py
listener FAMILY KEY   prints where it listens, and echoes to one client after the other

KEY "-" is none. An address is host:port or a path; the path of an abstract one begins with @.
"""
import sys
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Listener


def address_of(text):
    host, _, port = text.rpartition(":")
    return (host, int(port)) if host and "/" not in text else text.replace("@", "\0", 1)


def echo(connection):
    try:
        while True:
            connection.send_bytes(connection.recv_bytes())
    except (EOFError, ConnectionResetError):
        connection.close()


def client(address, key):
    try:
        connection = Client(address_of(address), authkey=key)
    except AuthenticationError as error:
        print("refused:", error, flush=True)
        return
    print("connected", flush=True)
    echo(connection)


def listener(family, key):
    place = ("127.0.0.1", 0) if family == "AF_INET" else None
    with Listener(place, family, authkey=key) as listening:
        address = listening.address
        print(address if isinstance(address, str) else "%s:%d" % address, flush=True)
        while True:
            try:
                echo(listening.accept())
            except (AuthenticationError, EOFError, ConnectionResetError) as error:
                print("refused:", type(error).__name__, flush=True)


role, where, key = sys.argv[1:]
{"client": client, "listener": listener}[role](where, None if key == "-" else key.encode())
