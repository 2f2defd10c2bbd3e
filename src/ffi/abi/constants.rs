//! The numbers of the C API. They are plain literals, because cbindgen evaluates nothing; the
//! assertions at the end compare them with the tables of the safe API.

/// <!-- Version -->
/// Major version of this header; `polyproc_version()` is that of the library.
pub const POLYPROC_VERSION_MAJOR: u32 = 0;
/// Minor version of this header.
pub const POLYPROC_VERSION_MINOR: u32 = 1;
/// Patch version of this header.
pub const POLYPROC_VERSION_PATCH: u32 = 0;
/// The binary interface that this header describes, the number in `libpolyproc.so.0`. A program
/// that loads the library by hand compares it with `polyproc_abi_version()`.
pub const POLYPROC_ABI_VERSION: u32 = 0;

/// <!-- Statuses: 0 and above is success, below 0 nothing was done -->
/// Success.
pub const POLYPROC_OK: i32 = 0;
/// Success: you hold it, and the last holder died inside. Check what it guarded.
pub const POLYPROC_OWNER_DIED: i32 = 1;
/// A NULL handle or required pointer, a bad name, an unknown flag or kind, a number out of range.
pub const POLYPROC_E_INVALID: i32 = -1;
/// The timeout passed. A put or a get returns it only if a peer that is stopped, or waits for a core,
/// hides the queue's state.
pub const POLYPROC_E_TIMEOUT: i32 = -2;
/// Nothing to get: the timeout of a get or take passed.
pub const POLYPROC_E_EMPTY: i32 = -3;
/// No room: the timeout of a put or reserve passed.
pub const POLYPROC_E_FULL: i32 = -4;
/// The cancel token was fired.
pub const POLYPROC_E_CANCELED: i32 = -5;
/// A signal handler ran; only after `polyproc_interruptible(1)`.
pub const POLYPROC_E_INTERRUPTED: i32 = -6;
/// The handle was closed, before the call or while it waited.
pub const POLYPROC_E_CLOSED: i32 = -7;
/// The queue is shut down, and for a get also drained.
pub const POLYPROC_E_SHUTDOWN: i32 = -8;
/// End of file: the other end is closed. (Pipes and connections.)
pub const POLYPROC_E_EOF: i32 = -9;
/// No process is left that could read. (Pipes and connections.)
pub const POLYPROC_E_BROKEN_PIPE: i32 = -10;
/// The buffer is too small; the length that is needed was written, and nothing was taken.
pub const POLYPROC_E_TOO_SMALL: i32 = -11;
/// The message can never fit, however long one waits.
pub const POLYPROC_E_TOO_LARGE: i32 = -12;
/// Memory or shared memory (`/dev/shm`) is exhausted.
pub const POLYPROC_E_NO_MEMORY: i32 = -13;
/// No object, process or inherited handle of that name.
pub const POLYPROC_E_NOT_FOUND: i32 = -14;
/// The name is taken.
pub const POLYPROC_E_EXISTS: i32 = -15;
/// The name or descriptor is something else: another kind, another shape, no object of polyproc.
pub const POLYPROC_E_MISMATCH: i32 = -16;
/// Permission denied.
pub const POLYPROC_E_PERMISSION: i32 = -17;
/// The shared memory is damaged: another process wrote to it by mistake or on purpose. Of a socket:
/// the received bytes are no valid frame.
pub const POLYPROC_E_CORRUPT: i32 = -18;
/// A limit is reached: descriptors, processes, threads, participants of one object.
pub const POLYPROC_E_LIMIT: i32 = -19;
/// The object, loan or lock belongs to another process, thread or task.
pub const POLYPROC_E_NOT_OWNER: i32 = -20;
/// Released or finished more often than acquired or got.
pub const POLYPROC_E_OVER_RELEASE: i32 = -21;
/// The barrier is broken. (Barriers.)
pub const POLYPROC_E_BROKEN_BARRIER: i32 = -22;
/// A daemonic process may not have children.
pub const POLYPROC_E_DAEMONIC: i32 = -23;
/// Authentication failed. (Listeners and connections.)
pub const POLYPROC_E_AUTH: i32 = -24;
/// Not supported here: by this object or by this kernel.
pub const POLYPROC_E_UNSUPPORTED: i32 = -25;
/// The worker died. (Pools.)
pub const POLYPROC_E_WORKER_DIED: i32 = -26;
/// The task failed. (Pools.)
pub const POLYPROC_E_TASK_FAILED: i32 = -27;
/// A fault inside polyproc, caught at its boundary: please report it.
pub const POLYPROC_E_INTERNAL: i32 = -99;

/// <!-- Waiting -->
/// A `timeout_ns` that never passes. Every negative timeout means the same; 0 tries once.
pub const POLYPROC_FOREVER: i64 = -1;

