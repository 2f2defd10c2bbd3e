//! The state of each kind of object, the processes that use it, and what is no object.

use std::os::unix::fs::{FileExt as _, PermissionsExt};
use std::process::Child;
use std::time::Duration;

use polyproc::inspect::{
    self, Hold, Liveness, Object, Place, State, Verdict, WaitsFor, Whereabouts,
};
use polyproc::{
    Barrier, Condition, CreateOptions, Event, Kind, Lock, Queue, QueueOptions, Rlock, Semaphore,
    SemaphoreOptions, Status,
};

use crate::support::{child, eventually, Name, JOINABLE};

#[test]
fn the_state_of_each_kind() {
    let names: Vec<_> = (0..7).map(|_| Name::new()).collect();
    let [lock, rlock, semaphore, owned, event, condition, barrier] = &names[..] else {
        unreachable!()
    };
    let plain = CreateOptions::default();
    let a_lock = Lock::create(Some(&lock.0), plain).unwrap();
    assert!(matches!(
        lock.look().state,
        Some(State::Lock { is_held: false, .. })
    ));
    let _guard = a_lock.lock().unwrap();
    let seen = lock.look();
    assert!(matches!(
        seen.state,
        Some(State::Lock {
            is_held: true,
            owner_died: false
        })
    ));
    assert_eq!(seen.participants[0].holds, [Hold::Lock(1)]);
    assert_eq!(seen.participants[0].pid, std::process::id());
    assert_eq!((seen.kind, seen.is_own), (Some(Kind::Lock), true));

    let an_rlock = Rlock::create(Some(&rlock.0), plain).unwrap();
    let _guards = (an_rlock.lock().unwrap(), an_rlock.lock().unwrap());
    let seen = rlock.look();
    assert!(matches!(seen.state, Some(State::Rlock { depth: 2, .. })));
    assert_eq!(seen.participants[0].holds, [Hold::Lock(2)]);

    let options = SemaphoreOptions {
        initial: 3,
        maximum: 5,
        ..Default::default()
    };
    let a_semaphore = Semaphore::create(Some(&semaphore.0), &options).unwrap();
    let _permit = a_semaphore.permit().unwrap();
    let Some(State::Semaphore {
        value: 2,
        maximum: 5,
        owned: false,
    }) = semaphore.look().state
    else {
        panic!("{:?}", semaphore.look())
    };

    let options = SemaphoreOptions {
        initial: 3,
        owned: true,
        ..Default::default()
    };
    let an_owned = Semaphore::create(Some(&owned.0), &options).unwrap();
    let _permits = (an_owned.permit().unwrap(), an_owned.permit().unwrap());
    let seen = owned.look();
    assert!(matches!(
        seen.state,
        Some(State::Semaphore { value: 1, .. })
    ));
    assert_eq!(seen.participants[0].holds, [Hold::Permits(2)]);

    let an_event = Event::create(Some(&event.0), plain).unwrap();
    an_event.set().unwrap();
    assert!(matches!(
        event.look().state,
        Some(State::Event { is_set: true })
    ));

    let a_condition = Condition::create(Some(&condition.0), plain).unwrap();
    let a_barrier = Barrier::create(Some(&barrier.0), plain, 3).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| a_condition.wait(&mut a_lock_of_its_own().lock().unwrap()));
        scope.spawn(|| a_barrier.wait());
        eventually(|| {
            let (one, other) = (condition.look(), barrier.look());
            let waits = |object: &Object| object.participants.first()?.waits_for.first().copied();
            waits(&one) == Some(WaitsFor::Notification) && waits(&other) == Some(WaitsFor::Parties)
        });
        let Some(State::Barrier {
            parties: 3,
            waiting: 1,
            is_broken: false,
        }) = barrier.look().state
        else {
            panic!("{:?}", barrier.look())
        };
        assert!(matches!(
            condition.look().state,
            Some(State::Condition { waiting: 1 })
        ));
        a_condition.notify_all().unwrap();
        a_barrier.abort().unwrap();
    });
    let Some(State::Barrier {
        is_broken: true, ..
    }) = barrier.look().state
    else {
        panic!("{:?}", barrier.look())
    };

    let all = inspect::objects().unwrap();
    for name in &names {
        let listed = all.iter().find(|one| one.name == name.0).expect("listed");
        assert_eq!(listed.verdict, Verdict::Sound);
        assert!(listed.state.is_some());
    }
}

fn a_lock_of_its_own() -> &'static Lock {
    Box::leak(Box::new(
        Lock::create(None, CreateOptions::default()).unwrap(),
    ))
}

#[test]
fn a_look_makes_no_participant_and_changes_no_byte() {
    let name = Name::new();
    drop(Queue::create(Some(&name.0), &QueueOptions::default()).unwrap());
    let before = std::fs::read(name.file()).unwrap();
    let object = name.look();
    assert_eq!((object.users(), object.participants.len()), (0, 0));
    inspect::peek(&name.0, Place::Waiting, 10, 10).unwrap();
    inspect::objects().unwrap();
    assert!(before == std::fs::read(name.file()).unwrap());
}

