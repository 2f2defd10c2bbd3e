// The examples of the book's page about C++: docs/book/cpp.md includes them.
#include <doctest/doctest.h>
#include <sys/mman.h>

#include <mutex>
#include <new>
#include <polyproc.hpp>
#include <thread>

#include "names.hpp"

using namespace std::chrono_literals;

TEST_CASE("the book: names") {
  const test_name name("book");
  // ANCHOR: names
  polyproc::queue_options options;
  options.open_or_create = true;
  auto jobs = polyproc::queue::create(name, options);  // {} instead of a name: anonymous
  auto again = polyproc::queue::open(name);            // in this process or in another one
  again.close();                                       // or at the end of the scope
  polyproc::unlink(name);                              // open handles go on
  // ANCHOR_END: names
  jobs.put("still here");
  CHECK(jobs.get() == "still here");
  CHECK_THROWS_AS((void)polyproc::queue::open(name), polyproc::not_found);
}

TEST_CASE("the book: queue") {
  std::string seen;
  const auto work = [&](std::string_view text) { seen += text; };
  // ANCHOR: queue
  polyproc::queue_options options;
  options.joinable = true;
  options.max_items = 1000;
  auto jobs = polyproc::queue::create({}, options);
  jobs.put("cat.png");
  const bool was_put = jobs.try_put("dog.png", 100ms);  // false: still full
  jobs.shutdown();                                      // no more messages come
  for (const polyproc::message &job : jobs.messages()) {
    work(job.text());
  }  // the next round finishes the job; a killed worker's job goes to another one
  jobs.join();
  // ANCHOR_END: queue
  CHECK(was_put);
  CHECK(seen == "cat.pngdog.png");
}

TEST_CASE("the book: slot") {
  auto jobs = polyproc::queue::create();
  // ANCHOR: slot
  polyproc::slot room = jobs.reserve(100);  // written in place: no copy
  std::memcpy(room.data(), "cat.png", 7);
  room.commit(7);

  polyproc::message job = jobs.take(1s);  // read in place
  if (job.deliveries() > 3) {
    job.give_back();
  } else {
    job.done();  // without it, at the end of the scope, the message goes back
  }
  // ANCHOR_END: slot
  CHECK(jobs.empty());
}

TEST_CASE("the book: values") {
  // ANCHOR: values
  struct point {
    double x, y;
  };
  auto points = polyproc::typed_queue<point>::create();
  points.put({1, 2});
  const point got = points.get();
  // ANCHOR_END: values
  CHECK(got.y == 2);
}

TEST_CASE("the book: lock") {
  bool repaired = false;
  const auto repair = [&] { repaired = true; };
  // ANCHOR: lock
  auto lock = polyproc::mutex::create();
  { const std::lock_guard<polyproc::mutex> held(lock); }
  if (lock.acquire(1s) == polyproc::acquired::owner_died) {
    repair();  // a process was killed while it held the lock
  }
  lock.release();
  // ANCHOR_END: lock
  CHECK_FALSE(repaired);
}

TEST_CASE("the book: semaphore") {
  // ANCHOR: semaphore
  polyproc::semaphore_options options;
  options.owned = true;  // a killed process gives its permits back
  auto connections = polyproc::semaphore::create(4, {}, options);
  if (connections.try_acquire(1s)) {
    connections.release();
  }
  // ANCHOR_END: semaphore
  CHECK(connections.value() == 4);
}

TEST_CASE("the book: event") {
  // ANCHOR: event
  auto ready = polyproc::event::create();
  auto child = polyproc::process::fork([&] {
    ready.set();
    return 0;
  });
  ready.wait();
  // ANCHOR_END: event
  CHECK(child.join() == 0);
}

