//! The threads of the process: those of links and shards, and apart from them those of management,
//! so that a report or a burst of commands takes no turn from an authorization. It owns their
//! number and their names.

use std::future::Future;

use anyhow::Context;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use crate::config::Threads;

/// The runtime of links and shards.
///
/// # Errors
/// The system gives no threads.
pub(crate) fn main(threads: &Threads) -> anyhow::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    if threads.links > 0 {
        builder.worker_threads(usize::from(threads.links));
    }
    builder.enable_all().thread_name("cardswitch").build().context("starting threads")
}

/// The runtime of HTTP, the control socket and upkeep. Ends with this, without waiting: whoever
/// stops the switch has waited for its tasks.
#[derive(Debug)]
pub(crate) struct Management(Option<Runtime>);

impl Management {
    /// Starts its threads.
    pub(crate) fn start(threads: &Threads) -> anyhow::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(usize::from(threads.management.max(1)))
            .enable_all()
            .thread_name("management")
            .build()
            .context("starting threads for management")?;
        Ok(Self(Some(runtime)))
    }

    /// Runs a task on it.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        match &self.0 {
            Some(runtime) => runtime.spawn(task),
            None => tokio::spawn(task),
        }
    }
}

impl Drop for Management {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
