"""One side of a connection over a socket, as ../c/listener.c: what it does is said there.

listener.py listen|connect ADDRESS
"""

import sys

from polyproc.connection import Client, Listener

KEY = b"secret"
LENGTHS = (0, 1, 1000, 65536, 1_000_000)
ROUND = bytes(range(256))


def of_python(address):
    kind, _, place = address.partition(":")
    if kind == "unix":
        return place
    host, _, port = place.removeprefix("//").rpartition(":")
    return host, int(port)


def of_others(address):
    return f"unix:{address}" if isinstance(address, str) else "tcp://{}:{}".format(*address)


def listen(address):
    with Listener(of_python(address), authkey=KEY) as listener:
        print(of_others(listener.address), flush=True)
        with listener.accept() as client:
            try:
                while True:
                    client.send_bytes(client.recv_bytes())
            except EOFError:
                pass


def connect(address):
    with Client(of_python(address), authkey=KEY) as connection:
        for length in LENGTHS:
            message = (ROUND[length % 256 :] + ROUND * (length // 256 + 1))[:length]
            connection.send_bytes(message)
            assert connection.recv_bytes() == message, f"{length} bytes came back otherwise"
    print("ok")


if __name__ == "__main__":
    {"listen": listen, "connect": connect}[sys.argv[1]](sys.argv[2])
