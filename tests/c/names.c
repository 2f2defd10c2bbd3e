/* Names: which are valid, which users can open them, which other files can be in their place. */
#include <fcntl.h>
#include <sys/stat.h>

#include "check.h"

static void bad_names(void) {
  char longest[POLYPROC_NAME_MAX + 2];
  const char *bad[] = {"", ".", ".hidden", "a/b", "/a", "a b", "\xc3\xa4", "a\n", "a*", "~"};
  size_t i;
  polyproc_lock *lock = NULL;
  polyproc_semaphore *semaphore = NULL;
  polyproc_event *event = NULL;
  polyproc_queue *queue = NULL;

  for (i = 0; i < sizeof bad / sizeof *bad; i++) {
    ANSWERS(E_INVALID, polyproc_lock_create(bad[i], NULL, &lock));
    ANSWERS(E_INVALID, polyproc_lock_open(bad[i], &lock));
    ANSWERS(E_INVALID, polyproc_semaphore_create(bad[i], NULL, &semaphore));
    ANSWERS(E_INVALID, polyproc_semaphore_open(bad[i], &semaphore));
    ANSWERS(E_INVALID, polyproc_event_create(bad[i], NULL, &event));
    ANSWERS(E_INVALID, polyproc_event_open(bad[i], &event));
    ANSWERS(E_INVALID, polyproc_queue_create(bad[i], NULL, &queue));
    ANSWERS(E_INVALID, polyproc_queue_open(bad[i], &queue));
    ANSWERS(E_INVALID, polyproc_unlink(bad[i]));
  }
  ANSWERS(E_INVALID, polyproc_lock_open(NULL, &lock));
  ANSWERS(E_INVALID, polyproc_semaphore_open(NULL, &semaphore));
  ANSWERS(E_INVALID, polyproc_event_open(NULL, &event));
  ANSWERS(E_INVALID, polyproc_queue_open(NULL, &queue));
  ANSWERS(E_INVALID, polyproc_unlink(NULL));

  snprintf(longest, sizeof longest, "test-c.%ld.", (long)getpid());
  memset(longest + strlen(longest), 'n', sizeof longest - strlen(longest));
  longest[POLYPROC_NAME_MAX + 1] = '\0';
  ANSWERS(E_INVALID, polyproc_lock_create(longest, NULL, &lock));
  CHECK(lock == NULL && semaphore == NULL && event == NULL && queue == NULL);
  longest[POLYPROC_NAME_MAX] = '\0';
  ANSWERS(OK, polyproc_lock_create(longest, NULL, &lock));
  polyproc_lock_close(lock);
  ANSWERS(OK, polyproc_unlink(longest));
}

static void a_name_is_taken_until_it_is_removed(void) {
  const name_t name = unique("taken");
  const name_t free_name = unique("free");
  polyproc_options options = POLYPROC_OPTIONS_INIT;
  polyproc_lock *first = NULL;
  polyproc_lock *second = NULL;
  polyproc_lock *none = NULL;

  ANSWERS(E_NOT_FOUND, polyproc_lock_open(name.text, &none));
  ANSWERS(OK, polyproc_lock_create(name.text, NULL, &first));
  ANSWERS(E_EXISTS, polyproc_lock_create(name.text, NULL, &none));
  ANSWERS(E_EXISTS, polyproc_lock_create(name.text, &options, &none));
  CHECK(none == NULL);
  options.flags = POLYPROC_OPEN_OR_CREATE;
  ANSWERS(OK, polyproc_lock_create(name.text, &options, &second));
  ANSWERS(OK, polyproc_lock_acquire(first, 0, NULL));
  ANSWERS(E_TIMEOUT, polyproc_lock_acquire(second, 0, NULL));

  /* The object stays when no process has it open, with its content. */
  ANSWERS(OK, polyproc_lock_release(first));
  polyproc_lock_close(first);
  polyproc_lock_close(second);
  ANSWERS(OK, polyproc_lock_open(name.text, &first));

  /* After unlink the processes that have the object open keep it, and the name is free. */
  ANSWERS(OK, polyproc_unlink(name.text));
  ANSWERS(E_NOT_FOUND, polyproc_unlink(name.text));
  ANSWERS(E_NOT_FOUND, polyproc_unlink(free_name.text));
  ANSWERS(OK, polyproc_lock_acquire(first, 0, NULL));
  ANSWERS(OK, polyproc_lock_create(name.text, NULL, &second));
  ANSWERS(OK, polyproc_lock_acquire(second, 0, NULL));
  ANSWERS(OK, polyproc_unlink(name.text));
  polyproc_lock_close(first);
  polyproc_lock_close(second);
}

