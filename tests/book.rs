//! The examples of the book's page about Rust: docs/book/rust.md includes them.

use std::ffi::CString;
use std::fs::File;
use std::io::Write;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use polyproc::*;

/// A name for one test, which is unlinked at its end.
struct Name(String);

impl Name {
    fn new(what: &str) -> Name {
        Name(format!("rust-book.{}.{what}", std::process::id()))
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        let _ = unlink(&self.0);
    }
}

#[test]
fn names() -> Result<()> {
    let unique = Name::new("jobs");
    let name = unique.0.as_str();
    // ANCHOR: names
    let jobs = Queue::create(Some(name), &QueueOptions::OPEN_OR_CREATE)?; // None: anonymous
    let again = Queue::open(name)?; // in this process or in another one
    unlink(name)?; // open handles go on
                   // ANCHOR_END: names
    jobs.put(b"still here")?;
    assert_eq!(again.try_get()?, b"still here");
    assert_eq!(Queue::open(name).err(), Some(Status::E_NOT_FOUND));
    Ok(())
}

#[test]
fn queue() -> Result<()> {
    let mut seen = Vec::new();
    let mut work = |job: &[u8]| seen.extend_from_slice(job);
    // ANCHOR: queue
    let options = QueueOptions {
        joinable: true,
        max_items: 1000,
        ..Default::default()
    };
    let jobs = Queue::create(None, &options)?;
    jobs.put(b"cat.png")?;
    jobs.put_timeout(b"dog.png", Duration::from_millis(100))?; // E_FULL: still full
    jobs.shutdown(false)?; // no more messages come
    for job in &jobs {
        let job = job?;
        work(&job);
        job.done()?; // killed or dropped before this: another worker gets the job
    }
    jobs.join()?;
    // ANCHOR_END: queue
    assert_eq!(seen, b"cat.pngdog.png");
    Ok(())
}

#[test]
fn slot() -> Result<()> {
    let jobs = Queue::create(None, &QueueOptions::default())?;
    // ANCHOR: slot
    let mut room = jobs.reserve(100)?; // written in place: no copy
    room[..7].copy_from_slice(b"cat.png");
    room.commit(7)?;

    let job = jobs.take_timeout(Duration::from_secs(1))?; // read in place
    match job.deliveries() {
        4.. => job.give_back()?,
        _ => job.done()?,
    }
    // ANCHOR_END: slot
    assert!(jobs.is_empty()?);
    Ok(())
}

#[test]
fn settled() -> Result<()> {
    let jobs = Queue::create(None, &QueueOptions::default())?;
    // ANCHOR: settled
    let id = jobs.put_id(b"cat.png", Wait::FOREVER)?;
    assert_eq!(jobs.settled(id)?, Settled::Waiting);
    jobs.take()?.done()?;
    assert_eq!(jobs.settled(id)?, Settled::Done);
    // ANCHOR_END: settled
    Ok(())
}

#[test]
fn locks() -> Result<()> {
    let mut repaired = false;
    let mut repair = || repaired = true;
    // ANCHOR: lock
    let lock = Lock::create(None, CreateOptions::default())?;
    let held = lock.lock_timeout(Duration::from_secs(1))?;
    if held.owner_died() {
        repair(); // a process was killed while it held the lock
    }
    drop(held); // released
                // ANCHOR_END: lock
                // ANCHOR: rlock
    let rlock = Rlock::create(None, CreateOptions::default())?;
    let outer = rlock.lock()?;
    let inner = rlock.lock()?; // the same thread
                               // ANCHOR_END: rlock
    assert_eq!(rlock.depth()?, 2);
    drop((inner, outer));
    assert!(!repaired);
    Ok(())
}

#[test]
fn semaphore() -> Result<()> {
    // ANCHOR: semaphore
    let options = SemaphoreOptions {
        initial: 4,
        owned: true, // a killed process gives its permits back
        ..Default::default()
    };
    let connections = Semaphore::create(None, &options)?;
    let permit = connections.permit_timeout(Duration::from_secs(1))?;
    drop(permit); // released
                  // ANCHOR_END: semaphore
    assert_eq!(connections.value()?, 4);
    Ok(())
}

#[test]
fn event() -> Result<()> {
    // ANCHOR: event
    let ready = Event::create(None, CreateOptions::default())?;
    std::thread::scope(|scope| {
        scope.spawn(|| ready.set());
        ready.wait()
    })?;
    // ANCHOR_END: event
    assert!(ready.is_set()?);
    Ok(())
}

