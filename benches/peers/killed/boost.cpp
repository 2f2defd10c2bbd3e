// boost::interprocess: a mutex, and a message_queue.
#include <boost/interprocess/ipc/message_queue.hpp>
#include <boost/interprocess/sync/named_mutex.hpp>
#include <memory>
#include <string>

#include "killed.h"

namespace ipc = boost::interprocess;

namespace {

std::unique_ptr<ipc::message_queue> queue;
std::unique_ptr<ipc::named_mutex> mutex;

std::string mutex_name(const char *name) {
  return std::string(name) + ".mutex";
}

void create(const char *name) {
  ipc::message_queue(ipc::create_only, name, CAPACITY, MESSAGE);
  ipc::named_mutex(ipc::create_only, mutex_name(name).c_str());
}

void open_it(const char *name) {
  queue = std::make_unique<ipc::message_queue>(ipc::open_only, name);
  mutex = std::make_unique<ipc::named_mutex>(ipc::open_only, mutex_name(name).c_str());
}

void lock() {
  mutex->lock();
}

int try_put(const void *message) {
  return queue->try_send(message, MESSAGE, 0);
}

int try_get(void *message) {
  ipc::message_queue::size_type len;
  unsigned priority;
  return queue->try_receive(message, MESSAGE, len, priority);
}

}  // namespace

int main(int argc, char **argv) {
  const struct ways peer = {create, open_it, lock, try_put, try_get};
  return play(&peer, argc, argv);
}
