#define _DEFAULT_SOURCE /* d_type */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "headers.h"

/* The directories that are still to be read. A stack, so only one directory is open at a time,
 * however deep the tree is. */
typedef struct {
  char **paths;
  size_t len, cap;
} stack;

static bool push(stack *pending, char *path) {
  if (pending->len == pending->cap) {
    size_t cap = pending->cap ? 2 * pending->cap : 64;
    char **paths = realloc(pending->paths, cap * sizeof *paths);
    if (paths == NULL) return false;
    pending->paths = paths;
    pending->cap = cap;
  }
  pending->paths[pending->len++] = path;
  return true;
}

static char *join_path(const char *directory, const char *name) {
  size_t left = strlen(directory), right = strlen(name) + 1;
  char *path;

  while (left > 0 && directory[left - 1] == '/') left--;
  path = malloc(left + 1 + right);
  if (path != NULL) {
    memcpy(path, directory, left);
    path[left] = '/';
    memcpy(path + left + 1, name, right);
  }
  return path;
}

static bool is_header_name(const char *name) {
  static const char *const endings[] = {".h", ".hh", ".hpp", ".hxx"};
  const char *ending = strrchr(name, '.');

  for (size_t i = 0; ending != NULL && i < sizeof endings / sizeof *endings; i++)
    if (strcmp(ending, endings[i]) == 0) return true;
  return false;
}

/* Does not follow links: they can form circles, and a file would be counted once under each name.
 */
static bool is_directory(const struct dirent *entry, const char *path) {
  struct stat status;

  if (entry->d_type != DT_UNKNOWN) return entry->d_type == DT_DIR;
  return lstat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static verdict out_of_memory(void) {
  complain(0, "out of memory");
  return STOP;
}

static verdict read_directory(const char *directory, DIR *stream, stack *pending, walk_visitor visit,
                              void *context) {
  const struct dirent *entry;

  while (errno = 0, (entry = readdir(stream)) != NULL) {
    verdict next = GO_ON;
    char *path;

    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    path = join_path(directory, entry->d_name);
    if (path == NULL) return out_of_memory();
    if (is_directory(entry, path)) {
      if (push(pending, path)) continue;
      next = out_of_memory();
    } else if (is_header_name(entry->d_name)) {
      next = visit(path, context);
    }
    free(path);
    if (next != GO_ON) return next;
  }
  return errno == 0 ? GO_ON : visit(directory, context);
}

static verdict walk_pending(stack *pending, walk_visitor visit, void *context) {
  verdict next = GO_ON;

  while (next == GO_ON && pending->len > 0) {
    char *directory = pending->paths[--pending->len];
    DIR *stream = opendir(directory);

    if (signals_stopped_by() != 0)
      next = STOP;
    else if (stream == NULL)
      next = visit(directory, context);
    else
      next = read_directory(directory, stream, pending, visit, context);
    if (stream != NULL) closedir(stream);
    free(directory);
  }
  return next;
}

verdict walk(const char *directory, walk_visitor visit, void *context) {
  stack pending = {0};
  char *root = malloc(strlen(directory) + 1);
  verdict result;

  if (root == NULL || !push(&pending, strcpy(root, directory))) {
    free(root);
    return out_of_memory();
  }
  result = walk_pending(&pending, visit, context);
  while (pending.len > 0) free(pending.paths[--pending.len]);
  free(pending.paths);
  return result;
}
