//! Heuristics of waiting: when to look at a word that another core writes, and when to stop looking and sleep.
//!
//! This is the one table of their numbers. A number was chosen by the benchmark that its comment names; after a change
//! that benchmark says whether the new one is better, with both cores near to each other and far apart.
//!
//! ```text
//! wake_cost     what a sleep and a wake-up cost on this machine: the unit of most of what follows
//! spin          before a sleep
//! backoff       at a lock that is taken
//! distance      before a look at the other side's cache lines
//! pressure      at a full ring that could grow
//! recheck       for changes that nobody announces
//! pacing        what a handle of a queue has learnt
//! ```

pub(crate) mod backoff;
pub(crate) mod distance;
pub(crate) mod pacing;
pub(crate) mod pressure;
pub(crate) mod recheck;
pub(crate) mod spin;
pub(crate) mod wake_cost;

// wake_cost: measured when the keeper starts; POLYPROC_SPIN_NS says it instead. Measure: make bench ONLY=W2.

/// The cost of a wake-up until it is measured. On virtual machines an idle core takes about this long to come back.
const USUAL_WAKE_NS: u32 = 20_000;
/// The least that is believed: a measurement on a single core says less than it should, ...
const LEAST_WAKE_NS: u32 = 5_000;
/// ... and the most: one on a busy machine says more.
const MOST_WAKE_NS: u32 = 50_000;
/// How often it is measured; the median counts.
const ROUND_TRIPS: usize = 3;

// spin. Measure: make bench ONLY="W1 W2".

/// A spin that was in vain for long is this part of the limit: short, and still long enough to notice that it would pay.
const LEAST_SPIN: u32 = 8;
/// A sleep that was over within so many limits could have been a spin: it took two wake-ups, the other one's too.
const SHORT_SLEEP: u64 = 8;
/// As long as this a spin does not give its core away: most waits for a busy peer are over by then.
const ALONE_NS: u64 = 2_000;
/// How long a pause of the processor takes, about.
const SPIN_PAUSE_NS: u32 = 24;
/// Looks between two readings of the clock, which costs as much as these.
const SPIN_LOOKS: u32 = 8;
/// A turn given away counts as this long: others ran meanwhile, and that is no time spent spinning.
const TURN_NS: u64 = 1_000;
/// A turn that was longer went to somebody who does not wait for anything.
const HOGGED_NS: u64 = 1_000_000;
/// So many waits keep their core after such a turn.
const WARY_WAITS: u32 = 256;

// backoff. Measure: make bench ONLY=W4 (several producers and consumers at one lock).

/// Looks before a sleep: a short critical section is over sooner than a sleep would be.
const BACKOFF_LOOKS: u32 = 12;
/// Pauses between two looks double up to this: the thread that has the cache line meanwhile can come and go several
/// times over, which costs each thread less than handing it to and fro.
const BACKOFF_LONGEST: u32 = 32;
/// Then the core is given away so often: the holder may need it.
const BACKOFF_TURNS: u32 = 4;

// distance. Measure: make bench ONLY=W1.

/// One look in so many that find little is delayed for trial, ...
const TRIAL_EVERY: u32 = 1024;
/// ... by so many pauses; ...
const TRIAL: u32 = 16;
/// ... and none by more.
const FARTHEST: u32 = 128;
/// So many messages, or room for as many, are worth a look.
const ENOUGH: u64 = 32;
/// As many bytes are: a longer backlog leaves the cache that is nearest to a core.
const ENOUGH_BYTES: u64 = 8 * 1024;
/// No more than this part of a queue is waited for: the other side is not to run out of work.
pub(crate) const PART: u64 = 8;

// pressure. Measure: make bench ONLY=W1 with 64 KiB messages, and the footprint in docs/performance.

/// A consumer copies a message at this rate at least.
const BYTES_PER_NS: u64 = 8;
/// What a quick consumer earns by making room once.
const EARNED_NS: u64 = 1_000;
/// No wait is longer because of what was earned.
const MOST_CREDIT_NS: u64 = 2_000_000;
/// So much earned, and it is worth while to let a ring that has grown run empty.
pub(crate) const WORTH_DRAINING_NS: u64 = 100_000;
/// A ring that does not run empty in this time does not do so soon.
pub(crate) const DRAIN_NS: u64 = 10_000_000;

// recheck. Measure: the time that a pipe's end takes to notice a child that was killed before it started.

/// How soon to look again for a change that nobody announces: it is often just about to happen.
const FIRST_RECHECK_NS: u64 = 50_000;
/// How seldom at last: 50 system calls a second.
const LAST_RECHECK_NS: u64 = 20_000_000;

// pacing. Measure: make bench ONLY="W1 W2".

/// A consumer looks again after so many pauses at most, a microsecond or two: two cores far apart need that
/// long for a batch to build.
const ITEMS_SLOWEST: u32 = 64;
/// The same while messages come one by one: such a message is not made to wait.
const ITEMS_SINGLE: u32 = 3;
/// A batch that is worth a look.
pub(crate) const ITEMS_ENOUGH: u64 = 16;
/// A producer's pauses at most, after the price of a wake-up: the consumers have a full queue before them.
const SPACE_SLOWEST: u32 = 512;
/// Room for so many records is worth a producer's look.
pub(crate) const COMFORTABLE: u64 = 128;
/// A queue gives memory back when there was nothing for so long: a ring that is given back and grows again
/// between two bursts costs more than it saves. Shorter than a sleep's first slice.
pub(crate) const LULL_NS: u64 = 5_000_000;

// Pipes. Measure: make bench ONLY=W3.

/// How long a pipe spins before a sleep: about what a wake-up costs.
pub(crate) const PIPE_SPIN_NS: u64 = 20_000;
/// Looks at the pipe between two readings of the clock.
pub(crate) const PIPE_LOOKS: u32 = 16;

// The dead. Measure: make guard (the looks are part of a get), and `tests/kill` for how late a death is noticed.

/// A consumer that never sleeps looks for the dead at one call in so many.
pub(crate) const REAP_EVERY: u32 = 32;
/// How often a segment looks after the participants that the kernel does not watch: each look reads /proc.
pub(crate) const LOOK_EVERY_NS: u64 = 10_000_000;
/// How long nobody waits again for the locks of a recovery that could not get them, and how soon a sleeper tries.
pub(crate) const LEFT_NS: u64 = 20_000_000;
