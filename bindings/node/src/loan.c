/* JavaScript knows each loan by its number in the table. At the end of the environment the list
 * says which loans are left to be returned.
 *
 * A view over shared memory is an ArrayBuffer of its own per loan. JavaScript detaches it before it
 * settles the loan, so that no view remains over memory that is reused or unmapped. At the end of
 * an environment no JavaScript is left that could read a view. */
#include "loan.h"

#include <stdlib.h>
#include <string.h>

#include "call.h"

struct loan {
  enum { LOAN_FREE, LOAN_MESSAGE, LOAN_SLOT } kind;
  union {
    polyproc_message message;
    polyproc_slot slot;
  } of;
  int32_t newer, older; /* neighbours in the list; older: also the next free one */
};

static int32_t table_grow(struct addon *addon) {
  int32_t count = addon->loan_count == 0 ? 64 : addon->loan_count * 2;
  struct loan *grown =
      count > addon->loan_count ? realloc(addon->loans, (size_t)count * sizeof *grown) : NULL;
  if (grown == NULL) return POLYPROC_E_NO_MEMORY;
  for (int32_t i = addon->loan_count; i < count; i++) {
    grown[i].kind = LOAN_FREE;
    grown[i].older = i + 1 < count ? i + 1 : -1;
  }
  addon->loan_free = addon->loan_count;
  addon->loans = grown;
  addon->loan_count = count;
  return POLYPROC_OK;
}

static int32_t loan_new(struct addon *addon, const struct loan *contents) {
  if (addon->loan_free < 0 && table_grow(addon) < 0) return POLYPROC_E_NO_MEMORY;
  int32_t index = addon->loan_free;
  struct loan *loan = &addon->loans[index];
  addon->loan_free = loan->older;
  *loan = *contents;
  loan->newer = -1;
  loan->older = addon->loan_newest;
  if (loan->older >= 0) addon->loans[loan->older].newer = index;
  addon->loan_newest = index;
  return index;
}

static int32_t loan_message(struct addon *addon, const polyproc_message *message) {
  struct loan loan = {.kind = LOAN_MESSAGE, .of.message = *message};
  return loan_new(addon, &loan);
}

int32_t loan_slot(struct addon *addon, const polyproc_slot *slot) {
  struct loan loan = {.kind = LOAN_SLOT, .of.slot = *slot};
  return loan_new(addon, &loan);
}

/* Takes the loan out of the table. The returned copy is for the call that settles it. */
static struct loan loan_end(struct addon *addon, int32_t index) {
  struct loan ended = addon->loans[index];
  if (ended.newer >= 0) {
    addon->loans[ended.newer].older = ended.older;
  } else {
    addon->loan_newest = ended.older;
  }
  if (ended.older >= 0) addon->loans[ended.older].newer = ended.newer;
  addon->loans[index].kind = LOAN_FREE;
  addon->loans[index].older = addon->loan_free;
  addon->loan_free = index;
  return ended;
}

void loans_teardown(struct addon *addon) {
  /* Newest first: each returned message goes to the head of the line, so they keep their order. */
  while (addon->loan_newest >= 0) {
    struct loan ended = loan_end(addon, addon->loan_newest);
    if (ended.kind == LOAN_SLOT) {
      polyproc_slot_abort(&ended.of.slot);
    } else {
      polyproc_message_return(&ended.of.message);
    }
  }
  free(addon->loans);
}

void slab_claim(struct addon *addon, size_t length) {
  size_t used = (addon->slab_used + length + 7) & ~(size_t)7;
  addon->slab_used = used < addon->slab_size ? used : addon->slab_size;
}

double slab_copy(struct addon *addon, const void *data, size_t length) {
  if (length > addon->slab_size - addon->slab_used) return -1;
  double offset = (double)addon->slab_used;
  if (length > 0) memcpy(addon->slab + addon->slab_used, data, length);
  slab_claim(addon, length);
  return offset;
}

