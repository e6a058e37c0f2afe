//! What the bench is asked to do. It owns the defaults, and that a quick run is said to be one.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};

use super::conventional::ServeArguments;
use super::subject::cards::Population;

/// Measures the switch against a conventional server and against the machine's limits, on a private
/// PostgreSQL with durable settings.
#[derive(Clone, Debug, Parser)]
#[command(name = "cardswitch-bench", version)]
pub struct Arguments {
    /// Tens of seconds instead of minutes: few cards, two short runs. For a look, not for a figure
    #[arg(long)]
    pub quick: bool,
    /// Runs of each load; their median is the figure
    #[arg(long, env = "BENCH_RUNS")]
    pub runs: Option<usize>,
    /// Seconds that one run of a load is measured for
    #[arg(long, env = "BENCH_SECONDS")]
    pub seconds: Option<u64>,
    /// Cards
    #[arg(long, env = "BENCH_CARDS")]
    pub cards: Option<usize>,
    /// Partners, each with its own deposit
    #[arg(long, env = "BENCH_PARTNERS", default_value_t = 10)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=900))]
    pub partners: u16,
    /// Where the data and the report go
    #[arg(long, env = "BENCH_DIR", default_value = "target/bench")]
    pub dir: PathBuf,
    /// The switch [default: cardswitch beside this program]
    #[arg(long, env = "BENCH_SWITCH")]
    pub switch: Option<PathBuf>,
    /// Only the switch at saturation: the shortest way to a figure for somebody who tunes it
    #[arg(long)]
    pub saturation: bool,
    /// Only the switch at 1,000 a second beside the commit of one small row
    #[arg(long, conflicts_with = "saturation")]
    pub latency: bool,
    /// Only the switch at so many requests a second
    #[arg(long, value_name = "PER_SECOND", conflicts_with_all = ["saturation", "latency"])]
    pub rate: Option<u32>,
    /// Only what the verification of chip, PIN and code costs the switch
    #[arg(long, conflicts_with_all = ["saturation", "latency", "rate"])]
    pub verified: bool,
    /// Only what a flood of the management API costs authorizations
    #[arg(long, conflicts_with_all = ["saturation", "latency", "rate", "verified"])]
    pub api_flood: bool,
    /// Only what it costs that all traffic is one partner's
    #[arg(long, conflicts_with_all = ["saturation", "latency", "rate", "verified", "api_flood"])]
    pub one_partner: bool,
    /// Over so many connections
    #[arg(long, default_value_t = 8, requires = "rate")]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=64))]
    pub connections: u16,
    /// Instead of everything else: so many seconds at 80 % of saturation
    #[arg(long, value_name = "SECONDS", conflicts_with = "restart")]
    pub sustained: Option<u64>,
    /// Instead of everything else: a start over a tail of so many authorizations
    #[arg(long, value_name = "RECORDS")]
    pub restart: Option<u64>,
    #[command(subcommand)]
    pub(crate) serve: Option<Serve>,
}

/// Servers that the bench starts as processes of their own.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Serve {
    /// The conventional server
    #[command(hide = true)]
    ServeConventional(ServeArguments),
    /// The echo of the bench's own frames
    #[command(hide = true)]
    ServeEcho,
}

impl Arguments {
    /// Runs of each load.
    pub(crate) fn runs(&self) -> usize {
        self.runs.unwrap_or(if self.quick { 2 } else { 5 }).max(1)
    }

    /// How long a run is measured for.
    pub(crate) fn window(&self) -> Duration {
        Duration::from_secs(self.seconds.unwrap_or(if self.quick { 3 } else { 5 }).max(1))
    }

    /// Pairs of floor and load, and how long each half of one is.
    pub(crate) fn pairs(&self) -> (usize, Duration) {
        let (pairs, seconds) = if self.quick { (3, 3) } else { (7, 10) };
        (pairs, Duration::from_secs(seconds))
    }

    /// What the report is called: a short look must not replace a whole one.
    pub(crate) fn report_name(&self) -> &'static str {
        match (self.sustained, self.restart) {
            (Some(_), _) => "report-sustained.json",
            (_, Some(_)) => "report-restart.json",
            _ if self.saturation => "report-saturation.json",
            _ if self.latency => "report-latency.json",
            _ if self.verified => "report-verified.json",
            _ if self.api_flood => "report-api-flood.json",
            _ if self.one_partner => "report-one-partner.json",
            _ if self.rate.is_some() => "report-rate.json",
            _ => "report.json",
        }
    }

    /// Who has cards.
    pub(crate) fn population(&self) -> Population {
        Population { partners: usize::from(self.partners), cards: self.cards() }
    }

    /// Cards to make.
    pub(crate) fn cards(&self) -> usize {
        self.cards.unwrap_or(if self.quick { 5_000 } else { 100_000 }).max(1)
    }
}