static void a_name_of_another_kind(void) {
  const name_t name = unique("kind");
  polyproc_options options = POLYPROC_OPTIONS_INIT;
  polyproc_semaphore_options semaphore_options = POLYPROC_SEMAPHORE_OPTIONS_INIT;
  polyproc_queue_options queue_options = POLYPROC_QUEUE_OPTIONS_INIT;
  polyproc_lock *lock = NULL;
  polyproc_semaphore *semaphore = NULL;
  polyproc_event *event = NULL;
  polyproc_queue *queue = NULL;

  options.flags = semaphore_options.flags = queue_options.flags = POLYPROC_OPEN_OR_CREATE;
  ANSWERS(OK, polyproc_queue_create(name.text, NULL, &queue));
  ANSWERS(E_MISMATCH, polyproc_lock_open(name.text, &lock));
  ANSWERS(E_MISMATCH, polyproc_semaphore_open(name.text, &semaphore));
  ANSWERS(E_MISMATCH, polyproc_event_open(name.text, &event));
  ANSWERS(E_MISMATCH, polyproc_lock_create(name.text, &options, &lock));
  ANSWERS(E_MISMATCH, polyproc_semaphore_create(name.text, &semaphore_options, &semaphore));
  ANSWERS(E_MISMATCH, polyproc_event_create(name.text, &options, &event));
  ANSWERS(E_EXISTS, polyproc_lock_create(name.text, NULL, &lock));
  polyproc_queue_close(queue);
  queue = NULL;
  /* The same if this process does not have it open. */
  ANSWERS(E_MISMATCH, polyproc_lock_open(name.text, &lock));
  ANSWERS(OK, polyproc_unlink(name.text));
  ANSWERS(OK, polyproc_lock_create(name.text, NULL, &lock));
  ANSWERS(E_MISMATCH, polyproc_queue_open(name.text, &queue));
  ANSWERS(E_MISMATCH, polyproc_queue_create(name.text, &queue_options, &queue));
  polyproc_lock_close(lock);
  ANSWERS(OK, polyproc_unlink(name.text));
  CHECK(semaphore == NULL && event == NULL && queue == NULL);
}

static void a_queue_of_another_shape(void) {
  const name_t name = unique("shape");
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  polyproc_queue_options other;
  polyproc_queue *queue = NULL;
  polyproc_queue *same = NULL;
  polyproc_queue *none = NULL;

  options.flags = POLYPROC_OPEN_OR_CREATE | POLYPROC_QUEUE_JOINABLE;
  options.max_items = 10;
  strcpy(options.format, "msgpack");
  ANSWERS(OK, polyproc_queue_create(name.text, &options, &queue));
  ANSWERS(OK, polyproc_queue_create(name.text, &options, &same));
  polyproc_queue_close(same);

  other = options;
  other.flags = POLYPROC_OPEN_OR_CREATE;
  ANSWERS(E_MISMATCH, polyproc_queue_create(name.text, &other, &none));
  other = options;
  other.max_items = 11;
  ANSWERS(E_MISMATCH, polyproc_queue_create(name.text, &other, &none));
  other = options;
  strcpy(other.format, "json");
  ANSWERS(E_MISMATCH, polyproc_queue_create(name.text, &other, &none));
  CHECK(none == NULL);
  polyproc_queue_close(queue);
  ANSWERS(OK, polyproc_unlink(name.text));
}

static void a_semaphore_of_another_shape(void) {
  const name_t name = unique("maximum");
  polyproc_semaphore_options options = POLYPROC_SEMAPHORE_OPTIONS_INIT;
  polyproc_semaphore *semaphore = NULL;
  polyproc_semaphore *none = NULL;

  options.flags = POLYPROC_OPEN_OR_CREATE;
  options.initial = 1;
  options.maximum = 2;
  ANSWERS(OK, polyproc_semaphore_create(name.text, &options, &semaphore));
  options.maximum = 3;
  ANSWERS(E_MISMATCH, polyproc_semaphore_create(name.text, &options, &none));
  CHECK(none == NULL);
  polyproc_semaphore_close(semaphore);
  ANSWERS(OK, polyproc_unlink(name.text));
}

/* The file of a name, for tests that change it. */
static void path_of(char *path, size_t cap, const name_t *name) {
  snprintf(path, cap, "/dev/shm/polyproc.%s", name->text);
}

static void nobody_opens(const name_t *name, int32_t expected) {
  polyproc_lock *lock = NULL;
  polyproc_semaphore *semaphore = NULL;
  polyproc_event *event = NULL;
  polyproc_queue *queue = NULL;
  check_status(expected, polyproc_lock_open(name->text, &lock), "lock", __FILE__, __LINE__);
  check_status(expected, polyproc_semaphore_open(name->text, &semaphore), "semaphore", __FILE__, __LINE__);
  check_status(expected, polyproc_event_open(name->text, &event), "event", __FILE__, __LINE__);
  check_status(expected, polyproc_queue_open(name->text, &queue), "queue", __FILE__, __LINE__);
  CHECK(lock == NULL && semaphore == NULL && event == NULL && queue == NULL);
}