TEST_CASE("the book: condition") {
  bool was_mended = false;
  const auto mend = [&](int &) { was_mended = true; };
  // ANCHOR: condition
  auto lock = polyproc::mutex::create();
  auto changed = polyproc::condition::create();
  void *memory = mmap(nullptr, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  int *bread = new (memory) int(0);  // in the memory of both processes
  auto baker = polyproc::process::fork([&] {
    const std::lock_guard<polyproc::mutex> held(lock);
    *bread = 1;
    changed.notify_all();
    return 0;
  });
  std::unique_lock<polyproc::mutex> held(lock);
  while (*bread == 0) {
    if (changed.wait(held) == polyproc::acquired::owner_died) mend(*bread);
  }
  // ANCHOR_END: condition
  CHECK(baker.join() == 0);
  CHECK(*bread == 1);
  CHECK_FALSE(was_mended);
  munmap(memory, sizeof(int));
}

TEST_CASE("the book: barrier") {
  // ANCHOR: barrier
  auto start = polyproc::barrier::create(2);
  auto child = polyproc::process::fork([&] { return int(start.wait()); });
  const std::uint32_t mine = start.wait();  // 0 or 1; throws broken_barrier if the other one dies
  // ANCHOR_END: barrier
  CHECK(child.join() + int(mine) == 1);
}

TEST_CASE("the book: pipe") {
  // ANCHOR: pipe
  auto [mine, theirs] = polyproc::pipe();
  auto child = polyproc::process::fork([&end = theirs] {
    end.send("hello, " + end.recv());
    return 0;
  });
  mine.send("parent");
  const std::string answer = mine.recv();
  // ANCHOR_END: pipe
  CHECK(answer == "hello, parent");
  CHECK(child.join() == 0);
}

TEST_CASE("the book: listener") {
  // ANCHOR: listener
  polyproc::listener_options options;
  options.authkey = "secret";
  auto listener = polyproc::listener::create("tcp://127.0.0.1:0", options);
  std::thread client([&, address = listener.address()] {
    polyproc::connect(address, options).send("hello");  // Client of Python's multiprocessing too
  });
  const std::string greeting = listener.accept().recv();
  // ANCHOR_END: listener
  client.join();
  CHECK(greeting == "hello");
}

TEST_CASE("the book: process") {
  // ANCHOR: process
  auto jobs = polyproc::queue::create();
  polyproc::process_options options;
  options.handles = {{"jobs", jobs}};  // the child: polyproc::inherited<polyproc::queue>("jobs")
  auto program = polyproc::process::spawn({"sh", "-c", "exit 7"}, options);
  auto function = polyproc::process::fork([&] {
    jobs.put("from the child");
    return 0;
  });
  const int code = program.join();  // minus the number of the signal if one killed it
  // ANCHOR_END: process
  CHECK(code == 7);
  CHECK(function.join() == 0);
  CHECK(jobs.get() == "from the child");
}

TEST_CASE("the book: pool") {
  // ANCHOR: pool
  polyproc::worker_register("length", [](polyproc::bytes_view data) { return std::to_string(data.size()); });
  polyproc::pool_options options;
  options.workers = 2;
  options.max_attempts = 3;  // the task of a killed worker runs again
  auto pool = polyproc::pool::create(options);
  polyproc::task task = pool.submit("length", "four");
  const std::string result = task.result();
  pool.shutdown();
  pool.join();
  // ANCHOR_END: pool
  CHECK(result == "4");
}

TEST_CASE("the book: waiting") {
  auto jobs = polyproc::queue::create();
  auto stop = polyproc::event::create();
  stop.set();
  // ANCHOR: waiting
  polyproc::cancel_token token;  // fire() is safe in a signal handler
  const auto ready = polyproc::wait_any({jobs, stop}, {10s, token});
  for (std::size_t at : ready) {
    if (at == 1) token.fire();  // ends every wait with this token
  }
  // ANCHOR_END: waiting
  CHECK(ready == std::vector<std::size_t>{1});
  CHECK_THROWS_AS((void)jobs.get(token), polyproc::canceled);
}

TEST_CASE("the book: errors") {
  std::string text;
  // ANCHOR: errors
  try {
    auto jobs = polyproc::queue::open("cpp-test.no-such-queue");
  } catch (const polyproc::not_found &error) {
    text = error.what();  // polyproc: open queue "cpp-test.no-such-queue": ...
  } catch (const polyproc::error &error) {
    text = polyproc_strerror(error.status());
  }
  // ANCHOR_END: errors
  CHECK(text.find("open queue \"cpp-test.no-such-queue\"") != std::string::npos);
}
