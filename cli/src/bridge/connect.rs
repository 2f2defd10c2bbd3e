//! The connection to the servers, and its credentials.

use std::env;
use std::fmt::Display;
use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_nats::jetstream::context::ContextBuilder;
use async_nats::jetstream::Context;
use async_nats::{Client, ConnectErrorKind, ConnectOptions, Event};
use clap::Args;
use tokio::sync::watch;

use super::stop::Stop;
use super::target::Target;
use super::trouble::Trouble;
use crate::failure::{Failure, ERROR, NO_SUCH_OBJECT, USAGE};

/// How long a server may take to answer. Then the request is repeated, or the command fails.
pub const ANSWER: Duration = Duration::from_secs(5);
/// Two of these without an answer, and the connection is made anew.
const PING: Duration = Duration::from_secs(5);
const LONGEST_RECONNECT: Duration = Duration::from_secs(1);

/// Files with credentials. The names of their variables are in the help of `bridge`.
#[derive(Args)]
#[command(next_help_heading = "Credentials")]
pub struct Credentials {
    /// A file of credentials, as nsc makes them
    #[arg(long, value_name = "FILE")]
    creds: Option<PathBuf>,
    /// A file with the seed of an nkey
    #[arg(long, value_name = "FILE")]
    nkey: Option<PathBuf>,
    /// A file with a token
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Certificates of the authorities to trust, in PEM
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,
    /// This client's certificate, in PEM
    #[arg(long, value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// The key of this client's certificate, in PEM
    #[arg(long, value_name = "FILE")]
    tls_key: Option<PathBuf>,
}

impl Credentials {
    /// Connects once, or fails.
    pub async fn connect(&self, target: &Target) -> Result<Context, Failure> {
        let client = self.options()?.connect(&target.servers).await;
        Ok(context_of(client.map_err(Failure::remote)?))
    }

    /// Connects and finds something there, as often as it takes. `None`: a signal has come.
    pub async fn reach<T, F: Future<Output = Result<T, Attempt>>>(
        &self,
        target: &Target,
        stop: &mut Stop,
        find: impl Fn(Context) -> F,
    ) -> Result<Option<(Link, T)>, Failure> {
        let Some(link) = self.connect_at_last(target, stop).await? else {
            return Ok(None);
        };
        let find = || find(link.context.clone());
        let found = until_it_works(&target.stream, stop, find).await?;
        Ok(found.map(|found| (link, found)))
    }

    /// Connects, as often as it takes, and again whenever the connection is lost. `None`: a signal
    /// has come.
    async fn connect_at_last(
        &self,
        target: &Target,
        stop: &mut Stop,
    ) -> Result<Option<Link>, Failure> {
        let connect = || async {
            let (made, connections) = watch::channel(0);
            let options = self.options()?.event_callback(move |event| {
                if matches!(event, Event::Connected) {
                    // The first connection may be told of after the first request on it.
                    made.send_if_modified(|count| {
                        *count += 1;
                        *count > 1
                    });
                }
                async move { eprintln!("polyproc: nats: {event}") }
            });
            let client = options.connect(&target.servers).await;
            let client = client.map_err(|error| match error.kind() {
                ConnectErrorKind::Authentication
                | ConnectErrorKind::AuthorizationViolation
                | ConnectErrorKind::ServerParse
                | ConnectErrorKind::Tls => Attempt::Failed(Failure::remote(error)),
                _ => Attempt::Again(error.to_string()),
            })?;
            Ok(Link {
                context: context_of(client),
                connections,
            })
        };
        until_it_works(target.servers[0].host(), stop, connect).await
    }

