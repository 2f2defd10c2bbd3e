"""A peer of CPython's multiprocessing.connection, for tests/python.

    peer.py listen <address> <key>    echo what each client sends; prints the address first
    peer.py connect <address> <key>   send messages of every length, and compare what comes back

The key is "-" for none. With PEER_SPEAKS=3.12 it challenges and answers as Python does since 3.12.
"""

import hmac
import os
import sys
from multiprocessing import AuthenticationError, connection

LENGTHS = [0, 1, 16_384, 16_385, 20 << 20]


def message(length):
    return bytes(range(251)) * (length // 251) + bytes(length % 251)


def as_python_wants_it(address):
    """And its family."""
    if address.startswith("unix:@"):
        return "\0" + address[6:], "AF_UNIX"
    if address.startswith("unix:"):
        return address[5:], "AF_UNIX"
    host, port = address[6:].rsplit(":", 1)
    return (host.strip("[]"), int(port)), "AF_INET"


def challenge(conn, key):
    text = b"{sha256}" + os.urandom(40)
    conn.send_bytes(b"#CHALLENGE#" + text)
    answer = conn.recv_bytes(256)
    if not hmac.compare_digest(answer, b"{sha256}" + hmac.digest(key, text, "sha256")):
        conn.send_bytes(b"#FAILURE#")
        raise AuthenticationError("digest received was wrong")
    conn.send_bytes(b"#WELCOME#")


def answer(conn, key):
    text = conn.recv_bytes(256)
    assert text.startswith(b"#CHALLENGE#{sha256}"), text
    text = text[len(b"#CHALLENGE#") :]
    conn.send_bytes(b"{sha256}" + hmac.digest(key, text, "sha256"))
    if conn.recv_bytes(256) != b"#WELCOME#":
        raise AuthenticationError("digest sent was rejected")


def listen(address, key):
    address, family = as_python_wants_it(address)
    with connection.Listener(address, family, authkey=key) as listener:
        address = listener.address
        if family == "AF_INET":
            print(f"tcp://{address[0]}:{address[1]}", flush=True)
        else:
            # An abstract one is bytes.
            print("unix:" + os.fsdecode(address).replace("\0", "@"), flush=True)
        while True:
            try:
                conn = listener.accept()
            except AuthenticationError:
                print("AuthenticationError", flush=True)
                continue
            with conn:
                try:
                    while True:
                        conn.send_bytes(conn.recv_bytes())
                except EOFError:
                    print("EOFError", flush=True)


def connect(address, key):
    address, family = as_python_wants_it(address)
    try:
        conn = connection.Client(address, family, authkey=key)
    except AuthenticationError:
        print("AuthenticationError", flush=True)
        return
    with conn:
        for length in LENGTHS:
            conn.send_bytes(message(length))
            assert conn.recv_bytes() == message(length), length
        conn.send(["hello", 88, b"World!"])
        assert conn.recv() == ["hello", 88, b"World!"]
    print("echoed", flush=True)


if __name__ == "__main__":
    if os.environ.get("PEER_SPEAKS") == "3.12":
        connection.deliver_challenge = challenge
        connection.answer_challenge = answer
    role, address, key = sys.argv[1:]
    key = None if key == "-" else key.encode()
    {"listen": listen, "connect": connect}[role](address, key)
