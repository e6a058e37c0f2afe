//! `cardswitch serve`: a switch until it is told to stop, or must. It owns the signals.

use std::net::SocketAddr;
use std::process::ExitCode;

use switch_shard::{Fatal, TakeoverMode};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::app::{Addresses, App};
use crate::config::Config;
use crate::{production, time_source};

pub(super) async fn run(config: &Config, take_over: bool) -> anyhow::Result<ExitCode> {
    production::keep_memory_private();
    if config.links.is_empty() {
        tracing::warn!("no [links.<name>] is configured: no peer can connect");
    }
    let mode = if take_over { TakeoverMode::Force } else { TakeoverMode::RefuseIfOwned };
    let app = App::start(config, mode).await?;
    let stop = stop_signal();
    announce(app.addresses());
    let asks = config.clock.asks.clone();
    tokio::spawn(async move { time_source::tell(&asks).await });
    let mut fatal = app.fatal();
    let ended = tokio::select! {
        () = stop => None,
        reason = fatal.wait_for(Option::is_some) => reason.ok().and_then(|reason| reason.clone()),
    };
    match &ended {
        Some(reason) => tracing::error!(%reason, "ending"),
        None => app.note_heads(config).await,
    }
    if let Some(reason @ Fatal::JournalWentBack { .. }) = &ended {
        app.note_went_back(reason).await;
    }
    let stopped = app.stop().await;
    match ended {
        Some(reason) => Err(reason.into()),
        None => stopped.map(|()| ExitCode::SUCCESS),
    }
}

/// One line of JSON on standard output once everything is open: who asked for port 0 reads from it
/// which ports were given.
fn announce(addresses: &Addresses) {
    let by_name = |addresses: &[(String, SocketAddr)]| -> serde_json::Map<_, _> {
        let text =
            |(name, address): &(String, SocketAddr)| (name.clone(), address.to_string().into());
        addresses.iter().map(text).collect()
    };
    let (links, api) = (by_name(&addresses.links), by_name(&addresses.api));
    println!(
        "{}",
        serde_json::json!({
            "serving": {
                "links": links, "http": addresses.http, "control": addresses.control, "api": api,
            }
        })
    );
}

/// Ctrl-C or SIGTERM, from the call on and not from the first wait: who is told that a switch
/// serves may tell it to stop in the same moment.
pub(crate) fn stop_signal() -> impl Future<Output = ()> {
    let interrupt = signal(SignalKind::interrupt());
    let terminate = signal(SignalKind::terminate());
    async move {
        tokio::select! {
            () = comes(interrupt) => tracing::info!("interrupted, stopping"),
            () = comes(terminate) => tracing::info!("terminated, stopping"),
        }
    }
}

async fn comes(signal: std::io::Result<Signal>) {
    match signal {
        Ok(mut signal) => {
            signal.recv().await;
        }
        Err(_) => std::future::pending().await,
    }
}
