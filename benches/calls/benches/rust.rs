//! The cost of a Rust call, alone with its object.

use std::hint::black_box;
use std::time::Duration;

use criterion::{criterion_group, criterion_main, BenchmarkId, Criterion, Throughput};
use polyproc::{
    pipe, CreateOptions, Event, Lock, Message, Queue, QueueOptions, Semaphore, SemaphoreOptions,
};

const BATCH: usize = 32;

fn queue() -> Queue {
    let options = QueueOptions {
        max_items: 1024,
        ..QueueOptions::default()
    };
    Queue::create(None, &options).unwrap()
}

fn messages(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("queue in Rust");
    for size in [8, 64, 1024, 64 << 10] {
        let (queue, message) = (queue(), vec![1u8; size]);
        let mut buffer = vec![0u8; size];
        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::new("put + get", size), |bencher| {
            bencher.iter(|| {
                queue.put(black_box(&message)).unwrap();
                queue.get_into(&mut buffer).unwrap()
            })
        });
        group.bench_function(
            BenchmarkId::new("reserve + commit + take + done", size),
            |bencher| {
                bencher.iter(|| {
                    queue.reserve(size).unwrap().commit(size).unwrap();
                    queue.take().unwrap().done()
                })
            },
        );
        group.throughput(Throughput::Elements(BATCH as u64));
        group.bench_function(
            BenchmarkId::new("put_many + take_many of 32 + done_many", size),
            |bencher| {
                let batch = [&message[..]; BATCH];
                bencher.iter(|| {
                    queue.put_many(black_box(&batch)).unwrap();
                    Message::done_many(queue.take_many(BATCH).unwrap())
                })
            },
        );
    }
    group.finish();
}

fn others(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("others in Rust");
    let lock = Lock::create(None, CreateOptions::default()).unwrap();
    group.bench_function("lock: acquire + release", |bencher| {
        bencher.iter(|| {
            lock.acquire().unwrap();
            lock.release()
        })
    });
    let permits = SemaphoreOptions {
        initial: 1,
        ..SemaphoreOptions::default()
    };
    let semaphore = Semaphore::create(None, &permits).unwrap();
    group.bench_function("semaphore: acquire + release", |bencher| {
        bencher.iter(|| {
            semaphore.acquire().unwrap();
            semaphore.release(1)
        })
    });
    let event = Event::create(None, CreateOptions::default()).unwrap();
    group.bench_function("event: set + wait + clear", |bencher| {
        bencher.iter(|| {
            event.set().unwrap();
            event.wait().unwrap();
            event.clear()
        })
    });
    let (reader, writer) = pipe(false).unwrap();
    let mut buffer = [0u8; 64];
    group.bench_function("pipe: send + recv of 64 bytes", |bencher| {
        bencher.iter(|| {
            writer.send(black_box(&[1; 64])).unwrap();
            reader.recv_into(&mut buffer).unwrap()
        })
    });
    group.bench_function("queue: create + close", |bencher| bencher.iter(queue));
    group.finish();
}

criterion_group! {
    name = calls;
    config = Criterion::default().warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_millis(600)).sample_size(20);
    targets = messages, others
}
criterion_main!(calls);
