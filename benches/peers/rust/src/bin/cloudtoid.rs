//! cloudtoid-interprocess. Modes: copy (a reader of an empty queue waits), polling, many (batches
//! are sent). It has no way to wait for room, so the producer polls.

use std::ffi::c_int;
use std::fs::{read_dir, remove_dir_all, remove_file};
use std::path::Path;
use std::slice;

use cloudtoid_interprocess::{Options, Publisher, Subscriber};
use peers::{back_off, run, unique, ways, Local, Peer, Setup, View, PRODUCER};

static OPTIONS: Local<Vec<Options>> = Local::empty();
static POLLS: Local<bool> = Local::empty();
static PUBLISHERS: [Local<Publisher>; 2] = [const { Local::empty() }; 2];
static SUBSCRIBERS: [Local<Subscriber>; 2] = [const { Local::empty() }; 2];
static RECEIVED: Local<Vec<u8>> = Local::empty();

unsafe extern "C" fn create(setup: &'static Setup) {
    let capacity = setup.capacity * ((setup.size + 15) & !7);
    let names = [unique(c"cloudtoid0"), unique(c"cloudtoid1")];
    OPTIONS.set(
        names
            .map(|name| Options::new(name, capacity).with_path("/dev/shm"))
            .into(),
    );
    POLLS.set(setup.is("polling"));
    ways.batch = c_int::from(setup.is("many"));
}

unsafe extern "C" fn join(channel: c_int, role: c_int, _index: c_int) {
    let channel = channel as usize;
    let options = &OPTIONS.get()[channel];
    if role == PRODUCER {
        PUBLISHERS[channel].set(Publisher::open(options).unwrap());
    } else {
        SUBSCRIBERS[channel].set(Subscriber::open(options).unwrap());
    }
}

unsafe extern "C" fn put(channel: c_int, data: *const u8, len: usize) {
    let message = slice::from_raw_parts(data, len);
    let mut tries = 0;
    while let Err(error) = PUBLISHERS[channel as usize].get().try_send(message) {
        assert!(error.is_full(), "{error}");
        back_off(&mut tries);
    }
}

unsafe extern "C" fn put_many(channel: c_int, items: *const View, n: usize) {
    let views = slice::from_raw_parts(items, n);
    let messages: Vec<&[u8]> = views
        .iter()
        .map(|view| slice::from_raw_parts(view.data, view.len))
        .collect();
    let (mut sent, mut tries) = (0, 0);
    while sent < n {
        sent += PUBLISHERS[channel as usize]
            .get()
            .try_send_batch(&messages[sent..])
            .unwrap();
        if sent < n {
            back_off(&mut tries);
        }
    }
}

unsafe extern "C" fn get(channel: c_int, buf: *mut u8, cap: usize) -> usize {
    let buf = slice::from_raw_parts_mut(buf, cap);
    let subscriber = SUBSCRIBERS[channel as usize].get();
    if !*POLLS.get() {
        let message = subscriber.recv().unwrap();
        buf[..message.len()].copy_from_slice(&message);
        return message.len();
    }
    let mut tries = 0;
    loop {
        match subscriber.try_recv_into(buf).unwrap() {
            Some(len) => return len,
            None => back_off(&mut tries),
        }
    }
}

unsafe extern "C" fn take_many(channel: c_int, out: *mut View, _max: usize) -> usize {
    let message = RECEIVED.set(SUBSCRIBERS[channel as usize].get().recv().unwrap());
    *out = View {
        data: message.as_ptr(),
        len: message.len(),
    };
    1
}

unsafe extern "C" fn destroy() {
    for options in OPTIONS.get() {
        remove_below(Path::new("/dev/shm"), &options.name);
    }
}

/// Remove the files and folders below `folder` whose name contains `part`. The library keeps a
/// queue's memory until somebody removes its files, which lie in several folders of its own.
fn remove_below(folder: &Path, part: &str) {
    for entry in read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let is_ours = name.to_string_lossy().contains(part);
        match (is_ours, is_folder) {
            (true, true) => remove_dir_all(path).unwrap(),
            (true, false) => remove_file(path).unwrap(),
            (false, true) => remove_below(&path, part),
            (false, false) => {}
        }
    }
}

#[no_mangle]
#[allow(non_upper_case_globals)]
static peer: Peer = Peer {
    destroy: Some(destroy),
    put: Some(put),
    get: Some(get),
    put_many: Some(put_many),
    take_many: Some(take_many),
    ..Peer::new(c"cloudtoid", create, join)
};

fn main() {
    run()
}
