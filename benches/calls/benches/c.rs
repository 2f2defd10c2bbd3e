//! The cost of a C call, alone with its object, with argument checks and the entry into the handle.

use std::hint::black_box;
use std::mem::size_of;
use std::ptr::{null, null_mut};
use std::time::Duration;

use criterion::{criterion_group, criterion_main, BenchmarkId, Criterion, Throughput};
use polyproc::ffi::{
    event::*, lock::*, queue::many::*, queue::message::*, queue::options::*, queue::*, semaphore::*,
};

const FOREVER: i64 = -1;
const BATCH: usize = 32;

fn ok(status: i32) {
    assert!(status >= 0, "status {status}");
}

fn queue() -> *mut polyproc_queue {
    let mut queue = null_mut();
    // SAFETY: all zero is valid options but for their size.
    let mut options: polyproc_queue_options = unsafe { std::mem::zeroed() };
    options.size = size_of::<polyproc_queue_options>();
    options.max_items = 1024;
    // SAFETY: the options and the pointer to the handle are valid.
    ok(unsafe { polyproc_queue_create(null(), &options, &mut queue) });
    queue
}

// In all below, SAFETY: the handle is open, buffers have the lengths that are given, each loan is
// settled once.

fn messages(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("queue in C");
    for size in [8, 64, 1024, 64 << 10] {
        let (queue, message, mut buffer, mut len) = (queue(), vec![1u8; size], vec![0u8; size], 0);
        let data = message.as_ptr().cast();
        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::new("put + get", size), |bencher| {
            bencher.iter(|| unsafe {
                ok(polyproc_queue_put(
                    queue,
                    black_box(data),
                    size,
                    FOREVER,
                    null_mut(),
                ));
                ok(polyproc_queue_get(
                    queue,
                    buffer.as_mut_ptr().cast(),
                    size,
                    &mut len,
                    FOREVER,
                    null_mut(),
                ));
            })
        });
        group.bench_function(
            BenchmarkId::new("reserve + commit + take + done", size),
            |bencher| {
                bencher.iter(|| unsafe {
                    let mut slot = std::mem::zeroed();
                    ok(polyproc_queue_reserve(
                        queue,
                        size,
                        &mut slot,
                        FOREVER,
                        null_mut(),
                    ));
                    ok(polyproc_slot_commit(&mut slot, size));
                    let mut message = std::mem::zeroed();
                    ok(polyproc_queue_take(
                        queue,
                        &mut message,
                        FOREVER,
                        null_mut(),
                    ));
                    ok(polyproc_message_done(&mut message));
                })
            },
        );
        group.throughput(Throughput::Elements(BATCH as u64));
        group.bench_function(
            BenchmarkId::new("put_many + take_many of 32 + done", size),
            |bencher| {
                let items: [polyproc_slice; BATCH] =
                    std::array::from_fn(|_| polyproc_slice { data, len: size });
                // SAFETY: all zero is an empty message.
                let mut taken: [polyproc_message; BATCH] = unsafe { std::mem::zeroed() };
                bencher.iter(|| unsafe {
                    let mut count = 0;
                    ok(polyproc_queue_put_many(
                        queue,
                        items.as_ptr(),
                        BATCH,
                        &mut count,
                        FOREVER,
                        null_mut(),
                    ));
                    ok(polyproc_queue_take_many(
                        queue,
                        taken.as_mut_ptr(),
                        BATCH,
                        &mut count,
                        FOREVER,
                        null_mut(),
                    ));
                    taken[..count]
                        .iter_mut()
                        .for_each(|message| ok(polyproc_message_done(message)));
                })
            },
        );
        unsafe { polyproc_queue_close(queue) };
    }
    group.finish();
}

fn others(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("others in C");
    let (mut lock, mut semaphore, mut event) = (null_mut(), null_mut(), null_mut());
    unsafe {
        ok(polyproc_lock_create(null(), null(), &mut lock));
        ok(polyproc_semaphore_create(null(), null(), &mut semaphore));
        ok(polyproc_semaphore_release(semaphore, 1));
        ok(polyproc_event_create(null(), null(), &mut event));
    }
    group.bench_function("lock: acquire + release", |bencher| {
        bencher.iter(|| unsafe {
            ok(polyproc_lock_acquire(lock, FOREVER, null_mut()));
            ok(polyproc_lock_release(lock));
        })
    });
    group.bench_function("semaphore: acquire + release", |bencher| {
        bencher.iter(|| unsafe {
            ok(polyproc_semaphore_acquire(semaphore, FOREVER, null_mut()));
            ok(polyproc_semaphore_release(semaphore, 1));
        })
    });
    group.bench_function("event: set + wait + clear", |bencher| {
        bencher.iter(|| unsafe {
            ok(polyproc_event_set(event));
            ok(polyproc_event_wait(event, FOREVER, null_mut()));
            ok(polyproc_event_clear(event));
        })
    });
    group.finish();
    unsafe {
        polyproc_lock_close(lock);
        polyproc_semaphore_close(semaphore);
        polyproc_event_close(event);
    }
}

criterion_group! {
    name = calls;
    config = Criterion::default().warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_millis(600)).sample_size(20);
    targets = messages, others
}
criterion_main!(calls);
