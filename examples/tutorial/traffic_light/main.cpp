// An event as a traffic light: set is green. Cars wait for green however long it takes; police cars
// wait 0.1 s and then go on red. The light turns for ever: it is daemonic, and goes out when main
// ends.
#include "example.hpp"

int main(int argc, char **argv) {
  return example::run(argc, argv, [] {
    auto green = polyproc::event::create();
    std::vector<polyproc::process> police_cars, cars;
    for (int i = 0; i < 5; i++)
      police_cars.push_back(example::start([&, i] {
        std::printf("police car %d arrives\n", i);
        const bool is_green = green.try_wait(example::seconds(0.1));
        std::printf("police car %d passes on %s\n", i, is_green ? "green" : "red");
      }));
    example::join_all(police_cars);

    const auto light = example::start_daemon([&] {
      for (;;) {
        std::puts("light: green");
        green.set();
        example::nap(0.5);
        green.clear();
        std::puts("light: red");
        example::nap(0.5);
      }
    });
    for (int i = 0; i < 10; i++) {
      cars.push_back(example::start([&, i] {
        std::printf("car %d arrives\n", i);
        green.wait();
        std::printf("car %d passes\n", i);
      }));
      example::nap(0.3);
    }
    example::join_all(cars);
    std::puts("all cars have passed");
  });
}
