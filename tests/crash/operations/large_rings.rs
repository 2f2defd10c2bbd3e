//! Recovery beside a ring that is so large that its memory is given back at once.

use polyproc::{Queue, QueueOptions, Status, Wait};

use super::queues::{queue, work};
use super::{add, in_time, Named};
use crate::case::Case;
use crate::page::timed;
use crate::small;
use crate::third::gone_after;

/// A consumer dies that had gone on to the next ring. The ring behind it is so large that its
/// memory is given back as soon as its last unsettled message is over: in the middle of the
/// recovery's walk.
pub fn add_to(all: &mut Vec<Named>) {
    const LONG: usize = 5 << 20;
    /// How much of /dev/shm `make` needs.
    const NEEDED: u64 = 40 << 20;
    fn make(max_deliveries: u32, shuts_down: bool) -> Queue {
        let options = QueueOptions {
            joinable: true,
            max_deliveries,
            ..Default::default()
        };
        let queue = queue(options);
        let long = vec![7; LONG];
        // Three long messages fill a ring of 16 MiB.
        for message in [&long[..], b"first", &long, &long, &long[..2 << 20]] {
            queue.try_put(message).unwrap();
        }
        gone_after(|| {
            let tickets = [(); 5].map(|()| queue.take_raw(Wait::TRY).unwrap().ticket);
            for settled in [0, 2, 3, 4] {
                queue.done_raw(tickets[settled]).unwrap();
            }
            if shuts_down {
                queue.shutdown(true).unwrap();
            }
        });
        queue
    }
    if small::size().is_some_and(|size| size < NEEDED) {
        return;
    }
    type Body = (&'static str, fn(&Queue));
    let bodies: [Body; 2] = [
        ("join", |queue| queue.try_join().unwrap()),
        ("info", |queue| _ = queue.info().unwrap()),
    ];
    for (name, body) in bodies {
        let name = |what: &str| format!("recovery of a large ring, {what} {name}").leak();
        add(all, name("dead letter,"), move || {
            Case::new(|| make(1, false), body)
                .check(|queue, _| {
                    let info = timed(|| queue.info()).unwrap();
                    let left = (info.unfinished, info.bytes, info.dead_letters);
                    assert_eq!(left, (0, 0, 1), "lost or duplicated: {info:?}");
                    let letter = queue.take_dead_raw().unwrap();
                    assert_eq!(letter.len, b"first".len());
                    queue.done_raw(letter.ticket).unwrap();
                })
                .work(work)
        });
        add(all, name("shut down,"), move || {
            Case::new(|| make(0, true), body)
                .check(|queue, _| {
                    let info = timed(|| queue.info()).unwrap();
                    let left = (info.unfinished, info.bytes, info.dead_letters);
                    assert_eq!(left, (0, 0, 0), "lost or duplicated: {info:?}");
                    timed(|| queue.try_join()).unwrap();
                })
                .work(|queue| {
                    let refused = timed(|| queue.put_timeout(b"late", in_time()));
                    assert_eq!(refused, Err(Status::E_SHUTDOWN));
                })
        });
    }
}
