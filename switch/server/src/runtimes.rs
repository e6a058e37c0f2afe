//! The threads of the process: those of links and shards, and apart from them those of management
//! and of projection, so that neither a report nor the rows behind the answers take a turn from an
//! authorization. It owns their number, their names, and who gives way to whom.

use std::future::Future;

use anyhow::Context;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;

use crate::config::Threads;

/// The runtime of links and shards.
///
/// # Errors
/// The system gives no threads.
pub(crate) fn main(threads: &Threads) -> anyhow::Result<Runtime> {
    let workers = match threads.links {
        0 => processors().div_ceil(2),
        links => usize::from(links),
    };
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(workers);
    builder.enable_all().thread_name("cardswitch").build().context("starting threads")
}

/// Those that this process may use, by its affinity and its group's quota.
fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// The priority (nice) of management's threads: beside authorizations that wait for a processor, a
/// call of the API or a look at the metrics waits a little longer, and is still served.
const GIVES_WAY: i32 = 5;

/// A runtime beside that of links and shards. Ends with this, without waiting: whoever stops the
/// switch has waited for its tasks.
#[derive(Debug)]
pub(crate) struct Apart(Option<Runtime>);

impl Apart {
    /// Threads of HTTP, the control socket and upkeep.
    pub(crate) fn for_management(threads: &Threads) -> anyhow::Result<Self> {
        Self::start("management", threads.management, give_way)
    }

    /// Threads of the projectors.
    pub(crate) fn for_projection(threads: &Threads) -> anyhow::Result<Self> {
        Self::start("projection", threads.projection, || {})
    }

    fn start(name: &str, threads: u16, begin: fn()) -> anyhow::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(usize::from(threads.max(1)))
            .enable_all()
            .thread_name(name)
            .on_thread_start(begin)
            .build()
            .with_context(|| format!("starting threads for {name}"))?;
        Ok(Self(Some(runtime)))
    }

    /// For others to run tasks on it.
    pub(crate) fn handle(&self) -> Option<Handle> {
        self.0.as_ref().map(|runtime| runtime.handle().clone())
    }

    /// Runs a task on it.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        match &self.0 {
            Some(runtime) => runtime.spawn(task),
            None => tokio::spawn(task),
        }
    }
}

/// For the thread that calls it, and for as long as it lives.
fn give_way() {
    if rustix::process::setpriority_process(None, GIVES_WAY).is_err() {
        tracing::warn!("management has the priority of authorizations");
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
