"""An event as a traffic light: set is green. Cars wait for green however long it takes; police
cars wait 0.1 s and then go on red. The light turns for ever: it is daemonic, and goes out when
main ends."""

import sys
import time
from functools import partial

from polyproc import Event, Process

SECOND = int(sys.argv[1]) / 1000 if len(sys.argv) > 1 else 1.0
print = partial(print, flush=True)


def light(green):
    while True:
        print("light: green")
        green.set()
        time.sleep(0.5 * SECOND)
        green.clear()
        print("light: red")
        time.sleep(0.5 * SECOND)


def car(green, number):
    print(f"car {number} arrives")
    green.wait()
    print(f"car {number} passes")


def police_car(green, number):
    print(f"police car {number} arrives")
    color = "green" if green.wait(0.1 * SECOND) else "red"
    print(f"police car {number} passes on {color}")


if __name__ == "__main__":
    green = Event()
    police_cars = [Process(target=police_car, args=(green, number)) for number in range(5)]
    for process in police_cars:
        process.start()
    for process in police_cars:
        process.join()

    Process(target=light, args=(green,), daemon=True).start()
    cars = []
    for number in range(10):
        process = Process(target=car, args=(green, number))
        process.start()
        cars.append(process)
        time.sleep(0.3 * SECOND)
    for process in cars:
        process.join()
    print("all cars have passed")