int32_t lend(struct addon *addon, struct row *row, const polyproc_message *message) {
  int32_t loan = loan_message(addon, message);
  if (loan < 0) return loan;
  double offset = message->len <= COPY_LIMIT ? slab_copy(addon, message->data, message->len) : -1;
  row->loan = loan;
  row->offset = offset;
  row->length = (double)message->len;
  row->deliveries = message->deliveries;
  row->id = message->id;
  return loan;
}

/* Returns the loan in argument 0; if it is no such loan, returns NULL with an exception pending. */
static struct loan *call_loan(struct call *call, napi_env env, napi_callback_info info, int kind,
                              int32_t *index) {
  call_read(call, env, info);
  struct addon *addon = call->addon;
  if (call_i32(call, 0, index) < 0 || *index < 0 || *index >= addon->loan_count) return NULL;
  struct loan *loan = &addon->loans[*index];
  return (int)loan->kind == kind ? loan : NULL;
}

/* Returns the result of an attempt to settle a loan. If a stopped peer prevented it, the loan
 * stays. */
static napi_value attempted(napi_env env, struct call *call, int32_t index, int32_t status) {
  if (status != POLYPROC_E_TIMEOUT) loan_end(call->addon, index);
  return number(env, status);
}

static napi_value loan_done(napi_env env, napi_callback_info info) {
  struct call call;
  int32_t index;
  struct loan *loan = call_loan(&call, env, info, LOAN_MESSAGE, &index);
  if (loan == NULL) return number(env, POLYPROC_E_INVALID);
  return attempted(env, &call, index, polyproc_message_done(&loan->of.message));
}

/* (count): settles the messages whose loan numbers are in the rows, and overwrites the number of
 * each settled one with -1. */
static napi_value loans_done(napi_env env, napi_callback_info info) {
  struct call call;
  int32_t count;
  size_t settled = 0, ended = 0;
  call_read(&call, env, info);
  struct addon *addon = call.addon;
  if (call_i32(&call, 0, &count) < 0 || count > BATCH_MAX) return number(env, POLYPROC_E_INVALID);
  int32_t rows[BATCH_MAX];
  for (int32_t i = 0; i < count; i++) {
    int32_t index = (int32_t)addon->rows[i].loan;
    if (index < 0 || index >= addon->loan_count || addon->loans[index].kind != LOAN_MESSAGE) continue;
    rows[ended] = i;
    addon->messages[ended++] = addon->loans[index].of.message;
  }
  if (ended == 0) return number(env, POLYPROC_OK);
  int32_t status = polyproc_message_done_many(addon->messages, ended, &settled);
  size_t over = status == POLYPROC_E_TIMEOUT ? settled : ended;
  for (size_t i = 0; i < over; i++) {
    struct row *row = &addon->rows[rows[i]];
    loan_end(addon, (int32_t)row->loan);
    row->loan = -1;
  }
  return number(env, status);
}

static napi_value loan_return(napi_env env, napi_callback_info info) {
  struct call call;
  int32_t index;
  struct loan *loan = call_loan(&call, env, info, LOAN_MESSAGE, &index);
  if (loan == NULL) return number(env, POLYPROC_E_INVALID);
  return attempted(env, &call, index, polyproc_message_return(&loan->of.message));
}

static napi_value loan_to_slab(napi_env env, napi_callback_info info) {
  struct call call;
  int32_t index;
  struct loan *loan = call_loan(&call, env, info, LOAN_MESSAGE, &index);
  if (loan == NULL) return number(env, POLYPROC_E_INVALID);
  return number(env, slab_copy(call.addon, loan->of.message.data, loan->of.message.len));
}

