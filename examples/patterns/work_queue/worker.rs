//! A worker of the book's work queue.

use polyproc::{Queue, QueueOptions};
use std::time::Duration;

fn main() -> Result<(), polyproc::Error> {
    let seconds = std::env::args()
        .nth(1)
        .map_or(1.0, |text| text.parse().expect("seconds")); // that a job takes
    let options = QueueOptions {
        joinable: true,
        ..QueueOptions::OPEN_OR_CREATE
    };
    let jobs = Queue::create(Some("book.jobs"), &options)?;
    for job in &jobs {
        let job = job?;
        println!("begins {}", String::from_utf8_lossy(&job));
        std::thread::sleep(Duration::from_secs_f64(seconds));
        println!("ends {}", String::from_utf8_lossy(&job));
        job.done()?; // killed before this: another worker gets the job
    }
    Ok(())
}
