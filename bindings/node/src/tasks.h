/* The tasks of a pool by tag: a number that JavaScript chooses and that no other unfinished task
 * has. */
#ifndef POLYPROC_NODE_TASKS_H
#define POLYPROC_NODE_TASKS_H

#include <polyproc.h>

struct tasks;

/* Returns the entry for a new task; NULL: no memory. */
polyproc_task **tasks_add(struct tasks **tasks, uint32_t tag);
/* Returns the entry of a task, or NULL if there is none. */
polyproc_task **tasks_find(struct tasks *tasks, int32_t tag);
void tasks_free(struct tasks *tasks);

#endif