static void a_file_that_is_not_ours(void) {
  const name_t name = unique("foreign");
  const size_t sizes[] = {0, 1, 100, 4096, 1 << 20};
  char path[128];
  struct stat before;
  struct stat after;
  size_t i;

  path_of(path, sizeof path, &name);
  for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    char *content = (char *)malloc(sizes[i] + 1);
    int fd = open(path, O_CREAT | O_EXCL | O_RDWR, 0600);
    CHECK(fd >= 0 && content != NULL);
    memset(content, 'x', sizes[i] + 1);
    CHECK(write(fd, content, sizes[i]) == (ssize_t)sizes[i]);
    CHECK(fstat(fd, &before) == 0);
    nobody_opens(&name, POLYPROC_E_MISMATCH);
    CHECK(fstat(fd, &after) == 0);
    CHECK(before.st_size == after.st_size && before.st_nlink == after.st_nlink);
    CHECK(before.st_mtime == after.st_mtime && before.st_blocks == after.st_blocks);
    close(fd);
    free(content);
    ANSWERS(OK, polyproc_unlink(name.text));
  }
  /* Nothing but zeros, with holes. */
  {
    int fd = open(path, O_CREAT | O_EXCL | O_RDWR, 0600);
    CHECK(fd >= 0 && ftruncate(fd, 1 << 20) == 0);
    close(fd);
    nobody_opens(&name, POLYPROC_E_MISMATCH);
    ANSWERS(OK, polyproc_unlink(name.text));
  }
  /* The name is a directory. */
  CHECK(mkdir(path, 0700) == 0);
  nobody_opens(&name, POLYPROC_E_MISMATCH);
  CHECK(rmdir(path) == 0);
  CHECK(mkfifo(path, 0600) == 0);
  nobody_opens(&name, POLYPROC_E_MISMATCH);
  CHECK(unlink(path) == 0);
}

static void a_file_that_was_cut(void) {
  const name_t name = unique("cut");
  const off_t sizes[] = {0, 1, 64, 4096};
  char path[128];
  size_t i;

  path_of(path, sizeof path, &name);
  for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    polyproc_queue *queue = NULL;
    int32_t status;
    int fd;
    ANSWERS(OK, polyproc_queue_create(name.text, NULL, &queue));
    ANSWERS(OK, polyproc_queue_put(queue, "hello", 5, 0, NULL));
    polyproc_queue_close(queue);
    queue = NULL;
    fd = open(path, O_RDWR);
    CHECK(fd >= 0 && ftruncate(fd, sizes[i]) == 0);
    close(fd);
    status = polyproc_queue_open(name.text, &queue);
    CHECK(status == POLYPROC_E_MISMATCH || status == POLYPROC_E_CORRUPT);
    CHECK(queue == NULL);
    ANSWERS(OK, polyproc_unlink(name.text));
  }
}

static void mode_is_what_the_options_say(void) {
  const name_t name = unique("mode");
  polyproc_options options = POLYPROC_OPTIONS_INIT;
  polyproc_lock *lock = NULL;
  struct stat status;
  char path[128];

  path_of(path, sizeof path, &name);
  umask(077);
  ANSWERS(OK, polyproc_lock_create(name.text, NULL, &lock));
  CHECK(stat(path, &status) == 0 && (status.st_mode & 0777) == 0600);
  polyproc_lock_close(lock);
  ANSWERS(OK, polyproc_unlink(name.text));
  options.mode = 0660;
  ANSWERS(OK, polyproc_lock_create(name.text, &options, &lock));
  CHECK(stat(path, &status) == 0 && (status.st_mode & 0777) == 0660);
  polyproc_lock_close(lock);
  ANSWERS(OK, polyproc_unlink(name.text));
  lock = NULL;
  options.mode = 0200;
  ANSWERS(E_INVALID, polyproc_lock_create(name.text, &options, &lock));
  options.mode = 04600;
  ANSWERS(E_INVALID, polyproc_lock_create(name.text, &options, &lock));
  CHECK(lock == NULL && stat(path, &status) == -1 && errno == ENOENT);
}

int main(void) {
  bad_names();
  a_name_is_taken_until_it_is_removed();
  a_name_of_another_kind();
  a_queue_of_another_shape();
  a_semaphore_of_another_shape();
  a_file_that_is_not_ours();
  a_file_that_was_cut();
  mode_is_what_the_options_say();
  return 0;
}
