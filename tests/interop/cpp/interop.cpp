// One end of a pair, as interop.c is: what the messages are is said there.
//
//     interop produce|consume QUEUE COUNT SEED
#include <cinttypes>
#include <cstdio>
#include <iostream>
#include <polyproc.hpp>

namespace {

std::uint64_t next(std::uint64_t &state) {
  std::uint64_t z = (state += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

void append_little_endian(std::string &to, std::uint64_t value) {
  for (int byte = 0; byte < 8; byte++) to.push_back(char(value >> 8 * byte));
}

std::string make_message(std::uint64_t seed, std::uint64_t index) {
  std::uint64_t state = seed + index;
  const auto length = std::size_t(next(state) % 100001);
  std::string out;
  append_little_endian(out, index);
  while (out.size() < length) append_little_endian(out, next(state));
  out.resize(length);
  return out;
}

void produce(polyproc::queue &queue, std::uint64_t count, std::uint64_t seed) {
  for (std::uint64_t i = 0; i < count; i++) queue.put(make_message(seed, i));
}

void consume(polyproc::queue &queue, std::uint64_t count, std::uint64_t seed) {
  std::uint64_t hash = 0xCBF29CE484222325u;
  for (std::uint64_t i = 0; i < count; i++) {
    const auto message = queue.get();
    if (message != make_message(seed, i)) {
      throw std::runtime_error("message " + std::to_string(i) + " is not what was put");
    }
    for (const char byte : message) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001B3u;
  }
  std::printf("ok %" PRIu64 " %016" PRIx64 "\n", count, hash);
}

}  // namespace

int main(int argc, char **argv) {
  const std::string role = argc == 5 ? argv[1] : "";
  if (role != "produce" && role != "consume") {
    std::cerr << "usage: interop produce|consume QUEUE COUNT SEED\n";
    return 2;
  }
  try {
    auto queue = polyproc::queue::open(argv[2]);
    (role == "produce" ? produce : consume)(queue, std::stoull(argv[3]), std::stoull(argv[4]));
    return 0;
  } catch (const std::exception &error) {
    std::cerr << "interop: " << error.what() << '\n';
    return 1;
  }
}
