/*
 * headers: a C program, Go workers and a Node reporter count the identifiers
 * of every C header below a directory, over two polyproc queues.
 *
 *   headers.c   the pipeline from the first put to the last join
 *   arguments.c
 *   walk.c      finds the headers
 *   crew.c      the children: start, watch, stop
 *   killer.c    KILL=n: takes workers away while they work
 *   signals.c   what wakes a wait early: Ctrl-C, a child's end
 */
#ifndef HEADERS_H
#define HEADERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "polyproc.h"

/* Exit codes of the program; one that a signal ended gives 128 + its number. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* Whether to go on, or to stop the run because a wait ended early. */
typedef enum { GO_ON, STOP } verdict;

/* --- arguments.c --- */

typedef struct {
  const char *directory, *worker, *reporter, *check, *html, *json;
  size_t workers, kills;
} settings;

/* -1, or the exit code when there is nothing to run. */
int arguments_parse(settings *, int argc, char **argv);

/* --- signals.c --- */

/* From now on a signal that asks the program to stop, and the end of a child, fire `wake`: every
 * wait that has it returns E_CANCELED at once. */
bool signals_install(polyproc_cancel *wake);
/* The signal that asked the program to stop, or 0. */
int signals_stopped_by(void);

/* --- walk.c --- */

typedef verdict (*walk_visitor)(const char *path, void *context);
/* Calls `visit` with the path of everything below `directory` that is named like a C or C++ header,
 * and of every directory that cannot be read: a worker that opens the path reports the reason. It
 * does not follow links to directories. */
verdict walk(const char *directory, walk_visitor visit, void *context);

/* --- crew.c --- */

typedef struct {
  polyproc_process *process; /* NULL: not running, or joined */
  int32_t pid;
  char name[32];
} member;

typedef struct {
  polyproc_queue *jobs, *results;
  polyproc_cancel *wake;
  const char *worker_program;
  member *workers;
  size_t worker_count;
  size_t workers_started; /* replacements included: numbers the names */
  member reporter;
  bool work_is_over; /* from here on a worker may end */
} crew;

bool crew_start_worker(crew *, size_t place);
bool crew_start_reporter(crew *, const char *const argv[], const char *const env[]);
/* Call this after a wait returned E_CANCELED: it finds out what fired `wake`. STOP if the program
 * is asked to stop or a child ended that should still run. */
verdict crew_attend(crew *);
/* Waits for a child to end by itself; STOP unless it exits 0. */
verdict crew_join(crew *, member *);
/* Ends all children that still run: SIGTERM, and SIGKILL for those that ignore it. */
void crew_stop(crew *);

/* --- killer.c --- */

typedef struct {
  char name[32];
  int32_t pid;
} casualty;

typedef struct {
  crew *crew;
  uint64_t *moments; /* ascending: how many files are put before each kill */
  size_t kills, killed;
  casualty *casualties;
  uint64_t random;
} killer;

/* Plans `kills` moments within a run over `files` files. */
bool killer_plan(killer *, crew *, size_t kills, uint64_t files);
/* Call this when `put` files are in the queue: it kills a worker if the moment has come. */
verdict killer_step(killer *, uint64_t put);
void killer_report(const killer *, uint64_t redelivered);
void killer_free(killer *);

/* --- headers.c --- */

/* "headers: " message, and the text of `status` unless that is 0, on stderr. */
void complain(int32_t status, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 2, 3)))
#endif
    ;
int64_t now_ns(void);

#endif
