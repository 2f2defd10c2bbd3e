// polyproc for C++17: queues, locks and processes over shared memory, safe against kill -9.
//
// Header-only, over polyproc.h; docs/book/guide.md has the rules for every caller. Handles are moved and
// not copied. A call that fails throws `polyproc::error`, one class for each status. The try_ form
// of a call returns an empty std::optional, or false, at the end of its time.
#ifndef POLYPROC_HPP
#define POLYPROC_HPP

#include "polyproc/bytes.hpp"
#include "polyproc/connection.hpp"
#include "polyproc/error.hpp"
#include "polyproc/handle.hpp"
#include "polyproc/message.hpp"
#include "polyproc/mutex.hpp"
#include "polyproc/pool.hpp"
#include "polyproc/process.hpp"
#include "polyproc/queue.hpp"
#include "polyproc/synchronization.hpp"
#include "polyproc/wait.hpp"
#include "polyproc/wait_any.hpp"

#endif
