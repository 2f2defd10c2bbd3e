// A client of echo_server, or of any Listener of Python that echoes: sends a list and prints what
// comes back.
//
//     echo_client [milliseconds of a second] [address] [key]
#include "example.hpp"

int main(int argc, char **argv) {
  return example::run(argc, argv, [&] {
    const std::string address = argc > 2 ? argv[2] : "tcp://127.0.0.1:6000";
    const std::string list = R"(["hello", 88, "World!"])";
    polyproc::listener_options options;
    options.authkey = argc > 3 ? argv[3] : "Hello World!";
    try {
      auto server = polyproc::connect(address, options, example::seconds(60));
      std::printf("sends %s\n", list.c_str());
      server.send(list);
      std::printf("gets %s\n", server.recv().c_str());
    } catch (const polyproc::auth &) {
      std::puts("refused: the key is wrong");
    }
  });
}