/* (loan, buffer): copies the message. The buffer is as long as the message. */
static napi_value loan_copy(napi_env env, napi_callback_info info) {
  struct call call;
  int32_t index;
  struct loan *loan = call_loan(&call, env, info, LOAN_MESSAGE, &index);
  void *data;
  size_t length;
  if (loan == NULL) return number(env, POLYPROC_E_INVALID);
  if (!bytes_of(env, call.argv[1], &data, &length)) return NULL;
  if (length < loan->of.message.len) return number(env, POLYPROC_E_TOO_SMALL);
  if (loan->of.message.len > 0) memcpy(data, loan->of.message.data, loan->of.message.len);
  return number(env, POLYPROC_OK);
}

/* Returns an ArrayBuffer over a loan's memory, or undefined if this runtime has no external ones.
 */
static napi_value view_of(napi_env env, void *data, size_t length) {
  napi_value view = NULL;
  if (length == 0) return NULL;
  napi_status made = napi_create_external_arraybuffer(env, data, length, NULL, NULL, &view);
  if (made == napi_no_external_buffers_allowed) return NULL;
  return made == napi_ok ? view : internal_failure(env, "no view of a loan");
}

static napi_value loan_view(napi_env env, napi_callback_info info) {
  struct call call;
  int32_t index;
  struct loan *loan = call_loan(&call, env, info, LOAN_MESSAGE, &index);
  if (loan == NULL) return NULL;
  return view_of(env, (void *)(uintptr_t)loan->of.message.data, loan->of.message.len);
}

/* (ArrayBuffer of a view): detaches it, for runtimes where JavaScript cannot. Returns false if it
 * was transferred. */
static napi_value loan_detach(napi_env env, napi_callback_info info) {
  struct call call;
  bool is_gone = true;
  napi_value result = NULL;
  call_read(&call, env, info);
  napi_is_detached_arraybuffer(env, call.argv[0], &is_gone);
  napi_get_boolean(env, !is_gone && napi_detach_arraybuffer(env, call.argv[0]) == napi_ok, &result);
  return result;
}

static napi_value slot_view(napi_env env, napi_callback_info info) {
  struct call call;
  int32_t index;
  struct loan *loan = call_loan(&call, env, info, LOAN_SLOT, &index);
  if (loan == NULL) return NULL;
  return view_of(env, loan->of.slot.data, loan->of.slot.len);
}

/* (loan, length, bytes or undefined): commits a slot. `bytes` is its content if it has no view. */
static napi_value slot_commit(napi_env env, napi_callback_info info) {
  struct call call;
  int32_t index;
  int64_t length;
  void *data = NULL;
  size_t size = 0;
  struct loan *loan = call_loan(&call, env, info, LOAN_SLOT, &index);
  if (loan == NULL) return number(env, POLYPROC_E_INVALID);
  if (call_i64(&call, 1, &length) < 0 || length < 0 || (uint64_t)length > loan->of.slot.len) {
    return number(env, POLYPROC_E_INVALID);
  }
  napi_valuetype type = napi_undefined;
  napi_typeof(env, call.argv[2], &type);
  if (type != napi_undefined && !bytes_of(env, call.argv[2], &data, &size)) return NULL;
  if (size > loan->of.slot.len) return number(env, POLYPROC_E_INVALID);
  if (size > 0) memcpy(loan->of.slot.data, data, size);
  return attempted(env, &call, index, polyproc_slot_commit(&loan->of.slot, (size_t)length));
}

static napi_value slot_abort(napi_env env, napi_callback_info info) {
  struct call call;
  int32_t index;
  struct loan *loan = call_loan(&call, env, info, LOAN_SLOT, &index);
  if (loan == NULL) return number(env, POLYPROC_E_INVALID);
  return attempted(env, &call, index, polyproc_slot_abort(&loan->of.slot));
}

const addon_function loan_functions[] = {
    {"loanDone", loan_done},
    {"loansDone", loans_done},
    {"loanReturn", loan_return},
    {"loanToSlab", loan_to_slab},
    {"loanCopy", loan_copy},
    {"loanView", loan_view},
    {"slotView", slot_view},
    {"slotCommit", slot_commit},
    {"slotAbort", slot_abort},
    {"loanDetach", loan_detach},
    {NULL, NULL},
};
