/* The named objects of this user. */
#include "check.h"

/* Only this test's names: other processes may make names meanwhile. */
static size_t listed(const char *prefix, polyproc_object_info *out, size_t cap) {
  polyproc_object_info *items = NULL;
  size_t len = 0;
  size_t found = 0;
  size_t i;
  int32_t status = polyproc_list(NULL, 0, &len);

  while (status == POLYPROC_E_TOO_SMALL) {
    const size_t room = len + 8;
    free(items);
    items = (polyproc_object_info *)malloc(room * sizeof *items);
    CHECK(items != NULL);
    status = polyproc_list(items, room, &len);
  }
  ANSWERS(OK, status);
  for (i = 0; i < len; i++) {
    CHECK(i == 0 || strcmp(items[i - 1].name, items[i].name) < 0);
    if (strncmp(items[i].name, prefix, strlen(prefix)) == 0) {
      CHECK(found < cap);
      out[found++] = items[i];
    }
  }
  free(items);
  return found;
}

static void every_kind(void) {
  const char *names[] = {"a", "b", "c", "d", "e", "f", "g"};
  const int32_t kinds[] = {POLYPROC_KIND_LOCK,   POLYPROC_KIND_SEMAPHORE, POLYPROC_KIND_EVENT,
                           POLYPROC_KIND_QUEUE,  POLYPROC_KIND_RLOCK,     POLYPROC_KIND_CONDITION,
                           POLYPROC_KIND_BARRIER};
  const name_t prefix = unique("");
  polyproc_object_info items[8];
  polyproc_options options = POLYPROC_OPTIONS_INIT;
  polyproc_lock *lock = NULL;
  polyproc_semaphore *semaphore = NULL;
  polyproc_event *event = NULL;
  polyproc_queue *queue = NULL;
  polyproc_rlock *rlock = NULL;
  polyproc_condition *condition = NULL;
  polyproc_barrier *barrier = NULL;
  size_t i;

  CHECK(listed(prefix.text, items, 8) == 0);
  options.mode = 0660;
  ANSWERS(OK, polyproc_barrier_create(unique("g").text, NULL, 2, &barrier));
  ANSWERS(OK, polyproc_lock_create(unique("a").text, &options, &lock));
  ANSWERS(OK, polyproc_semaphore_create(unique("b").text, NULL, &semaphore));
  ANSWERS(OK, polyproc_event_create(unique("c").text, NULL, &event));
  ANSWERS(OK, polyproc_queue_create(unique("d").text, NULL, &queue));
  ANSWERS(OK, polyproc_rlock_create(unique("e").text, NULL, &rlock));
  ANSWERS(OK, polyproc_condition_create(unique("f").text, NULL, &condition));
  CHECK(listed(prefix.text, items, 8) == 7);
  for (i = 0; i < 7; i++) {
    CHECK(items[i].kind == kinds[i] && strcmp(items[i].name, unique(names[i]).text) == 0);
    CHECK(items[i].mode == (i == 0 ? 0660u : 0600u));
    CHECK(items[i].bytes >= 4096 && items[i].waiting == 0 && items[i].processes <= 1);
    CHECK(items[i].reserved[0] == 0 && items[i].reserved[1] == 0);
  }
  polyproc_lock_close(lock);
  polyproc_semaphore_close(semaphore);
  polyproc_event_close(event);
  polyproc_queue_close(queue);
  polyproc_rlock_close(rlock);
  polyproc_condition_close(condition);
  polyproc_barrier_close(barrier);
  /* A name stays when nobody uses it. */
  CHECK(listed(prefix.text, items, 8) == 7);
  for (i = 0; i < 7; i++) {
    CHECK(items[i].processes == 0);
    ANSWERS(OK, polyproc_unlink(items[i].name));
  }
  CHECK(listed(prefix.text, items, 8) == 0);
}

static void who_uses_it(void) {
  const name_t name = unique("used");
  polyproc_object_info item;
  polyproc_event *event = NULL;
  pid_t child;

  ANSWERS(OK, polyproc_event_create(name.text, NULL, &event));
  CHECK(listed(name.text, &item, 1) == 1 && item.processes == 1);
  child = forked();
  if (child == 0) {
    ANSWERS(OK, polyproc_event_wait(event, POLYPROC_FOREVER, NULL));
    _exit(1);
  }
  do {
    nap(MILLISECOND);
    CHECK(listed(name.text, &item, 1) == 1);
  } while (item.waiting == 0);
  CHECK(item.waiting == 1 && item.processes == 2);
  kill_and_reap(child);
  /* Dead processes do not count, even before their death was noticed. */
  CHECK(listed(name.text, &item, 1) == 1 && item.processes == 1 && item.waiting == 0);
  polyproc_event_close(event);
  ANSWERS(OK, polyproc_unlink(name.text));
}

static void what_is_no_object(void) {
  const name_t name = unique("none");
  polyproc_object_info item;
  char path[128];
  FILE *file;

  snprintf(path, sizeof path, "/dev/shm/polyproc.%s", name.text);
  file = fopen(path, "w");
  CHECK(file != NULL && fputs("not an object of polyproc", file) >= 0 && fclose(file) == 0);
  CHECK(listed(name.text, &item, 1) == 0);
  CHECK(unlink(path) == 0);
}

static void room(void) {
  polyproc_lock *lock = NULL;
  polyproc_object_info item;
  size_t len = 0;

  ANSWERS(OK, polyproc_lock_create(unique("room").text, NULL, &lock));
  memset(&item, 7, sizeof item);
  FAULT("too small a buffer", E_TOO_SMALL, polyproc_list(NULL, 0, &len));
  CHECK(len >= 1);
  FAULT("NULL output", E_INVALID, polyproc_list(NULL, 1, &len));
  FAULT("NULL output", E_INVALID, polyproc_list(&item, 1, NULL));
  FAULT("number out of range", E_INVALID, polyproc_list(&item, SIZE_MAX, &len));
  CHECK(item.kind == 0x07070707);
  polyproc_lock_close(lock);
  ANSWERS(OK, polyproc_unlink(unique("room").text));
}

int main(void) {
  every_kind();
  who_uses_it();
  what_is_no_object();
  room();
  return 0;
}
