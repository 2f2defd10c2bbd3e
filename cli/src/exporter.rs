//! `polyproc exporter`

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use polyproc::inspect::{self, Object, QueueState, State};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use crate::failure::Outcome;
use crate::http::{Listen, Reply};
use crate::leases::Leases;
use crate::streams;

/// Serve the numbers of all objects to Prometheus, at /metrics.
///
/// The metrics are listed in docs/book/reference/metrics.md.
#[derive(Args)]
#[command(after_help = "\
Examples:
  polyproc exporter --for 1s
  polyproc exporter --once > polyproc.prom")]
pub struct Exporter {
    /// The address
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9477")]
    listen: SocketAddr,
    /// Print the metrics once and exit
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    server: Listen,
}

impl Exporter {
    pub fn run(self) -> Outcome {
        let mut leases = Leases::default();
        if self.once {
            streams::print(scrape(&mut leases)?.as_bytes())?;
            return Ok(ExitCode::SUCCESS);
        }
        self.server.serve(self.listen, "/metrics", |path| {
            let body = match path {
                "/metrics" => scrape(&mut leases).ok()?,
                _ => return None,
            };
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            Some(Reply {
                body,
                headers: vec![("Content-Type", kind.to_owned())],
            })
        })
    }
}

fn scrape(leases: &mut Leases) -> io::Result<String> {
    let objects = inspect::objects().map_err(|status| io::Error::other(status.to_string()))?;
    let ages = leases.ages(&objects);
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Sample { objects, ages }));
    let mut text = String::new();
    encode(&mut text, &registry).map_err(io::Error::other)?;
    Ok(text)
}

/// One look at all objects.
#[derive(Debug)]
struct Sample {
    objects: Vec<Object>,
    ages: HashMap<String, Duration>,
}

type Labels = [(&'static str, String); 2];

fn labels(object: &Object) -> Labels {
    let kind = object.kind.map_or("unknown", |kind| kind.name());
    [("name", object.name.clone()), ("kind", kind.to_owned())]
}

impl Sample {
    fn queues(&self) -> impl Iterator<Item = (&Object, &QueueState)> {
        self.objects
            .iter()
            .filter_map(|object| match &object.state {
                Some(State::Queue(queue)) => Some((object, queue)),
                _ => None,
            })
    }

    /// The locks and rlocks, and whether a process holds them.
    fn locks(&self) -> impl Iterator<Item = (&Object, bool)> {
        self.objects.iter().filter_map(|object| match object.state {
            Some(State::Lock { is_held, .. }) => Some((object, is_held)),
            Some(State::Rlock { depth, .. }) => Some((object, depth > 0)),
            _ => None,
        })
    }

    /// A metric with one value for each object that has it.
    fn family<M: EncodeMetric>(
        encoder: &mut DescriptorEncoder<'_>,
        (name, help): (&str, &str),
        kind: MetricType,
        values: impl Iterator<Item = (Labels, M)>,
    ) -> fmt::Result {
        let mut family = encoder.encode_descriptor(name, help, None, kind)?;
        for (labels, metric) in values {
            metric.encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }

    /// A family of gauges.
    fn gauges<'o>(
        encoder: &mut DescriptorEncoder<'_>,
        described: (&str, &str),
        values: impl Iterator<Item = (&'o Object, f64)>,
    ) -> fmt::Result {
        let values = values.map(|(object, value)| (labels(object), ConstGauge::new(value)));
        Sample::family(encoder, described, MetricType::Gauge, values)
    }
}

type Number = fn(&Object, &QueueState) -> u64;

const QUEUE_GAUGES: [(&str, &str, Number); 7] = [
    ("polyproc_queue_items", "Messages that wait", |_, queue| {
        queue.waiting
    }),
    (
        "polyproc_queue_in_flight",
        "Messages got or taken and not settled",
        |_, queue| queue.in_flight,
    ),
    (
        "polyproc_queue_unfinished",
        "Messages that wait or are in flight",
        |_, queue| queue.unfinished(),
    ),
    (
        "polyproc_queue_dead_letters",
        "Messages that were delivered too often",
        |_, queue| queue.dead_letters,
    ),
    (
        "polyproc_queue_bytes",
        "Bytes of all messages that are not over",
        |_, queue| queue.bytes,
    ),
    (
        "polyproc_queue_waiters",
        "Threads that sleep in the queue",
        |object, _| object.asleep(),
    ),
    (
        "polyproc_queue_participants",
        "Processes that use the queue",
        |object, _| object.users() as u64,
    ),
];

const QUEUE_COUNTERS: [(&str, &str, Number); 5] = [
    ("polyproc_queue_puts", "Messages put", |_, queue| queue.puts),
    ("polyproc_queue_gets", "Messages got", |_, queue| queue.gets),
    (
        "polyproc_queue_redelivered",
        "Messages that came back",
        |_, queue| queue.redelivered,
    ),
    (
        "polyproc_queue_discarded",
        "Messages discarded",
        |_, queue| queue.discarded,
    ),
    (
        "polyproc_queue_recoveries",
        "Times that dead processes were recovered",
        |object, _| object.recoveries,
    ),
];

impl Collector for Sample {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let encoder = &mut encoder;
        for (name, help, number) in QUEUE_GAUGES {
            let values = self.queues();
            let values = values.map(|(object, queue)| (object, number(object, queue) as f64));
            Sample::gauges(encoder, (name, help), values)?;
        }
        for (name, help, number) in QUEUE_COUNTERS {
            let values = self.queues().map(|(object, queue)| {
                let counter = ConstCounter::new(number(object, queue));
                (labels(object), counter)
            });
            Sample::family(encoder, (name, help), MetricType::Counter, values)?;
        }
        let ages = self.queues().map(|(object, _)| {
            let age = self.ages.get(&object.name).copied();
            (object, age.unwrap_or_default().as_secs_f64())
        });
        let described = (
            "polyproc_queue_oldest_lease_seconds",
            "Seconds since the oldest message in flight was got or taken",
        );
        Sample::gauges(encoder, described, ages)?;

        let held = self.locks();
        let held = held.map(|(object, is_held)| (object, f64::from(u8::from(is_held))));
        let described = ("polyproc_lock_held", "Whether a process holds the lock");
        Sample::gauges(encoder, described, held)?;
        let waiters = self.locks();
        let waiters = waiters.map(|(object, _)| (object, object.asleep() as f64));
        let described = ("polyproc_lock_waiters", "Threads that sleep at the lock");
        Sample::gauges(encoder, described, waiters)?;

        let memory = self.objects.iter();
        let memory = memory.map(|object| (object, object.memory as f64));
        let described = (
            "polyproc_shm_bytes",
            "Shared memory that the object occupies",
        );
        Sample::gauges(encoder, described, memory)
    }
}
