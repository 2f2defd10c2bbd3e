// boost::interprocess. Modes: copy (message_queue), mutex, semaphore.
#include <boost/interprocess/ipc/message_queue.hpp>
#include <boost/interprocess/sync/interprocess_mutex.hpp>
#include <boost/interprocess/sync/interprocess_semaphore.hpp>
#include <memory>
#include <new>
#include <string>

#include "peer.h"

namespace ipc = boost::interprocess;

namespace {

std::unique_ptr<ipc::message_queue> queues[2];
std::string names[2];
ipc::interprocess_mutex *mutex;
ipc::interprocess_semaphore *semaphore;

void create(const struct setup *setup) {
  if (has_mode(setup, "mutex")) {
    mutex = new (shared_memory(4096)) ipc::interprocess_mutex;
  } else if (has_mode(setup, "semaphore")) {
    semaphore = new (shared_memory(4096)) ipc::interprocess_semaphore(1);
  } else {
    for (int i = 0; i < setup->channels; i++) {
      names[i] = unique_name(i ? "boost1" : "boost0");
      queues[i] = std::make_unique<ipc::message_queue>(ipc::create_only, names[i].c_str(), setup->capacity,
                                                       setup->size);
    }
  }
}

void join(int, enum role, int) {}

void destroy() {
  for (auto &name : names)
    if (!name.empty()) ipc::message_queue::remove(name.c_str());
}

void put(int channel, const void *data, size_t len) {
  queues[channel]->send(data, len, 0);
}

size_t get(int channel, void *buf, size_t cap) {
  ipc::message_queue::size_type len;
  unsigned priority;
  queues[channel]->receive(buf, cap, len, priority);
  return len;
}

void acquire() {
  mutex ? mutex->lock() : semaphore->wait();
}

void release() {
  mutex ? mutex->unlock() : semaphore->post();
}

struct peer make() {
  struct peer made = {};
  made.name = "boost";
  made.create = create;
  made.join = join;
  made.destroy = destroy;
  made.put = put;
  made.get = get;
  made.acquire = acquire;
  made.release = release;
  return made;
}

}  // namespace

extern const struct peer peer = make();