// ANCHOR: condition
type Outcome<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Opens the lock, the condition and the file. An empty file means that there is no bread.
fn kitchen(name: &str, file: &Path) -> Outcome<(Lock, Condition, File)> {
    let open = CreateOptions::OPEN_OR_CREATE;
    let lock = Lock::create(Some(&format!("{name}.lock")), open)?;
    let changed = Condition::create(Some(&format!("{name}.bread")), open)?;
    let bread = File::options().append(true).create(true).open(file)?;
    Ok((lock, changed, bread))
}

fn bake(name: &str, file: &Path) -> Outcome {
    let (lock, changed, mut bread) = kitchen(name, file)?;
    let _held = lock.lock()?;
    bread.write_all(b"bread")?;
    Ok(changed.notify_all()?)
}

fn eat(name: &str, file: &Path) -> Outcome {
    let (lock, changed, bread) = kitchen(name, file)?;
    let mut held = lock.lock()?;
    while bread.metadata()?.len() == 0 {
        changed.wait(&mut held)?; // held.owner_died(): a process was killed inside, check the file
    }
    Ok(())
}
// ANCHOR_END: condition

/// Eats in this process; bakes in a second one, which is this test again.
#[test]
fn condition() -> Outcome {
    const NAME: &str = "RUST_BOOK_KITCHEN";
    let file = |name: &str| std::env::temp_dir().join(name);
    if let Ok(name) = std::env::var(NAME) {
        return bake(&name, &file(&name));
    }
    let Name(name) = &Name::new("kitchen");
    let _unlinked = [Name(format!("{name}.lock")), Name(format!("{name}.bread"))];
    let program = std::env::current_exe()?.into_os_string().into_vec();
    let arguments = ["--exact", "condition"].map(|argument| argument.into());
    let mut options = ProcessOptions::program([program].into_iter().chain(arguments))?;
    options.env.push(CString::new(format!("{NAME}={name}"))?);
    options.stdout = Stdio::Null;
    let baker = Process::spawn(&options)?;
    let ate = eat(name, &file(name));
    baker.join()?;
    let bread = std::fs::read(file(name));
    std::fs::remove_file(file(name))?;
    ate?;
    assert_eq!((bread?, baker.exit_code()?), (b"bread".to_vec(), 0));
    Ok(())
}

#[test]
fn barrier() -> Result<()> {
    // ANCHOR: barrier
    let start = Barrier::create(None, CreateOptions::default(), 2)?;
    let (mine, other) = std::thread::scope(|scope| {
        let other = scope.spawn(|| start.wait());
        (start.wait(), other.join())
    }); // 0 and 1, in any order; E_BROKEN_BARRIER if the other one dies
        // ANCHOR_END: barrier
    assert_eq!(mine? + other.unwrap()?, 1);
    Ok(())
}

#[test]
fn connections() -> Result<()> {
    // ANCHOR: pipe
    let (mine, theirs) = pipe(true)?;
    mine.send(b"hello")?;
    let got = theirs.recv()?;
    // ANCHOR_END: pipe
    assert_eq!(got, b"hello");
    // ANCHOR: listener
    let options = ListenerOptions {
        authkey: Some(b"secret".to_vec()),
        ..Default::default()
    };
    let listener = Listener::new("tcp://127.0.0.1:0", &options)?;
    let address = listener.address();
    let greeting = std::thread::scope(|scope| {
        // Client of Python's multiprocessing too.
        scope.spawn(|| connect(&address, &options)?.send(b"hello"));
        listener.accept()?.recv()
    })?;
    // ANCHOR_END: listener
    assert_eq!(greeting, b"hello");
    Ok(())
}

#[test]
fn process() -> Result<()> {
    // ANCHOR: process
    let jobs = Queue::create(None, &QueueOptions::default())?;
    let mut options = ProcessOptions::program(["sh", "-c", "exit 7"])?;
    options.handles.push(InheritHandle {
        name: "jobs".into(), // the child: Queue::from_fd(inherited("jobs", Kind::Queue)?)
        kind: Kind::Queue,
        fd: jobs.raw_fd(),
    });
    let child = Process::spawn(&options)?;
    child.join()?;
    let code = child.exit_code()?; // minus the number of the signal if one killed it
                                   // ANCHOR_END: process
    assert_eq!(code, 7);
    assert_eq!(
        inherited("jobs", Kind::Queue).err(),
        Some(Status::E_NOT_FOUND)
    );
    Ok(())
}

