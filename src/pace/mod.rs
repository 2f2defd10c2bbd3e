//! Heuristics of waiting: when to look at a word that another core writes, and when to stop looking
//! and sleep.
//!
//! This is the one table of their numbers. `make bench-pace` compares each heuristic with the
//! library without it and writes docs/book/tuning.md; the name in brackets is the heuristic's name
//! there and in `POLYPROC_PACE`. The limits at the end have no name, since they are no heuristics: each
//! bounds something that no benchmark of speed shows.
//!
//! ```text
//! switches      POLYPROC_PACE: which heuristics are on
//! wake_cost     the cost of a sleep and a wake-up on this machine: the unit of most numbers here
//! delay         before a look at the other side's cache lines
//! spin          before a sleep
//! pressure      at a full ring that could grow
//! copies        of a long message: through the caches or past them
//! pacing        what a handle of a queue has learned: one of each of the above
//! backoff       at a lock that is taken
//! recheck       for changes that come without a wake-up
//! ```

pub(crate) mod backoff;
pub(crate) mod copies;
pub(crate) mod delay;
pub(crate) mod pacing;
pub(crate) mod pressure;
pub(crate) mod recheck;
pub(crate) mod spin;
pub(crate) mod switches;
pub(crate) mod wake_cost;

// wake_cost [wake-cost]: measured when the keeper starts; POLYPROC_SPIN_NS overrides it.

/// Assumed cost of a wake-up until it is measured. On virtual machines an idle core takes about
/// this long to come back.
const USUAL_WAKE_NS: u32 = 20_000;
/// Lower limit of the measured cost, since a measurement on a single core is too small, ...
const LEAST_WAKE_NS: u32 = 5_000;
/// ... and upper limit, since a measurement on a busy machine is too large.
const MOST_WAKE_NS: u32 = 50_000;
/// Number of measurements. Their median is used.
const ROUND_TRIPS: usize = 3;

// spin [spin]: of queues and pipes.

/// [budget] A spin that has been in vain for long is shortened to this part of the limit: short,
/// and still long enough to notice that a longer spin would pay.
const LEAST_SPIN: u32 = 8;
/// [budget] A sleep that was shorter than this many limits could have been a spin: it took two
/// wake-ups, one for each side.
const SHORT_SLEEP: u64 = 8;
/// [give-way] A spin keeps its core for at least this long: most waits for a busy peer are over by
/// then.
const ALONE_NS: u64 = 2_000;
/// Approximate duration of a pause of the processor.
const SPIN_PAUSE_NS: u32 = 24;
/// Number of looks between two readings of the clock, which costs about as much as these looks.
const SPIN_LOOKS: u32 = 8;
/// [give-way] A turn given away counts as at most this long: other threads ran meanwhile, so the
/// time was not spent spinning.
const TURN_NS: u64 = 1_000;
/// [wary] A longer turn went to a thread that does not wait for anything.
const HOGGED_NS: u64 = 1_000_000;
/// [wary] After such a turn this many waits keep their core.
const WARY_WAITS: u32 = 256;

// backoff [backoff]: locks and semaphores, also those inside of a queue and a pipe.

/// Number of looks before a sleep: a short critical section ends sooner than a sleep would.
const BACKOFF_LOOKS: u32 = 12;
/// The number of pauses between two looks doubles up to this limit. Meanwhile the thread that has
/// the cache line can take and release the lock several times, which costs each thread less than
/// moving the line to and fro.
const BACKOFF_LONGEST: u32 = 64;
/// After these looks the core is given away this many times: the holder may need it.
const BACKOFF_TURNS: u32 = 4;

// delay [distance]: calls that do not wait.

/// Of the looks that find little, one in this many is delayed for trial, ...
const TRIAL_EVERY: u32 = 1024;
/// ... by this many pauses; ...
const TRIAL: u32 = 16;
/// ... and no look is delayed by more than this.
const FARTHEST: u32 = 256;
/// If the other side takes more than this many pauses for a message, about 200 ns, looks hardly
/// hold it up, and a delay only makes messages late; ...
const SLOW: u32 = 8;
/// ... and one pause more for each so many bytes.
const SLOW_BYTES: u64 = 512;
/// This many messages, or room for as many, are worth a look.
const ENOUGH: u64 = 256;
/// This many bytes are worth a look: a longer backlog leaves the cache that is nearest to a core.
const ENOUGH_BYTES: u64 = 8 * 1024;
/// Wait for at most this part of a queue, so that the other side does not run out of work.
pub(crate) const PART: u64 = 8;

