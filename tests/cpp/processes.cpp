// Pipes, listeners, processes, pools, and waiting for several of them.
#include <doctest/doctest.h>

#include <csignal>
#include <polyproc.hpp>
#include <thread>

#include "names.hpp"

using namespace std::chrono_literals;

TEST_CASE("a pipe carries whole messages of any length, until its end is closed") {
  auto [mine, other] = polyproc::pipe();
  CHECK_FALSE(mine.try_recv());
  CHECK_FALSE(mine.poll(1ms));
  const std::string text(300'000, 'p');
  auto child = polyproc::process::fork([&other = other, &mine = mine] {
    mine.close();
    const auto got = other.recv();
    other.send(got + "!");
    return 0;
  });
  other.close();
  mine.send(text);
  CHECK(mine.recv() == text + "!");
  CHECK(child.join() == 0);
  CHECK_THROWS_AS((void)mine.recv(), polyproc::end_of_file);
  CHECK_THROWS_AS(mine.send("x"), polyproc::broken_pipe);
}

TEST_CASE("a listener and connect, with the right key and a wrong one") {
  polyproc::listener_options options;
  options.authkey = "secret";
  auto listener = polyproc::listener::create("unix:@cpp-test." + std::to_string(getpid()), options);
  CHECK_THROWS_AS((void)listener.accept(1ms), polyproc::timeout);
  std::thread client([&, address = listener.address()] {
    auto connection = polyproc::connect(address, options);
    connection.send("hello");
    CHECK(connection.recv() == "hello");
    auto wrong = options;
    wrong.authkey = "guess";
    CHECK_THROWS_AS((void)polyproc::connect(address, wrong), polyproc::auth);
  });
  auto connection = listener.accept();
  connection.send(connection.recv());
  client.join();
}

TEST_CASE("a program is started, with an object and an environment") {
  polyproc::process_options options;
  options.name = "shell";
  options.env = {"POLYPROC_CPP=7"};
  auto child = polyproc::process::spawn({"sh", "-c", "exit $POLYPROC_CPP"}, options);
  CHECK(child.name() == "shell");
  CHECK(child.join() == 7);
  CHECK_FALSE(child.is_alive());
  CHECK(child.exit_code() == 7);
  CHECK_THROWS_AS((void)polyproc::process::spawn({"/no such program"}), polyproc::not_found);
}

TEST_CASE("a forked child inherits by name, and an exception is its exit code 1") {
  auto queue = polyproc::queue::create();
  polyproc::process_options options;
  options.handles = {{"jobs", queue}};
  options.stderr_fd = POLYPROC_FD_NULL;
  auto child = polyproc::process::fork(
      [] {
        polyproc::inherited<polyproc::queue>("jobs").put("from the child");
        throw std::runtime_error("as it should");
        return 0;
      },
      options);
  CHECK(child.join() == 1);
  CHECK(queue.get() == "from the child");
  CHECK_THROWS_AS((void)polyproc::inherited<polyproc::queue>("jobs"), polyproc::not_found);
  auto sleeper = polyproc::process::fork([] {
    for (;;) pause();
    return 0;
  });
  CHECK(sleeper.is_alive());
  CHECK_FALSE(sleeper.exit_code());
  CHECK_FALSE(sleeper.try_join(1ms));
  sleeper.terminate();
  CHECK(sleeper.join() == -SIGTERM);
}

TEST_CASE("a child and the workers of a pool lead process groups of their own") {
  polyproc::process_options options;
  options.group = true;
  CHECK(polyproc::process::fork([] { return getpgrp() == getpid() ? 0 : 1; }, options).join() == 0);
  polyproc::worker_register(
      "group", [](polyproc::bytes_view) { return std::string(getpgrp() == getpid() ? "own" : "shared"); });
  polyproc::pool_options pool_options;
  pool_options.workers = 1;
  pool_options.group = true;
  CHECK(polyproc::pool::create(pool_options).apply("group", "") == "own");
}

TEST_CASE("a pool does tasks, and says why one has failed") {
  polyproc::worker_register(
      "twice", [](polyproc::bytes_view data) { return std::string(data.text()) + std::string(data.text()); });
  polyproc::worker_register(
      "fails", [](polyproc::bytes_view) -> std::string { throw std::runtime_error("no flour"); });
  polyproc::worker_register("dies", [](polyproc::bytes_view) -> std::string {
    std::raise(SIGKILL);
    return {};
  });
  polyproc::pool_options options;
  options.workers = 2;
  auto pool = polyproc::pool::create(options);
  CHECK(pool.apply("twice", "ab") == "abab");
  std::vector<polyproc::task> tasks;
  for (int i = 0; i < 20; i++) tasks.push_back(pool.submit("twice", std::to_string(i)));
  for (int i = 0; i < 20; i++) CHECK(tasks[i].result() == std::to_string(i) + std::to_string(i));
  CHECK_THROWS_AS((void)pool.apply("dies", ""), polyproc::worker_died);
  CHECK_THROWS_AS((void)pool.apply("unknown", ""), polyproc::not_found);
  try {
    (void)pool.apply("fails", "");
    FAIL("it did not fail");
  } catch (const polyproc::task_failed &error) {
    CHECK(error.message() == "no flour");
    CHECK(std::string(error.what()) == "polyproc: task failed: no flour");
  }
  pool.shutdown();
  CHECK_THROWS_AS((void)pool.submit("twice", ""), polyproc::shutdown_error);
  pool.join();
  CHECK(pool.info().died_workers == 1);
}

TEST_CASE("waiting for several things says which are ready") {
  auto queue = polyproc::queue::create();
  auto event = polyproc::event::create();
  auto [mine, other] = polyproc::pipe();
  auto child = polyproc::process::fork([] {
    for (;;) pause();
    return 0;
  });
  const std::vector<polyproc::waitable> items = {queue, event, mine, child};
  CHECK(polyproc::wait_any(items, 1ms).empty());
  other.send("x");
  CHECK(polyproc::wait_any(items) == std::vector<std::size_t>{2});
  event.set();
  CHECK(polyproc::wait_any(items) == std::vector<std::size_t>{1, 2});
  child.kill();
  child.join();
  CHECK(polyproc::wait_any(items) == std::vector<std::size_t>{1, 2, 3});
  CHECK(polyproc::wait_any({polyproc::waitable::room(queue)}) == std::vector<std::size_t>{0});
}