    fn options(&self) -> Result<ConnectOptions, Failure> {
        let file = |given: &Option<PathBuf>, name| {
            let from_environment = || env::var_os(name).map(PathBuf::from);
            given.clone().or_else(from_environment)
        };
        let mut options = ConnectOptions::new()
            .name("polyproc bridge")
            .ping_interval(PING)
            .connection_timeout(ANSWER)
            .reconnect_delay_callback(delay);
        if let Some(path) = file(&self.creds, "NATS_CREDS") {
            let text = read(&path)?;
            options = options
                .credentials(&text)
                .map_err(|error| about(&path, error))?;
        }
        if let Some(path) = file(&self.nkey, "NATS_NKEY") {
            options = options.nkey(read(&path)?.trim().to_owned());
        }
        if let Some(path) = &self.token_file {
            options = options.token(read(path)?.trim().to_owned());
        } else if let Ok(token) = env::var("NATS_TOKEN") {
            options = options.token(token);
        }
        if let (Ok(user), Ok(password)) = (env::var("NATS_USER"), env::var("NATS_PASSWORD")) {
            options = options.user_and_password(user, password);
        }
        if let Some(path) = file(&self.tls_ca, "NATS_CA") {
            options = options.add_root_certificates(path).require_tls(true);
        }
        let pair = (
            file(&self.tls_cert, "NATS_CERT"),
            file(&self.tls_key, "NATS_KEY"),
        );
        match pair {
            (Some(cert), Some(key)) => {
                Ok(options.add_client_certificate(cert, key).require_tls(true))
            }
            (None, None) => Ok(options),
            _ => Err(Failure::new(USAGE, "a certificate and its key go together")),
        }
    }
}

/// How long to wait before an attempt to connect. The first one, with number 1, is made at once.
fn delay(attempt: usize) -> Duration {
    let failed = u32::try_from(attempt).unwrap_or(u32::MAX).saturating_sub(1);
    LONGEST_RECONNECT.min(Duration::from_millis(50).saturating_mul(failed))
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| about(path, error))
}

fn about(path: &Path, error: std::io::Error) -> Failure {
    Failure::from(error).about(path.display())
}

fn context_of(client: Client) -> Context {
    ContextBuilder::new().timeout(ANSWER).build(client)
}

/// A connection that is made again when it is lost.
pub struct Link {
    pub context: Context,
    /// How often it was made; it changes when it is made again. The server does not answer on it
    /// what it was asked on the last one.
    pub connections: watch::Receiver<u64>,
}

/// Why an attempt failed.
pub enum Attempt {
    /// It may work later.
    Again(String),
    Failed(Failure),
}

impl Attempt {
    /// A thing that a bridge needs is not there, or was not reached.
    pub fn to_find(is_missing: bool, missing: &str, error: impl Display) -> Attempt {
        match is_missing {
            true => Attempt::Failed(Failure::new(NO_SUCH_OBJECT, missing)),
            false => Attempt::Again(error.to_string()),
        }
    }
}

impl From<Attempt> for Failure {
    fn from(attempt: Attempt) -> Failure {
        match attempt {
            Attempt::Again(why) => Failure::remote(why),
            Attempt::Failed(failure) => failure,
        }
    }
}

impl From<Failure> for Attempt {
    fn from(failure: Failure) -> Attempt {
        Attempt::Failed(failure)
    }
}

/// Repeats an attempt until it works. `None`: a signal has come.
async fn until_it_works<T, F: Future<Output = Result<T, Attempt>>>(
    subject: &str,
    stop: &mut Stop,
    attempt: impl Fn() -> F,
) -> Result<Option<T>, Failure> {
    let mut trouble = Trouble::new(subject);
    loop {
        let pause = match attempt().await {
            Ok(value) => {
                trouble.is_over();
                return Ok(Some(value));
            }
            Err(Attempt::Failed(failure)) => return Err(failure.about(subject)),
            Err(Attempt::Again(why)) => trouble.pause(why),
        };
        tokio::select! {
            () = stop.asked() => return Ok(None),
            () = tokio::time::sleep(pause) => {}
        }
    }
}

impl Failure {
    /// A failure that a server or the connection to it has told.
    pub fn remote(error: impl Display) -> Failure {
        Failure::new(ERROR, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Every command waited 50 ms before it connected.
    #[test]
    fn the_first_connection_waited() {
        assert_eq!(delay(1), Duration::ZERO);
        assert_eq!(delay(3), Duration::from_millis(100));
        assert_eq!(delay(usize::MAX), LONGEST_RECONNECT);
    }
}
