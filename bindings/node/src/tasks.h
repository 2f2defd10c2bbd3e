/* The tasks of a pool by tag: a number that JavaScript gives, and that no other unfinished task has. */
#ifndef POLYPROC_NODE_TASKS_H
#define POLYPROC_NODE_TASKS_H

#include <polyproc.h>

struct tasks;

/* The place of a task that is to come; NULL: no memory. */
polyproc_task **tasks_place(struct tasks **tasks, uint32_t tag);
/* The place of a task that is there, else NULL. */
polyproc_task **tasks_find(struct tasks *tasks, int32_t tag);
void tasks_free(struct tasks *tasks);

#endif
