// The queue: bytes, values, messages and slots in place, ranges, and what each exception says.
#include <doctest/doctest.h>

#include <csignal>
#include <polyproc.hpp>

#include "names.hpp"

using namespace std::chrono_literals;

namespace {

struct point {
  double x, y;
  bool operator==(const point &other) const {
    return x == other.x && y == other.y;
  }
};

polyproc::queue joinable() {
  polyproc::queue_options options;
  options.joinable = true;
  return polyproc::queue::create({}, options);
}

}  // namespace

static_assert(!std::is_copy_constructible_v<polyproc::queue>);
static_assert(std::is_nothrow_move_constructible_v<polyproc::queue>);
static_assert(!std::is_copy_constructible_v<polyproc::message>);
static_assert(!std::is_constructible_v<polyproc::bytes_view, int>);

TEST_CASE("bytes of every kind are put, and come back as they were") {
  auto queue = polyproc::queue::create();
  const std::string long_text(100'000, 'x');
  const std::vector<std::byte> raw = {std::byte{0}, std::byte{255}};
  queue.put("text");
  queue.put(long_text);
  queue.put(raw);
  queue.put(std::string_view("a\0b", 3));
  queue.put({});
  CHECK(queue.size() == 5);
  CHECK(queue.get() == "text");
  CHECK(queue.get() == long_text);
  CHECK(polyproc::bytes_view(queue.get()).size() == 2);
  CHECK(queue.get() == std::string("a\0b", 3));
  CHECK(queue.get().empty());
  CHECK(queue.empty());
}

TEST_CASE("timeouts in chrono: an exception of its own, or an empty optional") {
  polyproc::queue_options options;
  options.max_items = 1;
  auto queue = polyproc::queue::create({}, options);
  CHECK_FALSE(queue.try_get());
  CHECK_FALSE(queue.try_get(1ms));
  CHECK_FALSE(queue.try_take(1us));
  CHECK_THROWS_AS((void)queue.get(1ms), polyproc::empty);
  CHECK_THROWS_AS((void)queue.take(-5s), polyproc::timeout);
  CHECK_THROWS_AS((void)queue.get(std::chrono::steady_clock::now() + 1ms), polyproc::timeout);
  queue.put("one");
  CHECK(queue.full());
  CHECK_FALSE(queue.try_put("two"));
  CHECK_FALSE(queue.try_reserve(10, 1ms));
  CHECK_THROWS_AS(queue.put("two", 1ms), polyproc::full);
  CHECK(queue.get(std::chrono::hours(24 * 365 * 300)) == "one");  // longer than nanoseconds can say
}

TEST_CASE("a message is finished, given back, or given back by its destructor") {
  auto queue = joinable();
  queue.put("work");
  { auto message = queue.take(); }
  {
    auto message = queue.take();
    CHECK(message.deliveries() == 2);
    CHECK(message.text() == "work");
    message.give_back();
    CHECK_FALSE(message);
    CHECK_THROWS_AS(message.done(), polyproc::invalid);
  }
  CHECK_FALSE(queue.try_join(1ms));
  auto first = queue.take();
  auto moved = std::move(first);
  CHECK_FALSE(first);
  CHECK(moved.deliveries() == 3);
  moved.done();
  queue.join();
  CHECK(queue.info().unfinished == 0);
}

TEST_CASE("a slot is committed, or puts nothing") {
  auto queue = polyproc::queue::create();
  { auto slot = queue.reserve(100); }
  auto slot = queue.reserve(100);
  CHECK(slot.size() == 100);
  std::memcpy(slot.data(), "written in place", 16);
  slot.commit(16);
  CHECK_THROWS_AS(slot.commit(), polyproc::invalid);
  CHECK(queue.get() == "written in place");
  CHECK(queue.empty());
}

TEST_CASE("a range takes until the shutdown; leaving the loop gives the message back") {
  auto queue = joinable();
  for (const auto *text : {"1", "2", "3"}) queue.put(text);
  queue.shutdown();
  for (const auto &message : queue.messages()) {
    CHECK(message.text() == "1");
    break;
  }
  try {
    for (const auto &message : queue.messages()) {
      CHECK(message.text() == "1");
      throw std::runtime_error("leaves the loop");
    }
  } catch (const std::runtime_error &) {
  }
  std::string seen;
  for (auto &message : queue.messages()) {
    seen += message.text();
    if (message.text() == "2") message.done();  // the loop may also settle it itself
  }
  CHECK(seen == "123");
  CHECK_THROWS_AS((void)queue.get(), polyproc::shutdown_error);
  CHECK_THROWS_AS(queue.put("late"), polyproc::shutdown_error);
  queue.join();
}

TEST_CASE("many at once") {
  auto queue = joinable();
  CHECK(queue.put_many({"a", "bb", std::string_view("ccc")}) == 3);
  auto messages = queue.take_many(10);
  REQUIRE(messages.size() == 3);
  CHECK(messages[2].text() == "ccc");
  for (auto &message : messages) message.done();
  queue.join();
  CHECK_THROWS_AS((void)queue.take_many(10, polyproc::no_wait), polyproc::empty);
}

TEST_CASE("a typed queue carries values, and refuses a message of another size") {
  auto points = polyproc::typed_queue<point>::create();
  points.put({1, 2});
  CHECK(points.try_put({3, 4}));
  CHECK(points.get() == point{1, 2});
  CHECK(points.try_get() == point{3, 4});
  CHECK_FALSE(points.try_get(1ms));
  points.bytes().put("three");
  CHECK_THROWS_AS((void)points.get(), polyproc::mismatch);
}

TEST_CASE("names, and the exceptions of opening") {
  const test_name name("queue");
  CHECK_THROWS_AS((void)polyproc::queue::open(name), polyproc::not_found);
  auto queue = polyproc::queue::create(name);
  CHECK_THROWS_AS((void)polyproc::queue::create(name), polyproc::exists);
  CHECK_THROWS_AS((void)polyproc::mutex::open(name), polyproc::mismatch);
  CHECK_THROWS_AS((void)polyproc::queue::open("a/b"), polyproc::invalid);
  polyproc::queue_options options;
  options.open_or_create = true;
  polyproc::queue::create(name, options).put("from the other handle");
  CHECK(polyproc::queue::open(name).get() == "from the other handle");
  options.format = std::string(32, 'f');
  CHECK_THROWS_AS((void)polyproc::queue::create({}, options), polyproc::invalid);
  polyproc::unlink(name);
  CHECK_THROWS_AS(polyproc::unlink(name), polyproc::not_found);
  try {
    (void)polyproc::queue::open(name);
  } catch (const polyproc::error &error) {
    CHECK(error.status() == POLYPROC_E_NOT_FOUND);
    CHECK(error.system_errno() == 0);
    CHECK(std::string(error.what()) == "polyproc: open queue \"" + std::string(name) + "\": not found");
  }
}

namespace {
template <typename Call>
std::string text_of(Call call) {
  try {
    call();
  } catch (const polyproc::error &error) {
    return error.what();
  }
  return "nothing was thrown";
}
}  // namespace

TEST_CASE("an error says which option is wrong, and how an object differs") {
  const test_name name("detail");
  const auto create = [&](const polyproc::queue_options &options, const std::string &called = {}) {
    return text_of([&] { (void)polyproc::queue::create(called, options); });
  };
  polyproc::queue_options options;
  options.max_bytes = 8;
  CHECK(create(options) ==
        "polyproc: create queue: invalid argument: max_bytes is 8, less than the 16 that a message of no "
        "bytes takes");
  options.max_bytes = 0;
  options.open_or_create = true;
  options.max_items = 3;
  const auto queue = polyproc::queue::create(name, options);
  options.max_items = 4;
  CHECK(create(options, name) ==
        "polyproc: create queue \"" + std::string(name) +
            "\": an object of another kind or shape: max_items of the queue is 3, asked for as 4");
  CHECK(text_of([&] {
          (void)polyproc::mutex::open(name);
        }).find("the object is a queue, asked for as a lock") != std::string::npos);
  CHECK(text_of([] { (void)polyproc::queue::open("a/b"); }).find("name is \"a/b\": it has 1 to 200 bytes") !=
        std::string::npos);
  CHECK(text_of([] {
          (void)polyproc::process::spawn({"/no/such/program"});
        }).find("polyproc: spawn \"/no/such/program\": ") == 0);
  CHECK(text_of([] { polyproc::unlink("no-such-object"); }) ==
        "polyproc: unlink \"no-such-object\": not found");
  CHECK(text_of([] {
          (void)polyproc::connect("udp://x");
        }).find("polyproc: connect \"udp://x\": invalid argument: address is") == 0);
  // The library failed no call, so there is no cause.
  CHECK(text_of([] { throw polyproc::invalid("create queue"); }) ==
        "polyproc: create queue: invalid argument");
}

TEST_CASE("a handle that was moved from or closed throws invalid") {
  auto queue = polyproc::queue::create();
  auto moved = std::move(queue);
  CHECK_FALSE(queue);
  CHECK_THROWS_AS(queue.put("x"), polyproc::invalid);
  moved.close();
  CHECK_THROWS_AS((void)moved.size(), polyproc::invalid);
}

namespace {
polyproc::cancel_token *on_signal;
}

TEST_CASE("a token ends a wait, from a signal handler too") {
  auto queue = polyproc::queue::create();
  polyproc::cancel_token token;
  on_signal = &token;
  std::signal(SIGUSR1, [](int) { on_signal->fire(); });
  std::raise(SIGUSR1);
  CHECK_THROWS_AS((void)queue.get(token), polyproc::canceled);
  CHECK_THROWS_AS((void)queue.get({1h, token}), polyproc::canceled);
  token.reset();
  CHECK_FALSE(queue.try_get({1ms, token}));
  std::signal(SIGUSR1, SIG_DFL);
}

TEST_CASE("what a killed consumer had not finished is delivered again") {
  auto queue = joinable();
  auto taken = polyproc::event::create();
  queue.put("work");
  auto child = polyproc::process::fork([&] {
    const auto message = queue.take();
    taken.set();
    for (;;) pause();
    return 0;
  });
  taken.wait();
  child.kill();
  CHECK(child.join() == -SIGKILL);
  auto message = queue.take();
  CHECK(message.deliveries() == 2);
  message.done();
  queue.join();
}

TEST_CASE("a poison message becomes a dead letter") {
  polyproc::queue_options options;
  options.joinable = true;
  options.max_deliveries = 2;
  auto queue = polyproc::queue::create({}, options);
  CHECK_FALSE(queue.take_dead());
  queue.put("poison");
  for (int i = 0; i < 2; i++) queue.take().give_back();
  CHECK(queue.empty());
  auto dead = queue.take_dead();
  REQUIRE(dead);
  CHECK(dead->text() == "poison");
  dead->done();
  queue.join();
}

TEST_CASE("a put returns an id, by which the queue says how the message stands") {
  auto queue = joinable();
  const auto id = queue.put_id("task");
  CHECK(queue.settled(id) == POLYPROC_MESSAGE_WAITING);
  const auto before = queue.settled_count();
  {
    auto message = queue.take();
    CHECK(message.id() == id);
    CHECK(queue.settled(id) == POLYPROC_MESSAGE_LEASED);
    CHECK(polyproc::wait_any({polyproc::waitable::settled(queue)}, polyproc::no_wait).empty());
    message.done();
  }
  CHECK(queue.settled(id) == POLYPROC_MESSAGE_DONE);
  CHECK(polyproc::wait_any({polyproc::waitable::settled(queue)}) == std::vector<std::size_t>{0});
  CHECK(queue.settled_fd() >= 0);
  CHECK(queue.settled_count() == before + 1);
  CHECK_THROWS_AS((void)queue.settled(id + 1000), polyproc::error);
}
