//! `polyproc::Error`: the operation, its object, and the cause of the failure.

use std::time::Duration;

use polyproc::{
    connect_timeout, Barrier, CreateOptions, Error, Listener, ListenerOptions, Lock, Queue,
    QueueOptions, Semaphore, SemaphoreOptions, Status, Wait,
};

fn name(what: &str) -> String {
    format!("test-error.{}.{what}", std::process::id())
}

fn text<T>(result: polyproc::Result<T>) -> String {
    result
        .map(|_| "it worked".to_owned())
        .unwrap_or_else(|status| Error::from(status).to_string())
}

#[test]
fn operation_and_object_are_named() {
    assert_eq!(
        text(Queue::open("test-error.nobody")),
        "polyproc: open queue \"test-error.nobody\": not found"
    );
    assert_eq!(
        text(polyproc::unlink("test-error.nobody")),
        "polyproc: unlink \"test-error.nobody\": not found"
    );
    assert_eq!(
        text(polyproc::inspect::object("test-error.nobody")),
        "polyproc: look at \"test-error.nobody\": not found"
    );
    let name = name("taken");
    let lock = Lock::create(Some(&name), CreateOptions::default()).expect("a lock");
    assert_eq!(
        text(Lock::create(Some(&name), CreateOptions::default())),
        format!("polyproc: create lock \"{name}\": the name exists")
    );
    assert_eq!(
        text(Queue::open(&name)),
        format!(
            "polyproc: open queue \"{name}\": an object of another kind or shape: the object is a lock, \
             asked for as a queue"
        )
    );
    drop(lock);
    polyproc::unlink(&name).expect("unlinked");
}

#[test]
fn each_option_has_its_sentence() {
    let options = QueueOptions {
        max_bytes: 8,
        ..QueueOptions::default()
    };
    assert_eq!(
        text(Queue::create(None, &options)),
        "polyproc: create queue: invalid argument: max_bytes is 8, less than the 16 that a message of no \
         bytes takes"
    );
    let options = SemaphoreOptions {
        initial: 3,
        maximum: 2,
        ..SemaphoreOptions::default()
    };
    assert_eq!(
        text(Semaphore::create(None, &options)),
        "polyproc: create semaphore: invalid argument: initial is 3, over maximum, 2"
    );
    assert_eq!(
        text(Barrier::create(None, CreateOptions::default(), 0)),
        "polyproc: create barrier: invalid argument: parties is 0, not from 1 to 1024"
    );
    assert!(text(Lock::create(Some("a/b"), CreateOptions::default()))
        .contains("name is \"a/b\": it has 1 to 200"));
}

#[test]
fn a_mismatch_says_ours_and_theirs() {
    let name = name("mismatch");
    let options = |max_items, format: &[u8]| {
        let mut options = QueueOptions {
            max_items,
            ..QueueOptions::default()
        };
        options.create.open_or_create = true;
        options.format[..format.len()].copy_from_slice(format);
        options
    };
    let queue = Queue::create(Some(&name), &options(10, b"json")).expect("a queue");
    let kept = text(Queue::create(Some(&name), &options(20, b"json")));
    assert!(
        kept.ends_with("max_items of the queue is 10, asked for as 20"),
        "{kept}"
    );
    let kept = text(Queue::create(Some(&name), &options(10, b"")));
    assert!(
        kept.ends_with("format of the queue is \"json\", asked for as \"\""),
        "{kept}"
    );
    drop(queue);
    polyproc::unlink(&name).expect("unlinked");
}

#[test]
fn sockets_name_the_address() {
    let options = ListenerOptions::default();
    let error = Error::from(Listener::new("udp://x", &options).expect_err("refused"));
    assert_eq!(error.operation(), "listen at \"udp://x\"");
    assert_eq!(error.status(), Status::E_INVALID);
    let refused = connect_timeout(
        "unix:@test-error.nobody",
        &options,
        Wait::for_ns(1_000_000_000),
    );
    assert!(text(refused).starts_with("polyproc: connect to \"unix:@test-error.nobody\": "));
}

#[test]
fn what_a_status_says_needs_no_more() {
    assert!(Queue::open("..").is_err());
    let queue = Queue::create(None, &QueueOptions::default()).expect("a queue");
    let empty = queue.take_raw(Wait::for_ns(Duration::ZERO.as_nanos() as i64));
    assert_eq!(text(empty), "polyproc: the queue is empty");
}

#[test]
fn it_goes_through_a_question_mark() {
    fn fails() -> Result<(), Error> {
        Queue::open("test-error.nobody")?;
        Ok(())
    }
    let error = fails().expect_err("not found");
    assert_eq!(error.status(), Status::E_NOT_FOUND);
    assert_eq!(error.operation(), "open queue \"test-error.nobody\"");
}