// delay [batch]: calls that wait.

/// A consumer pauses at most this many times before it looks again, which takes one or two
/// microseconds: two cores far apart need that long for a batch to build.
const ITEMS_SLOWEST: u32 = 64;
/// [single] The same limit while messages come one by one: such a message must not wait.
const ITEMS_SINGLE: u32 = 3;
/// A batch of this many messages is worth a look.
pub(crate) const ITEMS_ENOUGH: u64 = 16;
/// A producer pauses at most this many times, which takes about as long as a wake-up. It may pause
/// longer than a consumer, since the consumers have a full queue to work on.
const SPACE_SLOWEST: u32 = 512;
/// Room for this many records is worth a producer's look.
pub(crate) const COMFORTABLE: u64 = 128;

// pressure [pressure]: a small ring stays in the caches, and needs less memory (W7 of
// docs/book/performance).

/// A consumer copies a message at least at this rate.
const BYTES_PER_NS: u64 = 8;
/// [credit] The credit that fast consumers earn each time they make room.
const EARNED_NS: u64 = 1_000;
/// [credit] Upper limit of the credit, and so of the wait that it allows.
const MOST_CREDIT_NS: u64 = 2_000_000;

// copies [stream]: of long messages.

/// The shortest message whose copy may stream: shorter ones are copied under a lock.
pub(crate) const STREAM_SHORTEST: usize = 16 * 1024;
/// Lengths from one power of two to the next are measured together, up to this many of these.
const STREAM_CLASSES: usize = 8;
/// A streaming copy is worthwhile if a plain one takes more than this many times as long: the
/// consumer then reads from memory, which takes twice as long as a streaming copy.
const STREAM_WORTH: u64 = 2;
/// After a change of the way, this many copies go the new way before one goes the other way for
/// trial. This interval doubles at each trial ...
const STREAM_TRIAL_SOON: u32 = 4;
/// ... up to this many copies.
const STREAM_TRIAL_EVERY: u32 = 256;
/// From this interval on the consumer leaves the cache lines of streamed messages, ...
const STREAM_SURE: u32 = 64;
/// ... except those of so many bytes before a plain copy for trial: a round of a ring that stays in
/// the caches.
const STREAM_ROUND: usize = 1 << 20;
/// A ring for longer messages has room for fewer than so many of them, see `suitable_size`.
const STREAM_LEAST_ROUND: u32 = 8;

// From here on: limits.

// Changes without a wake-up. Measure: the time that a pipe's end takes to notice that a child was
// killed before it started.

/// The time until the first recheck: such a change is often about to happen.
const FIRST_RECHECK_NS: u64 = 50_000;
/// The longest time between rechecks, for at most 50 system calls a second.
const LAST_RECHECK_NS: u64 = 20_000_000;
/// The time between two looks of a sleeper at the signals of a language runtime: what a person who
/// presses Ctrl-C takes for at once.
pub(crate) const SIGNALS_NS: u64 = 100_000_000;

/// The first and the longest slice of a sleep. Sleeps are cut into slices where a process that died
/// may not have sent a wake-up.
pub(crate) const FIRST_SLICE_NS: u64 = 10_000_000;
pub(crate) const LAST_SLICE_NS: u64 = 250_000_000;
/// How often a second the sleepers of a crowd look at all lives, together: in case that a stopped
/// process has consumed a wake-up. 1,000 sleepers need a third of a per cent of a core for it, and
/// three times as much in their first seconds.
/// `tests/kill` counts how often 200 sleepers wake.
pub(crate) const CROWD_LOOKS: u64 = 20;
/// When a descriptor should become unreadable, no wake-up reaches the watcher of descriptors. So
/// the watcher looks at readable descriptors at intervals. These are the first interval and the
/// longest.
pub(crate) const FIRST_LOWERING_NS: u64 = 1_000_000;
pub(crate) const LAST_LOWERING_NS: u64 = 250_000_000;

