//! Puts the jobs of the book's work queue.

use polyproc::{Queue, QueueOptions};

fn main() -> Result<(), polyproc::Error> {
    let options = QueueOptions {
        joinable: true,
        ..QueueOptions::OPEN_OR_CREATE
    };
    let jobs = Queue::create(Some("book.jobs"), &options)?;
    for number in 1..=10 {
        jobs.put(format!("page {number}").as_bytes())?;
    }
    jobs.join()?; // until each job is done, whoever does it
    let again = jobs.info()?.redelivered;
    println!("10 jobs are done, {again} of them were delivered again");
    jobs.shutdown(false)?; // the workers' loops end
    polyproc::unlink("book.jobs")?;
    Ok(())
}
