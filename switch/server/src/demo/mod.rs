//! `cardswitch demo`: the whole thing at once, on a private PostgreSQL. It owns the story: set up
//! by engine commands, traffic by the simulator as a second process, stop, audit as a third. It
//! prints what happened, and one JSON object as its last line.

mod keys;
mod manifest;
mod plan;
mod seed;
mod summary;
mod traffic;
mod verified;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use switch_shard::TakeoverMode;

use crate::app::App;
use crate::cli::DemoArgs;
use crate::commands::stop_signal;
use crate::config::{AttackMode, Config, Link, LinkPin};
use crate::telemetry;

use keys::BureauKeys;
use summary::{Money, Outside};

/// Runs the demo.
///
/// # Errors
/// A part of it does not start or stop; what it finds wrong is its exit code instead.
pub async fn run(args: DemoArgs) -> anyhow::Result<ExitCode> {
    std::fs::create_dir_all(&args.dir).with_context(|| format!("making {}", args.dir.display()))?;
    let data = fresh_data(&args.dir)?;
    let mut config = configuration(&data);
    let keys = keys::make(&args, &mut config, &data.join("keys")).await?;
    telemetry::start_logging(&config.log);
    eprintln!("Starting a switch on a private PostgreSQL in {} ...", data.display());
    let app = App::start(&config, TakeoverMode::RefuseIfOwned).await?;
    let result = with_switch(&args, &config, &keys, app).await;
    if result.is_ok() {
        // Data of a demo that went wrong is kept: somebody will want to look.
        let _ = std::fs::remove_dir_all(&data);
    }
    result
}

/// An empty directory for this run's data, beside those of runs that went wrong.
fn fresh_data(dir: &Path) -> anyhow::Result<PathBuf> {
    let name = format!("data-{}", std::process::id());
    let wanted = std::path::absolute(dir)?.join(name);
    let data = switch_store::private_postgres::reachable_data_dir(&wanted);
    if data.exists() {
        std::fs::remove_dir_all(&data).with_context(|| format!("clearing {}", data.display()))?;
    }
    std::fs::create_dir_all(&data).with_context(|| format!("making {}", data.display()))?;
    Ok(data)
}

/// Ports by binding 0, on loopback only, everything in one directory.
fn configuration(data: &Path) -> Config {
    let mut config = Config::default();
    config.database.data_dir = data.join("postgres");
    config.security.pan_key_file = data.join("keys").join("pan.key");
    config.security.mac_key_file = data.join("keys").join("mac.key");
    config.security.key_file = data.join("keys").join("switch.keys");
    config.control.socket = data.join("cardswitch.sock");
    config.journal.archive_dir = data.join("archive");
    config.journal.lost_dir = data.join("lost");
    config.http.listen.set_port(0);
    // Half of what the shop of the verified cards asks for has a wrong code, on purpose: that is
    // what an attack looks like. It is named, and refused nothing: each wrong thing is to be seen.
    config.attacks.mode = AttackMode::Shadow;
    config.log.filter = std::env::var("CARDSWITCH_LOG__FILTER").unwrap_or_else(|_| "warn".into());
    let free = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let mut link = Link { id: 1, listen: Some(free), ..Link::default() };
    link.lock_bins.push(format!("{:08}", seed::BIN.0));
    link.lock_codes.push(traffic::LOCK.number());
    config.links.insert("demo".into(), link);
    // What is settled over a link of its own can be reconciled by who settled it.
    let network = Link { id: 2, listen: Some(free), ..Link::default() };
    config.links.insert(traffic::NETWORK.into(), network);
    let pin = LinkPin { key: keys::ZONE.into(), keys: Default::default(), formats: vec![0] };
    let terminals = Link { id: 3, listen: Some(free), pin: Some(pin), ..Link::default() };
    config.links.insert(traffic::TERMINALS.into(), terminals);
    config
}

async fn with_switch(
    args: &DemoArgs,
    config: &Config,
    keys: &BureauKeys,
    app: App,
) -> anyhow::Result<ExitCode> {
    eprintln!("Making a programme, a partner with a deposit, and {} cards ...", args.cards);
    let set_up = match seed::seed(app.services(), args.cards).await {
        Ok(set_up) => set_up,
        Err(error) => {
            let _ = app.stop().await;
            return Err(error);
        }
    };
    let manifest = args.dir.join("demo.json");
    manifest::write(&manifest, app.addresses(), app.database_url(), (&set_up, keys))?;
    let path = manifest.to_str().context("the demo's directory has a name that is not UTF-8")?;
    let said = traffic::bureau(args, &["references", "--demo", path]).await?;
    verified::personalise(app.services(), &set_up.verified, &said).await?;
    eprintln!("Wrote {}: addresses and test cards.", manifest.display());
    if args.seconds == 0 {
        manifest::explain(app.addresses(), &set_up, &manifest);
        stop_signal().await;
        app.stop().await?;
        return Ok(ExitCode::SUCCESS);
    }
    let before = Money::now(app.services(), &set_up).await;
    let (driven, verified) =
        tokio::join!(traffic::drive(args, &manifest), traffic::verified(args, &manifest));
    let locked = traffic::lock_outside(args, app.addresses(), &set_up).await;
    let reconciled = traffic::settle_and_reconcile(args, app.addresses(), &set_up).await;
    let after = Money::now(app.services(), &set_up).await;
    let declined = summary::declined_by_reason();
    let shadowed = summary::would_decline();
    eprintln!("Stopping the switch ...");
    app.stop().await?;
    let report = driven?;
    let audit = traffic::audit(config).await?;
    let verified = verified?;
    let outside = Outside { locked: locked?, reconciled: reconciled?, shadowed, verified };
    summary::print(&report, &audit, &declined, before, after);
    Ok(summary::conclude(&report, &audit, &declined, &outside))
}