/// <!-- Names -->
/// The longest name of an object, in bytes without the NUL.
pub const POLYPROC_NAME_MAX: usize = 200;

/// <!-- Barriers -->
/// The most parties that a barrier can be for.
pub const POLYPROC_BARRIER_PARTIES_MAX: u32 = 1024;

/// <!-- Pools -->
/// The most workers of a pool.
pub const POLYPROC_POOL_WORKERS_MAX: u32 = 1000;

/// <!-- Kinds of object -->
/// `polyproc_lock`
pub const POLYPROC_KIND_LOCK: i32 = 1;
/// `polyproc_semaphore`
pub const POLYPROC_KIND_SEMAPHORE: i32 = 2;
/// `polyproc_event`
pub const POLYPROC_KIND_EVENT: i32 = 3;
/// `polyproc_queue`
pub const POLYPROC_KIND_QUEUE: i32 = 4;
/// `polyproc_rlock`
pub const POLYPROC_KIND_RLOCK: i32 = 5;
/// `polyproc_condition`
pub const POLYPROC_KIND_CONDITION: i32 = 6;
/// `polyproc_barrier`
pub const POLYPROC_KIND_BARRIER: i32 = 7;
/// `polyproc_connection`
pub const POLYPROC_KIND_CONNECTION: i32 = 8;

/// <!-- What polyproc_wait_any waits for -->
/// A get from a `polyproc_queue` would not wait.
pub const POLYPROC_WAIT_QUEUE_GET: i32 = 1;
/// A put into a `polyproc_queue` would not wait.
pub const POLYPROC_WAIT_QUEUE_PUT: i32 = 2;
/// A `polyproc_event` is set, or was since the call began.
pub const POLYPROC_WAIT_EVENT: i32 = 3;
/// A receive from a `polyproc_connection` would not wait.
pub const POLYPROC_WAIT_CONNECTION: i32 = 4;
/// An accept from a `polyproc_listener` would not wait.
pub const POLYPROC_WAIT_LISTENER: i32 = 5;
/// A `polyproc_process` has ended.
pub const POLYPROC_WAIT_PROCESS: i32 = 6;
/// A `polyproc_task` is over.
pub const POLYPROC_WAIT_TASK: i32 = 7;
/// Messages of a `polyproc_queue` were settled since the last `polyproc_queue_settled_count` with
/// this handle.
pub const POLYPROC_WAIT_QUEUE_SETTLED: i32 = 8;

/// <!-- How a message stands: polyproc_queue_settled -->
/// It waits for a consumer: it was not delivered yet, or it came back.
pub const POLYPROC_MESSAGE_WAITING: i32 = 1;
/// A process has it and has not settled it.
pub const POLYPROC_MESSAGE_LEASED: i32 = 2;
/// It was settled, or got from a queue that is not joinable.
pub const POLYPROC_MESSAGE_DONE: i32 = 3;
/// It was delivered too often and became a dead letter, also if the dead letter was taken.
pub const POLYPROC_MESSAGE_DEAD: i32 = 4;
/// An immediate shutdown discarded it.
pub const POLYPROC_MESSAGE_DISCARDED: i32 = 5;
/// It is over, and how it ended is forgotten: done, dead or discarded.
pub const POLYPROC_MESSAGE_UNKNOWN: i32 = 6;

/// <!-- Flags of the options -->
/// Every create: open the object when the name exists. `E_MISMATCH` when its kind or shape differs.
/// A queue that is shut down and that no process has open is created again: see
/// polyproc_queue_create.
pub const POLYPROC_OPEN_OR_CREATE: u32 = 1;
/// Queue: a message that was got stays unfinished until it is settled. `polyproc_queue_join` waits
/// until no message is unfinished. The unfinished messages of a killed consumer are delivered
/// again.
pub const POLYPROC_QUEUE_JOINABLE: u32 = 2;
/// Semaphore: a permit belongs to the process that acquired it; only that process releases it, and
/// it is free again the moment the process ends.
pub const POLYPROC_SEMAPHORE_OWNED: u32 = 4;
/// Listener: other machines can reach it without a key.
pub const POLYPROC_LISTENER_PUBLIC: u32 = 1;
/// Process: it dies with its parent, however that ends, and may not have children.
pub const POLYPROC_PROCESS_DAEMON: u32 = 1;
/// Task: polyproc_pool_finished reports its tag when it is over.
pub const POLYPROC_TASK_TAGGED: u32 = 1;
/// Process: its environment is `env` alone, nothing of the parent's.
pub const POLYPROC_PROCESS_CLEAR_ENV: u32 = 2;
/// Process: it leads a process group of its own. Signals of the terminal (Ctrl-C, Ctrl-Z) reach its
/// parent only, and `kill(-pid, …)` reaches it together with what it has started. It must not read
/// from the terminal: the kernel would stop it.
pub const POLYPROC_PROCESS_GROUP: u32 = 4;
/// Pool: each worker leads a process group of its own, as with `POLYPROC_PROCESS_GROUP`. So a
/// Ctrl-C does not kill the workers, and this process can end their work in order.
pub const POLYPROC_POOL_GROUP: u32 = 1;

