// A server that echoes. A client with the key is served until it leaves, then the next one; a
// client without the key is refused and delays no other. Its clients are the programs of
// echo_client, and any of Python:
//
//     from multiprocessing.connection import Client
//     conn = Client(('127.0.0.1', port), authkey=b'Hello World!')
//
//     echo_server [milliseconds of a second] [address] [how many clients, 0: for ever]
#include "example.hpp"

// Sends back each message, until the client leaves.
static void echo(polyproc::connection client) {
  try {
    for (;;) client.send(client.recv());
  } catch (const polyproc::end_of_file &) {
  }
}

int main(int argc, char **argv) {
  return example::run(argc, argv, [&] {
    const std::string where = argc > 2 ? argv[2] : "tcp://127.0.0.1:0";
    const long clients = argc > 3 ? std::strtol(argv[3], nullptr, 10) : 0;
    polyproc::listener_options options;
    options.authkey = "Hello World!";
    auto listener = polyproc::listener::create(where, options);
    std::printf("listening at %s\n", listener.address().c_str());

    for (long n = 1; clients == 0 || n <= clients; n++) {
      auto client = listener.accept();
      std::printf("client %ld comes\n", n);
      echo(std::move(client));
      std::printf("client %ld leaves\n", n);
    }
  });
}
