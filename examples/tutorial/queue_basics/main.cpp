// A bounded queue in one process: full, empty and size are exact the moment a put has returned; a
// put or get with a timeout waits that long, a try fails at once.
#include "example.hpp"

static const char *yes_no(bool is) {
  return is ? "yes" : "no";
}

int main(int argc, char **argv) {
  return example::run(argc, argv, [] {
    polyproc::queue_options options;
    options.max_items = 3;
    auto queue = polyproc::queue::create({}, options);
    const auto put = [&](const char *text) {
      queue.put(text);
      std::printf("put %s\n", text);
    };

    std::printf("full: %s\n", yes_no(queue.full()));
    std::printf("empty: %s\n", yes_no(queue.empty()));
    put("1");
    std::printf("empty: %s\n", yes_no(queue.empty()));
    put("2");
    put("3");
    std::printf("full: %s\n", yes_no(queue.full()));

    try {
      queue.put("4", example::seconds(2));
    } catch (const polyproc::full &) {
      std::puts("put 4, waiting 2 s: full");
    }
    if (!queue.try_put("4")) std::puts("put 4 at once: full");
    std::printf("length: %d\n", static_cast<int>(queue.size()));

    for (int i = 0; i < 3; i++) std::printf("got %s\n", queue.get().c_str());
    try {
      (void)queue.get(example::seconds(2));
    } catch (const polyproc::empty &) {
      std::puts("get, waiting 2 s: empty");
    }
    if (!queue.try_get()) std::puts("get at once: empty");
    std::printf("empty: %s\n", yes_no(queue.empty()));
  });
}