/// <!-- Descriptors of a new process -->
/// For `stdin_fd`, `stdout_fd` and `stderr_fd`: `/dev/null`.
pub const POLYPROC_FD_NULL: i32 = -2;

/// Compares every constant above with its counterpart in the safe API.
mod agreement {
    use super::*;
    use crate::queue::Settled;
    use crate::segment::Kind;
    use crate::status::Status;

    macro_rules! same {
        ($($ours:ident == $theirs:expr;)*) => { $(const _: () = assert!($ours == $theirs);)* };
    }

    same! {
        POLYPROC_OK == Status::OK.code();
        POLYPROC_OWNER_DIED == Status::OWNER_DIED.code();
        POLYPROC_E_INVALID == Status::E_INVALID.code();
        POLYPROC_E_TIMEOUT == Status::E_TIMEOUT.code();
        POLYPROC_E_EMPTY == Status::E_EMPTY.code();
        POLYPROC_E_FULL == Status::E_FULL.code();
        POLYPROC_E_CANCELED == Status::E_CANCELED.code();
        POLYPROC_E_INTERRUPTED == Status::E_INTERRUPTED.code();
        POLYPROC_E_CLOSED == Status::E_CLOSED.code();
        POLYPROC_E_SHUTDOWN == Status::E_SHUTDOWN.code();
        POLYPROC_E_EOF == Status::E_EOF.code();
        POLYPROC_E_BROKEN_PIPE == Status::E_BROKEN_PIPE.code();
        POLYPROC_E_TOO_SMALL == Status::E_TOO_SMALL.code();
        POLYPROC_E_TOO_LARGE == Status::E_TOO_LARGE.code();
        POLYPROC_E_NO_MEMORY == Status::E_NO_MEMORY.code();
        POLYPROC_E_NOT_FOUND == Status::E_NOT_FOUND.code();
        POLYPROC_E_EXISTS == Status::E_EXISTS.code();
        POLYPROC_E_MISMATCH == Status::E_MISMATCH.code();
        POLYPROC_E_PERMISSION == Status::E_PERMISSION.code();
        POLYPROC_E_CORRUPT == Status::E_CORRUPT.code();
        POLYPROC_E_LIMIT == Status::E_LIMIT.code();
        POLYPROC_E_NOT_OWNER == Status::E_NOT_OWNER.code();
        POLYPROC_E_OVER_RELEASE == Status::E_OVER_RELEASE.code();
        POLYPROC_E_BROKEN_BARRIER == Status::E_BROKEN_BARRIER.code();
        POLYPROC_E_DAEMONIC == Status::E_DAEMONIC.code();
        POLYPROC_E_AUTH == Status::E_AUTH.code();
        POLYPROC_E_UNSUPPORTED == Status::E_UNSUPPORTED.code();
        POLYPROC_E_WORKER_DIED == Status::E_WORKER_DIED.code();
        POLYPROC_E_TASK_FAILED == Status::E_TASK_FAILED.code();
        POLYPROC_E_INTERNAL == Status::E_INTERNAL.code();
        POLYPROC_MESSAGE_WAITING == Settled::Waiting as i32;
        POLYPROC_MESSAGE_LEASED == Settled::Leased as i32;
        POLYPROC_MESSAGE_DONE == Settled::Done as i32;
        POLYPROC_MESSAGE_DEAD == Settled::Dead as i32;
        POLYPROC_MESSAGE_DISCARDED == Settled::Discarded as i32;
        POLYPROC_MESSAGE_UNKNOWN == Settled::Unknown as i32;
        POLYPROC_KIND_LOCK == Kind::Lock as i32;
        POLYPROC_KIND_SEMAPHORE == Kind::Semaphore as i32;
        POLYPROC_KIND_EVENT == Kind::Event as i32;
        POLYPROC_KIND_QUEUE == Kind::Queue as i32;
        POLYPROC_KIND_CONNECTION == Kind::Connection as i32;
        POLYPROC_KIND_RLOCK == Kind::Rlock as i32;
        POLYPROC_KIND_CONDITION == Kind::Condition as i32;
        POLYPROC_KIND_BARRIER == Kind::Barrier as i32;
        POLYPROC_POOL_WORKERS_MAX == crate::pool::MAX_WORKERS;
        POLYPROC_BARRIER_PARTIES_MAX == crate::sync::barrier::MAX_PARTIES;
    }
}
