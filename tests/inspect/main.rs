//! Looking at objects from outside: what is found, that nothing is disturbed, and that nothing that
//! is read is believed.

mod accounts;
mod damage;
mod messages;
mod objects;
mod support;

use polyproc::{Lock, Queue};

/// Not a test by itself: the body of the processes that `child` starts. It ends when its standard
/// input does.
#[test]
fn child_process() {
    let Ok(role) = std::env::var("INSPECT_ROLE") else {
        return;
    };
    let name = std::env::var("INSPECT_NAME").expect("a name");
    let wait = || {
        let _ = std::io::read_to_string(std::io::stdin());
    };
    match role.as_str() {
        "takes two" => {
            let queue = Queue::open(&name).unwrap();
            let _one = queue.take().unwrap();
            let _two = queue.take().unwrap();
            wait();
        }
        "takes one" => {
            let queue = Queue::open(&name).unwrap();
            let _one = queue.take().unwrap();
            wait();
        }
        "puts" => {
            let queue = Queue::open(&name).unwrap();
            while queue.put(b"a message").is_ok() {}
        }
        "gets" => {
            let _ = Queue::open(&name).unwrap().get();
        }
        "locks" => {
            let lock = Lock::open(&name).unwrap();
            let _guard = lock.lock().unwrap();
            wait();
        }
        other => panic!("no role {other}"),
    }
}
