//! Threads that parse chunks of all sources.

use crossbeam_channel::{Sender, unbounded};

type Job = Box<dyn FnOnce() + Send>;

/// A fixed number of threads that work off jobs in the order of submission. They end when the pool
/// is dropped and the jobs are done.
pub(crate) struct Pool {
    jobs: Sender<Job>,
}

impl Pool {
    pub(crate) fn new(threads: usize) -> std::io::Result<Self> {
        let (jobs, queue) = unbounded::<Job>();
        for number in 0..threads {
            let queue = queue.clone();
            let name = format!("pathway:parse-{number}");
            std::thread::Builder::new().name(name).spawn(move || queue.iter().for_each(|job| job()))?;
        }
        Ok(Pool { jobs })
    }

    /// Submits a job; how many wait is bounded by whoever submits.
    pub(crate) fn submit(&self, job: Job) {
        // The threads live as long as the sender, so the channel is open.
        let _closed = self.jobs.send(job);
    }
}
