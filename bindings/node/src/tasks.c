#include "tasks.h"

#include <stdlib.h>

enum { FIRST_ROOM = 64 };

struct tasks {
  uint32_t size;
  polyproc_task *of[]; /* NULL: there is none */
};

polyproc_task **tasks_add(struct tasks **tasks, uint32_t tag) {
  uint32_t size = *tasks == NULL ? 0 : (*tasks)->size;
  if (tag < size) return &(*tasks)->of[tag];
  uint32_t room = size == 0 ? FIRST_ROOM : size;
  while (room <= tag) room *= 2;
  struct tasks *grown = realloc(*tasks, sizeof *grown + room * sizeof grown->of[0]);
  if (grown == NULL) return NULL;
  for (uint32_t i = size; i < room; i++) grown->of[i] = NULL;
  grown->size = room;
  *tasks = grown;
  return &grown->of[tag];
}

polyproc_task **tasks_find(struct tasks *tasks, int32_t tag) {
  if (tasks == NULL || tag < 0 || (uint32_t)tag >= tasks->size) return NULL;
  return tasks->of[tag] == NULL ? NULL : &tasks->of[tag];
}

void tasks_free(struct tasks *tasks) {
  if (tasks == NULL) return;
  for (uint32_t i = 0; i < tasks->size; i++) polyproc_task_close(tasks->of[i]);
  free(tasks);
}