#[test]
fn the_processes_behind_the_participants() {
    let name = Name::new();
    let queue = Queue::create(Some(&name.0), &JOINABLE).unwrap();
    queue.put(b"one").unwrap();
    queue.put(b"two").unwrap();
    let mut holder = child("takes two", &name);
    eventually(|| name.queue().in_flight == 2);
    let mut sleeper = child("gets", &name);
    let of = |child: &Child| {
        let object = name.look();
        let pid = child.id();
        object.participants.into_iter().find(|one| one.pid == pid)
    };
    eventually(|| of(&sleeper).is_some_and(|one| one.asleep == 1));
    assert_eq!(of(&sleeper).unwrap().waits_for, [WaitsFor::Message]);
    let seen = of(&holder).expect("a participant");
    assert_eq!(seen.holds, [Hold::Messages(2)]);
    assert_eq!(seen.liveness, Liveness::Alive);
    let Whereabouts::Here(process) = seen.process() else {
        panic!("{:?}", seen.process())
    };
    assert!(process.command.contains("child_process"));
    assert!(process.age < Duration::from_secs(600) && !process.is_stopped);

    // SAFETY: signals to children of this process.
    unsafe { libc::kill(holder.id() as i32, libc::SIGSTOP) };
    eventually(
        || matches!(of(&holder).unwrap().process(), Whereabouts::Here(one) if one.is_stopped),
    );
    // The sleeper first: it would recover the holder. Then the kernel alone has marked them.
    for child in [&mut sleeper, &mut holder] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let dead = of(&holder).expect("not recovered yet");
    assert_eq!(dead.liveness, Liveness::Dead);
    assert_eq!(dead.holds, [Hold::Messages(2)]);
    assert!(matches!(dead.process(), Whereabouts::Ended));
    assert_eq!(queue.info().unwrap().items, 2);
    assert!(of(&holder).is_none());
}

#[test]
fn a_lock_whose_holder_died() {
    let name = Name::new();
    let lock = Lock::create(Some(&name.0), CreateOptions::default()).unwrap();
    let mut holder = child("locks", &name);
    eventually(|| lock.is_locked().unwrap());
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert!(matches!(
        name.look().state,
        Some(State::Lock {
            is_held: true,
            owner_died: true
        })
    ));
    drop(lock.lock().unwrap());
}

#[test]
fn what_is_no_object_says_so() {
    let (empty, other, link, old) = (Name::new(), Name::new(), Name::new(), Name::new());
    std::fs::write(empty.file(), "").unwrap();
    std::fs::write(other.file(), [7; 100_000]).unwrap();
    std::os::unix::fs::symlink("/dev/null", link.file()).unwrap();
    drop(Lock::create(Some(&old.0), CreateOptions::default()).unwrap());
    let file = std::fs::OpenOptions::new().write(true).open(old.file());
    file.unwrap().write_all_at(&[99], 8).unwrap();
    for (name, why) in [
        (&empty, "too short"),
        (&other, "no object"),
        (&link, "no file"),
        (&old, "layout 99"),
    ] {
        let Verdict::Unknown(text) = name.look().verdict else {
            panic!("{:?}", name.look())
        };
        assert!(text.contains(why), "{text}");
        let all = inspect::objects().unwrap();
        assert!(all.iter().any(|one| one.name == name.0));
        let peeked = inspect::peek(&name.0, Place::Waiting, 1, 1);
        assert_eq!(peeked, Err(Status::E_MISMATCH), "{}", name.0);
    }
    assert_eq!(
        inspect::object("inspect-nothing").map(|_| ()),
        Err(Status::E_NOT_FOUND)
    );
    assert_eq!(inspect::object("a/b").map(|_| ()), Err(Status::E_INVALID));
}

/// Run as root, every file can be read; so this test is about the mode alone.
#[test]
fn an_object_that_cannot_be_read_is_listed() {
    let name = Name::new();
    drop(Lock::create(Some(&name.0), CreateOptions::default()).unwrap());
    std::fs::set_permissions(name.file(), PermissionsExt::from_mode(0o000)).unwrap();
    let is_root = std::fs::File::open(name.file()).is_ok();
    let seen = name.look();
    match is_root {
        true => assert_eq!(seen.verdict, Verdict::Sound),
        false => assert!(matches!(seen.verdict, Verdict::Unreadable(_))),
    }
    assert_eq!(seen.mode, 0);
}

#[test]
fn the_system_is_described() {
    let system = inspect::system();
    assert!(!system.kernel.is_empty());
    let space = system.shared_memory.expect("/dev/shm");
    assert!(space.free <= space.total && space.total > 0);
    assert!(system.max_descriptors > 0);
}