// Memory. Measure: the footprint in docs/book/performance (make bench ONLY=W7).

/// A queue gives memory back after it was empty for this long: a ring that is given back and grows
/// again between two bursts costs more than it saves. This time is shorter than a sleep's first
/// slice.
pub(crate) const LULL_NS: u64 = 5_000_000;

// Calls that do not block. Measure: make crash STOP=1.

/// How long a call that does not block waits for its internal locks. Chosen so that the call
/// answers within 50 ms, including the recovery of a dead process and the time until a thread gets
/// its core back.
pub(crate) const BRIEF_NS: u64 = 20_000_000;
/// The same limit while no holder of the lock is stopped. It bounds what other causes do, such as a
/// signal handler that does not return. Four programs with 50 threads on two cores, beside builds,
/// made commits wait for up to 1.04 s.
pub(crate) const BRIEF_BUSY_NS: u64 = 5_000_000_000;
/// How soon to check again whether the holder is stopped.
pub(crate) const BUSY_STEP_NS: u64 = 5_000_000;
/// A process that sleeps counts as stopped after so many of these steps without running. A holder
/// that sleeps while it waits for a second lock runs again after [`MOMENT_NS`]. One step more is
/// for a virtual machine whose host takes a core away meanwhile. The call still answers in time.
pub(crate) const STILL_LOOKS: u32 = 2;
/// How long the recovery of the dead waits for its locks. If it gets no lock, the next call or a
/// sleeper tries again.
pub(crate) const RECOVERY_NS: u64 = 5_000_000;
/// The same limit while no holder of the lock is stopped.
pub(crate) const RECOVERY_BUSY_NS: u64 = 10_000_000;
/// How long a call that holds one lock waits for a second lock. Other threads want the first lock,
/// and each of them may hold it for as long. Chosen so that about 50 such threads, one after the
/// other, fit into the time by which a call may be late.
pub(crate) const MOMENT_NS: u64 = 300_000;
/// How long a call of a pipe that does not block waits for a lock whose holder copies a message.
pub(crate) const PIPE_LOCK_NS: i64 = 10_000_000;
/// How long each side of a pipe waits at least for the other side's next step in the transfer of a
/// long message. The other side may be stopped.
pub(crate) const PIPE_STEP_NS: i64 = 30_000_000;

// The dead. Measure: make guard (the looks are part of a get), and `tests/kill` for how late a
// death is noticed.

/// A consumer that never sleeps looks for the dead at one call in this many.
pub(crate) const REAP_EVERY: u32 = 32;
/// A consumer whose looks around are at least this far apart looks around at its next call too. In
/// this time 32 calls are done even if each of them takes a hundred times as long as usual.
pub(crate) const FAR_APART_MS: u64 = 10;
/// The shortest time between two looks of a segment at the participants that the kernel does not
/// watch: each look reads /proc.
pub(crate) const LOOK_EVERY_NS: u64 = 10_000_000;
/// After a recovery that could not get its locks, calls only try these locks, and do not wait for
/// them, for this long. A sleeper repeats the recovery after the same time.
pub(crate) const LEFT_NS: u64 = 20_000_000;

// Pools. Measure: `tests/pool`, for how late a worker is replaced.

/// How long the collecting thread pauses after it could not read a report.
pub(crate) const REPORTS_PAUSE_NS: u64 = 20_000_000;
/// The pause after a failed start of a worker; each further failure doubles it.
pub(crate) const START_PAUSE_NS: u64 = 5_000_000;
/// The longest pause after a failed start.
pub(crate) const LONGEST_START_PAUSE_NS: u64 = 1_000_000_000;
/// The interval of the monitor's looks on a kernel without pidfds, and of its retries of steps that
/// a stopped process blocks.
pub(crate) const MONITOR_LOOK_NS: u64 = 20_000_000;
/// How long one call waits for the fork server's answer. A longer answer means a stopped server or
/// a busy machine.
pub(crate) const FORK_ANSWER_NS: u64 = 20_000_000;
