//! A link that dials: it keeps one connection to the first of its peers' addresses that can be had,
//! for ever. It owns when the next attempt is made, and that there is never more than one
//! connection; what happens on it is the connection's affair, which is the same as a listening
//! link's.

mod connect;
mod schedule;
mod settings;

use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::schedule::Schedule;
pub use self::settings::{Dialling, host_of};
use crate::connection::{Connection, Use};
use crate::link::Link;
use crate::standing::Mode;
use crate::switch::Switch;

/// Dials and serves until `shutdown`, but not while the link is drained.
pub(crate) async fn run<S: Switch>(
    link: &Arc<Link<S>>,
    dialling: &Dialling,
    shutdown: &CancellationToken,
) {
    tracing::info!(link = %link.config.name, addresses = ?dialling.addresses, "dialling");
    let mut modes = link.standing.modes();
    let mut schedule = Schedule::new(dialling);
    loop {
        tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            () = until(&mut modes, |mode| mode != Mode::Drained) => {}
        }
        let stop = shutdown.child_token();
        let serving = dial_until(link, dialling, &mut schedule, &stop);
        tokio::pin!(serving);
        tokio::select! {
            () = &mut serving => {}
            () = until(&mut modes, |mode| mode == Mode::Drained) => {
                stop.cancel();
                serving.await;
            }
        }
    }
    tracing::info!(link = %link.config.name, "closed");
}

/// Waits for a mode. A link that nobody can command any more keeps the one that it has.
async fn until(modes: &mut watch::Receiver<Mode>, wanted: fn(Mode) -> bool) {
    if modes.wait_for(|mode| wanted(*mode)).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// One connection after the other, until `stop`.
async fn dial_until<S: Switch>(
    link: &Arc<Link<S>>,
    dialling: &Dialling,
    schedule: &mut Schedule,
    stop: &CancellationToken,
) {
    let mut at_once = true;
    loop {
        let wait = if at_once { None } else { Some(schedule.wait(rand::random())) };
        at_once = false;
        let attempt = async {
            if let Some(wait) = wait {
                tokio::time::sleep(wait).await;
            }
            let place = schedule.next();
            let address = dialling.addresses.get(place).map_or("", String::as_str);
            link.standing.dials();
            (address, connect::connect(link, dialling, address).await)
        };
        let (address, connected) = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            connected = attempt => connected,
        };
        match connected {
            Ok(reached) => {
                let of_use = serve(link, dialling, reached, stop).await;
                if stop.is_cancelled() {
                    return;
                }
                if of_use {
                    schedule.succeeded();
                } else {
                    link.standing.dial_failed("of_no_use");
                    schedule.failed();
                }
            }
            Err(error) => {
                link.standing.dial_failed(error.cause());
                schedule.failed();
                let again_within_ms = schedule.most().as_millis();
                let link = &link.config.name;
                tracing::warn!(link, address, %error, again_within_ms, "not connected");
            }
        }
    }
}

/// Serves one connection to its end; true where it was of use. One that ends before a message came
/// was not, unless it lasted, and never one on which the peer did not let us sign on: neither may
/// be dialled again without a pause.
async fn serve<S: Switch>(
    link: &Arc<Link<S>>,
    dialling: &Dialling,
    reached: connect::Reached,
    stop: &CancellationToken,
) -> bool {
    let since = Instant::now();
    link.standing.opened();
    let connection = match Connection::new(Arc::clone(link), reached.wire, reached.peer) {
        Ok(connection) => connection,
        // The framing was checked when the link was opened.
        Err(error) => {
            tracing::error!(link = %link.config.name, %error, "framing");
            return false;
        }
    };
    let served = tokio::spawn(connection.serve(stop.clone())).await;
    match served {
        Ok(Use::Heard) => true,
        Ok(Use::Silent) => since.elapsed() > dialling.longest_wait,
        Ok(Use::Refused) => false,
        Err(error) => {
            link.note_defect(&error);
            false
        }
    }
}
