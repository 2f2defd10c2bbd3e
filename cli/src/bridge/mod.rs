//! `polyproc bridge`: a queue that reaches over machines, by a stream of NATS JetStream.
//!
//! ```text
//! out       from a queue into a stream
//! inbound   from a stream into a queue
//! setup     the stream, the stream of its dead letters, and the consumer
//! status    what is in them
//! wait      until they are empty
//! target    nats://HOST/STREAM, and the names that follow from it
//! answers   of the server, to many requests at a time
//! connect   the connection and its credentials
//! local     the queue, as tasks of tokio use it
//! stop      the signals that end a bridge
//! trouble   how long to wait after a failure, and what to say of it
//! ```

mod answers;
mod connect;
mod inbound;
mod local;
mod out;
mod setup;
mod status;
mod stop;
mod target;
mod trouble;
mod wait;

use std::future::Future;

use clap::{Args, Subcommand};

use crate::failure::{Failure, Outcome};

/// Carry a queue to other machines, over a stream of NATS JetStream.
///
/// `out` publishes the messages of a queue, and marks each as done when the stream has it. `in`
/// puts the messages of a stream into a queue, and acknowledges each when it is done there. Every
/// message is done at least once, whichever bridge, server or machine is killed.
///
/// A stream is nats://HOST/STREAM, nats://HOST:PORT,HOST:PORT/STREAM with several servers, or
/// tls://HOST/STREAM.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Bridge {
    #[command(subcommand)]
    action: Action,
}

const EXAMPLES: &str = "\
Examples:
  polyproc bridge setup nats://127.0.0.1/JOBS
  polyproc bridge out jobs nats://127.0.0.1/JOBS
  polyproc bridge in nats://127.0.0.1/JOBS jobs
  polyproc bridge status nats://127.0.0.1/JOBS
  polyproc bridge wait nats://127.0.0.1/JOBS jobs --timeout 1m

Credentials are in files, or in the environment:
  NATS_CREDS     a file of credentials, as nsc makes them; --creds
  NATS_NKEY      a file with the seed of an nkey; --nkey
  NATS_TOKEN     a token; --token-file
  NATS_USER, NATS_PASSWORD
  NATS_CA, NATS_CERT, NATS_KEY   files in PEM for TLS; --tls-ca, --tls-cert, --tls-key";

#[derive(Subcommand)]
enum Action {
    Out(out::Out),
    In(inbound::In),
    Setup(setup::Setup),
    Status(status::StatusArgs),
    Wait(wait::WaitArgs),
}

impl Bridge {
    pub fn run(self) -> Outcome {
        match self.action {
            Action::Out(command) => block_on(command.run()),
            Action::In(command) => block_on(command.run()),
            Action::Setup(command) => block_on(command.run()),
            Action::Status(command) => block_on(command.run()),
            Action::Wait(command) => block_on(command.run()),
        }
    }
}

/// Runs a command in this thread.
fn block_on(command: impl Future<Output = Outcome>) -> Outcome {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().map_err(Failure::from)?;
    let outcome = runtime.block_on(command);
    // A thread of the runtime may still wait for room in the queue.
    runtime.shutdown_background();
    outcome
}
