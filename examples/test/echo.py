"""CPython as the peer of echo_server and echo_client: what each prints is what contract.md says of them.

    echo.py echo_server <ms> <address> <clients>
    echo.py echo_client <ms> <address> <key>
"""

import sys
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Listener

LIST = '["hello", 88, "World!"]'


def split(address):
    host, port = address.removeprefix("tcp://").rsplit(":", 1)
    return host, int(port)


def say(line):
    print(line, flush=True)


def echo_server(address, clients):
    with Listener(split(address), authkey=b"Hello World!") as listener:
        say("listening at tcp://%s:%d" % listener.address)
        n = 1
        while n <= int(clients):
            try:
                client = listener.accept()
            except AuthenticationError:
                continue
            with client:
                say(f"client {n} comes")
                try:
                    while True:
                        client.send_bytes(client.recv_bytes())
                except EOFError:
                    say(f"client {n} leaves")
            n += 1


def echo_client(address, key):
    try:
        server = Client(split(address), authkey=key.encode())
    except AuthenticationError:
        say("refused: the key is wrong")
        return
    with server:
        say(f"sends {LIST}")
        server.send_bytes(LIST.encode())
        say(f"gets {server.recv_bytes().decode()}")


{"echo_server": echo_server, "echo_client": echo_client}[sys.argv[1]](*sys.argv[3:])
