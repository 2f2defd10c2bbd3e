/* A semaphore of four permits: thirteen guests share four rooms, and each guest gets in sooner or
 * later. */
#include "example.h"

enum { ROOMS = 4, GUESTS = 13 };

static polyproc_semaphore *rooms;

static int guest(void *arg) {
  int number = *(int *)arg;

  CHECK(polyproc_semaphore_acquire(rooms, POLYPROC_FOREVER, NULL));
  printf("guest %d comes in\n", number);
  nap(0.1 + 0.05 * (number % 4));
  printf("guest %d goes out\n", number);
  CHECK(polyproc_semaphore_release(rooms, 1));
  return 0;
}

int main(int argc, char **argv) {
  polyproc_semaphore_options options = POLYPROC_SEMAPHORE_OPTIONS_INIT;
  polyproc_process *guests[GUESTS];
  int64_t free_rooms;

  begin(argc, argv);
  options.initial = ROOMS;
  options.maximum = ROOMS;
  CHECK(polyproc_semaphore_create(NULL, &options, &rooms));
  for (int i = 0; i < GUESTS; i++) guests[i] = start(guest, &i);
  if (finish_all(guests, GUESTS) != 0) return 1;
  CHECK(polyproc_semaphore_value(rooms, &free_rooms));
  printf("%d rooms are free\n", (int)free_rooms);
  polyproc_semaphore_close(rooms);
  return 0;
}