#[test]
fn pool() -> Result<()> {
    // ANCHOR: pool
    let length = |data: &[u8], reply: &mut Reply| {
        reply.write(data.len().to_string().as_bytes());
        0 // another number: the task has failed, and the reply says why
    };
    worker::register("length", Arc::new(length))?; // a worker program: then worker::run()
    let pool = Pool::create(&PoolOptions {
        workers: 2,
        max_attempts: 3, // the task of a killed worker runs again
        ..Default::default()
    })?;
    let task = pool.submit("length", b"four", &TaskOptions::default())?;
    let result = task.result()?;
    pool.shutdown()?;
    pool.join()?;
    // ANCHOR_END: pool
    assert_eq!(result, b"4");
    Ok(())
}

#[test]
fn waiting() -> Result<()> {
    let jobs = Queue::create(None, &QueueOptions::default())?;
    let stop = Event::create(None, CreateOptions::default())?;
    stop.set()?;
    // ANCHOR: waiting
    let token = Cancel::default(); // fire() is safe in a signal handler
    let wait = Wait::from(Duration::from_secs(10)).or_cancel(&token);
    let ready = wait_any_timeout(&[Waitable::Get(&jobs), Waitable::Event(&stop)], wait)?;
    if ready == [1] {
        token.fire(); // ends every wait with this token
    }
    // ANCHOR_END: waiting
    assert_eq!(jobs.get_timeout(wait), Err(Status::E_CANCELED));
    Ok(())
}

// ANCHOR: errors
fn open_or_explain(name: &str) -> std::result::Result<Queue, Error> {
    let queue = Queue::open(name)?; // `?` makes an Error of the Status
    match queue.put_timeout(b"hello", Duration::from_secs(1)) {
        Err(Status::E_FULL) => eprintln!("{name} is full"),
        other => other?,
    }
    Ok(queue)
}
// ANCHOR_END: errors

#[test]
fn errors() {
    let error = open_or_explain("rust-book.no-such-queue").unwrap_err();
    assert_eq!(error.status(), Status::E_NOT_FOUND);
    let text = error.to_string();
    assert!(
        text.contains("open queue \"rust-book.no-such-queue\""),
        "{text}"
    );
}

#[test]
fn looking() -> Result<()> {
    let unique = Name::new("looked-at");
    let name = unique.0.as_str();
    let jobs = Queue::create(Some(name), &QueueOptions::default())?;
    jobs.put(b"cat.png")?;
    // ANCHOR: inspect
    for object in inspect::objects()? {
        println!("{}: {} processes", object.name, object.users());
    }
    // ANCHOR_END: inspect
    assert_eq!(inspect::object(name)?.users(), 1);
    Ok(())
}

#[cfg(feature = "serde")]
#[test]
fn typed() -> std::result::Result<(), Error> {
    let unique = Name::new("typed");
    let name = unique.0.as_str();
    // ANCHOR: serde
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Job {
        path: String,
        width: u32,
    }
    let mut options = QueueOptions::OPEN_OR_CREATE;
    options.format[..7].copy_from_slice(b"msgpack");
    let jobs = TypedQueue::<Job>::from(Queue::create(Some(name), &options)?);
    jobs.put(&Job {
        path: "cat.png".into(),
        width: 80,
    })?; // Go, Node and Python see {"path": "cat.png", "width": 80}
    let (job, message) = jobs.take()?;
    message.done()?;
    // ANCHOR_END: serde
    assert_eq!((job.path.as_str(), job.width), ("cat.png", 80));
    Ok(())
}

#[cfg(feature = "tokio")]
#[tokio::test(flavor = "current_thread")]
async fn awaited() -> Result<()> {
    // ANCHOR: tokio
    let jobs = Arc::new(Queue::create(None, &QueueOptions::default())?);
    let awaited = AsyncQueue::new(Arc::clone(&jobs))?;
    jobs.put(b"cat.png")?;
    let job = awaited.take().await?;
    job.done()?;
    // ANCHOR_END: tokio
    assert!(jobs.is_empty()?);
    Ok(())
}
