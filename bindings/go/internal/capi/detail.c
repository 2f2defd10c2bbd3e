/* Keeps the sentences of polyproc_detail from the call that failed until Go has read them. */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <string.h>

#include "shim.h"

/* Go reads a sentence at once, so only goroutines that fail in between need a place. */
enum { PLACES = 64, MOST = 200000 };

static struct {
  int32_t number;
  char text[PP_DETAIL];
} kept[PLACES];
static int32_t last;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static int is_explained(int32_t status) {
  switch (status) {
    case POLYPROC_E_INVALID:
    case POLYPROC_E_MISMATCH:
    case POLYPROC_E_NO_MEMORY:
    case POLYPROC_E_NOT_FOUND:
    case POLYPROC_E_EXISTS:
    case POLYPROC_E_PERMISSION:
    case POLYPROC_E_LIMIT:
    case POLYPROC_E_UNSUPPORTED:
      return 1;
    default:
      return status <= -1000 && status > -PP_STEP;
  }
}

int32_t pp_tell(int32_t status) {
  char text[PP_DETAIL];
  int32_t number;
  if (!is_explained(status) || polyproc_detail(text, sizeof text) != POLYPROC_OK) return status;
  pthread_mutex_lock(&mutex);
  number = last = last % MOST + 1;
  kept[number % PLACES].number = number;
  memcpy(kept[number % PLACES].text, text, sizeof text);
  pthread_mutex_unlock(&mutex);
  return status - number * PP_STEP;
}

/* Returns the status without its mark. The sentence is empty if later failures have taken its
 * place. */
int32_t pp_recall(int32_t told, uint8_t *text, size_t cap, size_t *out_len) {
  int32_t number = -(told / PP_STEP);
  size_t len = 0;
  pthread_mutex_lock(&mutex);
  if (kept[number % PLACES].number == number) {
    len = strnlen(kept[number % PLACES].text, cap);
    memcpy(text, kept[number % PLACES].text, len);
  }
  pthread_mutex_unlock(&mutex);
  *out_len = len;
  return told % PP_STEP;
}
