/* An event as a traffic light: set is green. Cars wait for green however long it takes; police cars
 * wait 0.1 s and then go on red. The light turns for ever: it is daemonic, and goes out when main
 * ends. */
#include "example.h"

enum { POLICE_CARS = 5, CARS = 10 };

static polyproc_event *green;

static int light(void *arg) {
  (void)arg;
  for (;;) {
    printf("light: green\n");
    CHECK(polyproc_event_set(green));
    nap(0.5);
    CHECK(polyproc_event_clear(green));
    printf("light: red\n");
    nap(0.5);
  }
  return 0;
}

static int car(void *arg) {
  int number = *(int *)arg;

  printf("car %d arrives\n", number);
  CHECK(polyproc_event_wait(green, POLYPROC_FOREVER, NULL));
  printf("car %d passes\n", number);
  return 0;
}

static int police_car(void *arg) {
  int number = *(int *)arg;
  int32_t status;

  printf("police car %d arrives\n", number);
  status = polyproc_event_wait(green, seconds(0.1), NULL);
  if (status != POLYPROC_E_TIMEOUT) CHECK(status);
  printf("police car %d passes on %s\n", number, status == POLYPROC_E_TIMEOUT ? "red" : "green");
  return 0;
}

int main(int argc, char **argv) {
  polyproc_process *police_cars[POLICE_CARS], *cars[CARS];

  begin(argc, argv);
  CHECK(polyproc_event_create(NULL, NULL, &green));
  for (int i = 0; i < POLICE_CARS; i++) police_cars[i] = start(police_car, &i);
  if (finish_all(police_cars, POLICE_CARS) != 0) return 1;

  polyproc_process_close(start_daemon(light, NULL));
  for (int i = 0; i < CARS; i++) {
    cars[i] = start(car, &i);
    nap(0.3);
  }
  if (finish_all(cars, CARS) != 0) return 1;
  printf("all cars have passed\n");
  return 0;
}
