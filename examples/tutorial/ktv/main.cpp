// A semaphore of four permits: thirteen guests share four rooms, and each guest gets in sooner or
// later.
#include "example.hpp"

int main(int argc, char **argv) {
  return example::run(argc, argv, [] {
    polyproc::semaphore_options options;
    options.maximum = 4;
    auto rooms = polyproc::semaphore::create(4, {}, options);
    std::vector<polyproc::process> guests;
    for (int guest = 0; guest < 13; guest++)
      guests.push_back(example::start([&, guest] {
        rooms.acquire();
        std::printf("guest %d comes in\n", guest);
        example::nap(0.1 + 0.05 * (guest % 4));
        std::printf("guest %d goes out\n", guest);
        rooms.release();
      }));
    example::join_all(guests);
    std::printf("%d rooms are free\n", static_cast<int>(rooms.value()));
  });
}
