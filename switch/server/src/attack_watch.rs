//! What becomes of the news of the watch over attempts: a line in the log, a row that lasts,
//! metrics. It owns that an alarm is out within seconds, and that what the database does not take
//! now is tried again. Who is blocked is the watch's affair: no block waits for this.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use admin_api::Services;
use metrics::{counter, gauge};
use metrics::{describe_counter, describe_gauge};
use switch_attacks::{Kind, News, Watch, What};
use switch_domain::Acquirer;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::clock::now;

/// How far apart it looks.
const EVERY: Duration = Duration::from_secs(1);
/// How far apart what is too old is let go.
const FORGET_EVERY: Duration = Duration::from_secs(3_600);
/// The sorts of entries, in the order of the watch.
const SORTS: [&str; 4] = ["pair", "merchant", "bin", "acquirer"];

/// Describes the metrics of this file to the installed recorder.
pub(crate) fn describe() {
    describe_counter!(
        "cardswitch_attack_attempts_total",
        "Attempts that look like guessing cards, by what was wrong or small of them"
    );
    describe_counter!(
        "cardswitch_attack_refused_total",
        "Attempts that met a block, by whether it refused them or was in shadow"
    );
    describe_gauge!("cardswitch_attack_blocks", "Merchants and BINs that are blocked, by mode");
    describe_gauge!("cardswitch_attack_entries", "Whose attempts are counted, by sort");
    describe_counter!(
        "cardswitch_attack_forgotten_total",
        "Whose counts were dropped since there was no room for more, by sort"
    );
    describe_counter!(
        "cardswitch_attack_news_total",
        "Limits that were reached, by what came of it"
    );
    describe_counter!(
        "cardswitch_attack_untold_total",
        "Limits that were reached and not told, since there were too many"
    );
    describe_counter!(
        "cardswitch_attack_write_errors_total",
        "Times that the database did not take such news; they are tried again"
    );
}

/// Runs until it is stopped; what is new then is kept first.
pub(crate) async fn run(
    (watch, keep_days): (Option<Arc<Watch>>, u32),
    services: Services,
    stop: CancellationToken,
) {
    let Some(watch) = watch else { return };
    let mut telling = Telling { watch, services, unwritten: VecDeque::new(), lost: 0 };
    let mut every = tokio::time::interval(EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut next_forget = Instant::now();
    loop {
        let ends = tokio::select! {
            _ = every.tick() => false,
            () = stop.cancelled() => true,
        };
        telling.round().await;
        if ends {
            return;
        }
        if Instant::now() >= next_forget {
            next_forget = Instant::now().checked_add(FORGET_EVERY).unwrap_or(next_forget);
            // What is wrong with the database is in the log.
            let _ = telling.services.forget_attacks(keep_days).await;
        }
    }
}

struct Telling {
    watch: Arc<Watch>,
    services: Services,
    /// Told, and not in the table yet; as many at most as may be untold.
    unwritten: VecDeque<News>,
    /// Those that found no room there.
    lost: u64,
}

impl Telling {
    async fn round(&mut self) {
        for news in self.watch.tidy(now()) {
            tell(&news);
            if self.unwritten.len() < self.watch.settings().untold {
                self.unwritten.push_back(news);
            } else {
                self.lost = self.lost.saturating_add(1);
            }
        }
        self.show();
        while let Some(news) = self.unwritten.front() {
            if self.services.note_attack(news).await.is_err() {
                counter!("cardswitch_attack_write_errors_total").increment(1);
                return;
            }
            self.unwritten.pop_front();
        }
    }

    fn show(&self) {
        let figures = self.watch.figures();
        for (kind, count) in Kind::ALL.into_iter().zip(figures.counted) {
            counter!("cardswitch_attack_attempts_total", "kind" => kind.name()).absolute(count);
        }
        for (mode, blocks, met) in [
            ("block", figures.blocks, figures.refused),
            ("shadow", figures.shadow_blocks, figures.shadowed),
        ] {
            gauge!("cardswitch_attack_blocks", "mode" => mode).set(blocks as f64);
            counter!("cardswitch_attack_refused_total", "mode" => mode).absolute(met);
        }
        let sorts = SORTS.into_iter().zip(figures.entries).zip(figures.dropped);
        for ((sort, entries), dropped) in sorts {
            gauge!("cardswitch_attack_entries", "of" => sort).set(entries as f64);
            counter!("cardswitch_attack_forgotten_total", "of" => sort).absolute(dropped);
        }
        let untold = figures.untold.saturating_add(self.lost);
        counter!("cardswitch_attack_untold_total").absolute(untold);
    }
}

/// A line for whoever is on duty. No card number is in it: the watch has none.
fn tell(news: &News) {
    let News { subject, kind, count, limit, what, .. } = *news;
    counter!("cardswitch_attack_news_total", "what" => what.name()).increment(1);
    let (of, kind) = (subject.name(), kind.name());
    let bin = subject.bin().map(|bin| bin.0);
    let acquirer = subject.acquirer().map(acquirer_name);
    let merchant = subject.merchant().map(|merchant| merchant.to_string());
    let (event, what_name) = ("attack", what.name());
    match what {
        What::Ended { met } => tracing::info!(
            target: "security", event, what = what_name, of, kind, bin, acquirer, merchant, met,
            "a block has ended"
        ),
        What::NotBlocked => tracing::error!(
            target: "security", event, what = what_name, of, kind, bin, acquirer, merchant, count,
            limit, "somebody tries cards, and too many are blocked already"
        ),
        What::Alarm | What::Blocked { .. } => tracing::warn!(
            target: "security", event, what = what_name, of, kind, bin, acquirer, merchant, count,
            limit, "somebody tries cards; see `cardswitch attacks list`"
        ),
    }
}

/// An acquirer for people.
pub(crate) fn acquirer_name(acquirer: Acquirer) -> String {
    match acquirer {
        Acquirer::Institution(number) => number.to_string(),
        Acquirer::Link(link) => format!("link {}", link.0),
    }
}
