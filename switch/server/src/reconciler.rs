//! Answers the reconciliations of all links, one after the other, each within the deadline of its
//! link. It owns that what is not known in time is told to be unknown; the totals are the
//! management services'.

use admin_api::{ReconciliationSettings, Services};
use metrics::counter;
use switch_domain::ReconciliationAnswer;
use switch_network::AskedReconciliation;
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;

/// How many wait while one is answered; one more is told that there are no totals.
pub(crate) const ROOM: usize = 16;

/// Runs until it is stopped.
pub(crate) async fn run(
    services: Services,
    settings: ReconciliationSettings,
    mut asked: Receiver<AskedReconciliation>,
    stop: CancellationToken,
) {
    loop {
        let next = tokio::select! {
            next = asked.recv() => next,
            () = stop.cancelled() => return,
        };
        let Some(asked) = next else { return };
        let known = services.reconcile(&settings, &asked.ask);
        let answer = match tokio::time::timeout_at(asked.deadline, known).await {
            Ok(Ok(answer)) => answer,
            // What is wrong with the database is in the log.
            Ok(Err(_)) | Err(_) => ReconciliationAnswer::NotAvailable,
        };
        note(&asked, &answer);
        asked.answer(answer);
    }
}

fn note(asked: &AskedReconciliation, answer: &ReconciliationAnswer) {
    let outcome = match answer {
        ReconciliationAnswer::Totals { agrees: Some(true), .. } => "in_balance",
        ReconciliationAnswer::Totals { agrees: Some(false), .. } => "out_of_balance",
        ReconciliationAnswer::Totals { agrees: None, .. } => "provided",
        ReconciliationAnswer::Duplicate => "duplicate",
        ReconciliationAnswer::NotAvailable => "not_available",
    };
    let link = asked.ask.link.0;
    let label = link.to_string();
    counter!("cardswitch_reconciliations_total", "link" => label, "outcome" => outcome)
        .increment(1);
    if matches!(outcome, "out_of_balance" | "not_available") {
        tracing::warn!(link, outcome, "a reconciliation; see `cardswitch reconciliation list`");
    }
}
