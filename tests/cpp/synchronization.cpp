// Locks, semaphores, events, conditions and barriers, also with the standard library's guards.
#include <doctest/doctest.h>

#include <csignal>
#include <mutex>
#include <polyproc.hpp>
#include <thread>

#include "names.hpp"

using namespace std::chrono_literals;

TEST_CASE("a lock works with what std has for locks") {
  auto lock = polyproc::mutex::create();
  auto other = polyproc::mutex::create();
  {
    const std::lock_guard<polyproc::mutex> held(lock);
    CHECK(lock.is_locked());
    CHECK_FALSE(lock.try_lock());
    CHECK_FALSE(lock.try_lock_for(1ms));
    CHECK_FALSE(lock.try_lock_until(std::chrono::system_clock::now() + 1ms));
    CHECK_THROWS_AS(lock.acquire(1ms), polyproc::timeout);
  }
  {
    const std::unique_lock<polyproc::mutex> held(lock, 1s);
    CHECK(held.owns_lock());
  }
  {
    const std::scoped_lock both(lock, other);
    CHECK(other.is_locked());
  }
  CHECK_FALSE(lock.is_locked());
  CHECK_THROWS_AS(lock.unlock(), polyproc::over_release);
}

TEST_CASE("the next one learns that a holder died") {
  auto lock = polyproc::mutex::create();
  auto child = polyproc::process::fork([&] {
    lock.acquire();
    std::raise(SIGKILL);
    return 0;
  });
  CHECK(child.join() == -SIGKILL);
  CHECK(lock.try_acquire() == polyproc::acquired::owner_died);
  lock.release();
  CHECK(lock.acquire() == polyproc::acquired::clean);
  lock.release();
}

TEST_CASE("a recursive lock is its thread's") {
  auto lock = polyproc::recursive_mutex::create();
  const std::lock_guard<polyproc::recursive_mutex> outer(lock);
  const std::lock_guard<polyproc::recursive_mutex> inner(lock);
  CHECK(lock.depth() == 2);
  std::thread([&] {
    CHECK_FALSE(lock.try_lock());
    CHECK_THROWS_AS(lock.unlock(), polyproc::not_owner);
  }).join();
}

TEST_CASE("a semaphore counts, and owned permits come back") {
  polyproc::semaphore_options options;
  options.maximum = 2;
  auto bounded = polyproc::semaphore::create(2, {}, options);
  bounded.acquire();
  bounded.acquire();
  CHECK_FALSE(bounded.try_acquire());
  CHECK_THROWS_AS(bounded.acquire(1ms), polyproc::timeout);
  bounded.release(2);
  CHECK_THROWS_AS(bounded.release(), polyproc::over_release);
  CHECK(bounded.value() == 2);

  options.owned = true;
  auto owned = polyproc::semaphore::create(2, {}, options);
  auto child = polyproc::process::fork([&] {
    owned.acquire();
    std::raise(SIGKILL);
    return 0;
  });
  CHECK(child.join() == -SIGKILL);
  owned.acquire();
  owned.acquire();
  CHECK(owned.value() == 0);
}

TEST_CASE("an event is waited for") {
  auto event = polyproc::event::create();
  CHECK_FALSE(event.is_set());
  CHECK_FALSE(event.try_wait(1ms));
  CHECK_THROWS_AS(event.wait(1ms), polyproc::timeout);
  auto child = polyproc::process::fork([&] {
    event.set();
    return 0;
  });
  event.wait();
  CHECK(child.join() == 0);
  event.clear();
  CHECK_FALSE(event.is_set());
}

TEST_CASE("a condition, with a lock, a unique_lock, a recursive lock") {
  auto condition = polyproc::condition::create();
  auto lock = polyproc::mutex::create();
  auto recursive = polyproc::recursive_mutex::create();
  auto ready = polyproc::typed_queue<int>::create();
  CHECK_THROWS_AS(condition.wait(lock, 1ms), polyproc::not_owner);
  std::unique_lock<polyproc::mutex> held(lock);
  CHECK_THROWS_AS(condition.wait(held, 1ms), polyproc::timeout);
  CHECK(held.owns_lock());
  CHECK_FALSE(condition.wait_until(
      held, [&] { return !ready.bytes().empty(); }, 1ms));
  auto child = polyproc::process::fork([&] {
    const std::lock_guard<polyproc::mutex> inside(lock);
    ready.put(1);
    condition.notify_all();
    return 0;
  });
  CHECK(condition.wait_until(
      held, [&] { return !ready.bytes().empty(); }, 60s));
  held.unlock();
  CHECK(child.join() == 0);
  const std::lock_guard<polyproc::recursive_mutex> twice(recursive);
  const std::lock_guard<polyproc::recursive_mutex> again(recursive);
  CHECK_THROWS_AS(condition.wait(recursive, 1ms), polyproc::timeout);
  CHECK(recursive.depth() == 2);
}

TEST_CASE("a barrier lets its parties go together, and breaks when one dies") {
  auto barrier = polyproc::barrier::create(2);
  CHECK(barrier.parties() == 2);
  auto child = polyproc::process::fork([&] { return static_cast<int>(barrier.wait()); });
  const auto mine = static_cast<int>(barrier.wait());
  CHECK(child.join() + mine == 1);

  auto dying = polyproc::process::fork([&] {
    barrier.wait();
    return 0;
  });
  while (barrier.waiting() == 0) std::this_thread::yield();
  dying.kill();
  CHECK(dying.join() == -SIGKILL);
  CHECK_THROWS_AS(barrier.wait(60s), polyproc::broken_barrier);
  CHECK(barrier.is_broken());
  barrier.reset();
  CHECK_THROWS_AS(barrier.wait(1ms), polyproc::timeout);
}
