//! iceoryx2, publish and subscribe. Modes: copy (copied in and out, sleeping on its event), take
//! (copied in, read in place), loan (in place on both sides), and the same polling: polling,
//! take-polling, loan-polling. A publisher of a full subscriber retries inside the library.

use std::ffi::c_int;
use std::slice;

use iceoryx2::port::{
    listener::Listener, notifier::Notifier, publisher::Publisher, subscriber::Subscriber,
};
use iceoryx2::prelude::*;
use iceoryx2::sample::Sample;
use iceoryx2::sample_mut_uninit::SampleMutUninit;
use peers::{back_off, run, unique, ways, Local, Peer, Setup, PRODUCER};

struct Shape {
    name: String,
    size: usize,
    capacity: usize,
    polls: bool,
}

struct Sender {
    publisher: Publisher<ipc::Service, [u8], ()>,
    notifier: Notifier<ipc::Service>,
    lent: Option<SampleMutUninit<ipc::Service, [std::mem::MaybeUninit<u8>], ()>>,
}

struct Receiver {
    subscriber: Subscriber<ipc::Service, [u8], ()>,
    listener: Listener<ipc::Service>,
    lent: Option<Sample<ipc::Service, [u8], ()>>,
}

static SHAPE: Local<Shape> = Local::empty();
static NODE: Local<Node<ipc::Service>> = Local::empty();
static SENDERS: [Local<Sender>; 2] = [const { Local::empty() }; 2];
static RECEIVERS: [Local<Receiver>; 2] = [const { Local::empty() }; 2];

unsafe extern "C" fn create(setup: &'static Setup) {
    set_log_level(LogLevel::Error);
    let is_loan = setup.is("loan") || setup.is("loan-polling");
    let is_take = setup.is("take") || setup.is("take-polling");
    ways.loan_in = c_int::from(is_loan);
    ways.loan_out = c_int::from(is_loan || is_take);
    let polls = setup.is("polling") || setup.is("loan-polling") || setup.is("take-polling");
    SHAPE.set(Shape {
        name: unique(c"iox2"),
        size: setup.size,
        capacity: setup.capacity,
        polls,
    });
}

/// A directory of its own, so that nothing of a run remains.
fn config() -> Config {
    let name = &SHAPE.get().name;
    let mut config = Config::default();
    config.global.prefix = FileName::new(format!("{name}_").as_bytes()).unwrap();
    config
        .global
        .set_root_path(&Path::new(format!("/tmp/{name}").as_bytes()).unwrap());
    config
}

unsafe extern "C" fn join(channel: c_int, role: c_int, _index: c_int) {
    let shape = SHAPE.get();
    let node = NODE.get_or_set(|| {
        NodeBuilder::new()
            .config(&config())
            .create::<ipc::Service>()
            .unwrap()
    });
    let service = node
        .service_builder(&format!("messages{channel}").as_str().try_into().unwrap())
        .publish_subscribe::<[u8]>()
        .payload_alignment(Alignment::new(16).unwrap())
        .enable_safe_overflow(false)
        .subscriber_max_buffer_size(shape.capacity)
        .open_or_create()
        .unwrap();
    let event = node
        .service_builder(&format!("event{channel}").as_str().try_into().unwrap())
        .event()
        .open_or_create()
        .unwrap();
    if role == PRODUCER {
        let publisher = service
            .publisher_builder()
            .initial_max_slice_len(shape.size)
            .backpressure_strategy(BackpressureStrategy::RetryUntilDelivered)
            .create()
            .unwrap();
        let notifier = event.notifier_builder().create().unwrap();
        SENDERS[channel as usize].set(Sender {
            publisher,
            notifier,
            lent: None,
        });
    } else {
        let subscriber = service.subscriber_builder().create().unwrap();
        let listener = event.listener_builder().create().unwrap();
        RECEIVERS[channel as usize].set(Receiver {
            subscriber,
            listener,
            lent: None,
        });
    }
}

fn notify(sender: &Sender) {
    if !SHAPE.get().polls {
        sender.notifier.notify().unwrap();
    }
}

fn receive(receiver: &Receiver) -> Sample<ipc::Service, [u8], ()> {
    let mut tries = 0;
    loop {
        if let Some(sample) = receiver.subscriber.receive().unwrap() {
            return sample;
        }
        if SHAPE.get().polls {
            back_off(&mut tries);
        } else {
            receiver.listener.blocking_wait(|_| {}).unwrap();
        }
    }
}

unsafe extern "C" fn put(channel: c_int, data: *const u8, len: usize) {
    let sender = SENDERS[channel as usize].get();
    let slot = sender.publisher.loan_slice_uninit(len).unwrap();
    slot.write_from_slice(slice::from_raw_parts(data, len))
        .send()
        .unwrap();
    notify(sender);
}

unsafe extern "C" fn get(channel: c_int, buf: *mut u8, cap: usize) -> usize {
    let sample = receive(RECEIVERS[channel as usize].get());
    let len = sample.payload().len();
    slice::from_raw_parts_mut(buf, cap)[..len].copy_from_slice(sample.payload());
    len
}

unsafe extern "C" fn reserve(channel: c_int, len: usize) -> *mut u8 {
    let sender = SENDERS[channel as usize].get();
    let slot = sender
        .lent
        .insert(sender.publisher.loan_slice_uninit(len).unwrap());
    slot.payload_mut().as_mut_ptr().cast()
}

unsafe extern "C" fn commit(channel: c_int, _len: usize) {
    let sender = SENDERS[channel as usize].get();
    sender.lent.take().unwrap().assume_init().send().unwrap();
    notify(sender);
}

unsafe extern "C" fn take(channel: c_int, len: &mut usize) -> *const u8 {
    let receiver = RECEIVERS[channel as usize].get();
    let sample = receive(receiver);
    let sample = receiver.lent.insert(sample);
    *len = sample.payload().len();
    sample.payload().as_ptr()
}

unsafe extern "C" fn done(channel: c_int) {
    RECEIVERS[channel as usize].get().lent = None;
}

unsafe extern "C" fn destroy() {
    let name = &SHAPE.get().name;
    let _ = std::fs::remove_dir_all(format!("/tmp/{name}"));
    for entry in std::fs::read_dir("/dev/shm").unwrap().flatten() {
        if entry
            .file_name()
            .to_string_lossy()
            .starts_with(name.as_str())
        {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

#[no_mangle]
#[allow(non_upper_case_globals)]
static peer: Peer = Peer {
    destroy: Some(destroy),
    put: Some(put),
    get: Some(get),
    reserve: Some(reserve),
    commit: Some(commit),
    take: Some(take),
    done: Some(done),
    ..Peer::new(c"iceoryx2", create, join)
};

fn main() {
    run()
}
