//! Many processes at one object, and many objects in one process.

use polyproc::{Acquired, CreateOptions, Lock, Semaphore, SemaphoreOptions, Status, Wait};

use crate::child::{Child, Shared, DEADLINE};

/// As many processes as one lock serves.
const PARTICIPANTS: usize = 240;

fn in_time() -> Wait<'static> {
    Wait::from(DEADLINE)
}

/// The next process is refused, and gets a slot as soon as one is free.
#[test]
fn the_table_of_participants_is_full() {
    let lock = Lock::create(None, CreateOptions::default()).unwrap();
    let mut others: Vec<_> = (0..PARTICIPANTS)
        .map(|_| {
            Child::that(|| {
                lock.acquire_timeout(in_time()).unwrap();
                lock.release().unwrap();
            })
        })
        .collect();
    assert_eq!(lock.try_acquire(), Err(Status::E_LIMIT));
    // A process that holds the lock is killed, and its slot is the only one that can become free.
    let holder = others.pop().unwrap();
    holder.kill();
    assert_eq!(lock.acquire_timeout(in_time()), Ok(Acquired::Clean));
    // All slots are taken, one by this process: the next process is refused, also while another one
    // waits.
    let told = Shared::new();
    let late = Child::started(|| {
        told.set(
            0,
            if lock.acquire_timeout(in_time()) == Err(Status::E_LIMIT) {
                1
            } else {
                2
            },
        );
    });
    assert_eq!(told.when_set(0), 1);
    lock.release().unwrap();
    drop((late, others));
    // A crowd of dead processes is recovered at once.
    assert_eq!(lock.acquire_timeout(in_time()), Ok(Acquired::Clean));
}

/// The kernel walks at most 2,048 entries of one robust list, so one keeper cannot serve all of
/// these objects.
#[test]
fn five_thousand_objects_of_a_killed_process_come_free() {
    const OBJECTS: usize = 5000;
    let limit = libc::rlimit {
        rlim_cur: 16_384,
        rlim_max: 16_384,
    };
    // SAFETY: `limit` is readable.
    if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) } != 0 {
        println!("skipped five_thousand_objects: needs 16,384 descriptors");
        return;
    }
    let locks: Vec<_> = (0..OBJECTS)
        .map(|_| Lock::create(None, CreateOptions::default()).unwrap())
        .collect();
    let holder = Child::that(|| {
        for lock in &locks {
            assert_eq!(lock.try_acquire(), Ok(Acquired::Clean));
        }
    });
    let keepers = std::fs::read_dir(format!("/proc/{}/task", holder.pid)).unwrap();
    let keepers = keepers
        .flatten()
        .filter(|task| {
            let name = std::fs::read_to_string(task.path().join("comm"));
            name.unwrap_or_default() == "polyproc-keeper\n"
        })
        .count();
    assert!(keepers >= 3, "{keepers} keepers");
    assert_eq!(locks[0].try_acquire(), Err(Status::E_TIMEOUT));
    holder.kill();
    for lock in &locks {
        assert_eq!(lock.try_acquire(), Ok(Acquired::OwnerDied));
    }
}

/// Closing objects in the middle of a long list leaves the others on it.
#[test]
fn objects_that_are_closed_in_between_leave_the_rest_watched() {
    let options = SemaphoreOptions {
        initial: 1,
        owned: true,
        ..Default::default()
    };
    let semaphores: Vec<_> = (0..60)
        .map(|_| Semaphore::create(None, &options).unwrap())
        .collect();
    let files: Vec<_> = semaphores
        .iter()
        .map(|one| one.share_fd().unwrap())
        .collect();
    let holder = Child::that(move || {
        let mut semaphores: Vec<_> = semaphores.into_iter().map(Some).collect();
        for semaphore in semaphores.iter().flatten() {
            semaphore.try_acquire().unwrap();
        }
        for place in semaphores.iter_mut().skip(1).step_by(3) {
            drop(place.take());
        }
        std::mem::forget(semaphores);
    });
    let semaphores: Vec<_> = files
        .into_iter()
        .map(|file| Semaphore::from_fd(file).unwrap())
        .collect();
    for (at, semaphore) in semaphores.iter().enumerate() {
        // A closed semaphore's permits were given back.
        let expected = if at % 3 == 1 { 1 } else { 0 };
        assert_eq!(semaphore.value(), Ok(expected), "{at}");
    }
    holder.kill();
    for semaphore in &semaphores {
        semaphore.acquire_timeout(in_time()).unwrap();
    }
}
