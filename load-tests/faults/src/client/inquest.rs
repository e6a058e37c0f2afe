//! After healing: a round of every kind of message, all of which must be approved, and then one
//! definite answer to everything that was ever sent. It owns who is asked how often; it judges
//! nothing.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::time::Instant;

use super::Client;
use super::requests::Draw;
use crate::checker::asks::AskKind;
use crate::checker::history::{Reply, Request, Stan, What};

/// Messages that name no other and must all be approved once everything has healed.
const AFTER_HEALING: usize = 40;
/// Asked at a time.
const AT_ONCE: usize = 32;
/// Answered requests that are asked about again.
const SAMPLE: usize = 60;
/// By then the service must be back (I12).
const HEALED_WITHIN: Duration = Duration::from_secs(30);

/// What must be approved after healing.
pub(crate) struct LastRound;

impl LastRound {
    /// Waits until one purchase is approved, then sends as many as must be: messages of every kind,
    /// and what follows some of them.
    pub(crate) async fn make(client: &mut Client) -> Result<()> {
        let began = Instant::now();
        loop {
            let healed = began.elapsed() < HEALED_WITHIN;
            ensure!(healed, "no purchase was approved within {HEALED_WITHIN:?} of healing");
            let made = [client.deck.sure(AskKind::Purchase)];
            send_batch(client, &made).await?;
            if all_approved(client, &made.map(|draw| draw.stan)) {
                break;
            }
        }
        let names_none = |kind: &AskKind| !kind.completes() && *kind != AskKind::Increment;
        let kinds = AskKind::ALL.into_iter().filter(names_none).cycle().take(AFTER_HEALING);
        let first: Vec<Draw> = kinds.map(|kind| client.deck.sure(kind)).collect();
        send_batch(client, &first).await?;
        let mut stans: Vec<Stan> = first.iter().map(|draw| draw.stan).collect();
        if all_approved(client, &stans) {
            let following = following(client, &stans);
            send_batch(client, &following).await?;
            stans.extend(following.iter().map(|draw| draw.stan));
        }
        client.recorder.must_be_approved(stans);
        Ok(())
    }
}

/// What follows the first of each kind: each another, so that their order does not matter.
fn following(client: &mut Client, first: &[Stan]) -> Vec<Draw> {
    let mut of = |kind: AskKind| {
        let is_of = |stan: &&Stan| match client.deck.what(**stan) {
            Some(What::Ask(ask)) => ask.kind == kind,
            _ => false,
        };
        first.iter().find(is_of).copied().unwrap_or_default()
    };
    let follows = [AskKind::Purchase, AskKind::Preauthorization, AskKind::Advice].map(&mut of);
    let taken_back = [AskKind::Cash, AskKind::Payment, AskKind::Refund].map(&mut of);
    let kinds = [AskKind::Completion, AskKind::Increment, AskKind::CompletingRequest];
    let mut draws: Vec<Draw> = follows
        .into_iter()
        .zip(kinds)
        .map(|(of, kind)| client.deck.following(kind, of, 100))
        .collect();
    for (of, (standing, advice)) in taken_back.into_iter().zip([(0, false), (50, false), (0, true)])
    {
        draws.push(client.deck.fresh(What::Reversal { of, standing, advice }));
    }
    draws
}

async fn send_batch(client: &mut Client, draws: &[Draw]) -> Result<()> {
    for draw in draws {
        send_when_there_is_room(client, draw).await?;
    }
    settle(client).await
}

fn all_approved(client: &Client, stans: &[Stan]) -> bool {
    client.recorder.look(|history| {
        stans.iter().all(|stan| history.requests.get(stan).is_some_and(Request::is_approved))
    })
}

async fn send_when_there_is_room(client: &mut Client, draw: &Draw) -> Result<()> {
    let by = Instant::now() + HEALED_WITHIN;
    loop {
        client.open_links().await?;
        if client.has_links() && client.outstanding() < AT_ONCE {
            let at = client.any_link();
            return client.send(at, draw);
        }
        ensure!(Instant::now() < by, "no link could be opened for {HEALED_WITHIN:?}");
        client.receive(Duration::from_millis(20)).await?;
    }
}

/// Asks twice about everything that was never answered, and once about a sample of the rest. A
/// decline because nothing could be committed in time is not remembered: that is not asked about.
pub(crate) async fn ask_all(client: &mut Client) -> Result<()> {
    let (unanswered, answered) = client.recorder.look(|history| {
        let (mut unanswered, mut answered) = (Vec::new(), Vec::new());
        for (stan, request) in &history.requests {
            let draw = Draw { stan: *stan, what: request.what, repeat: true };
            if request.replies.is_empty() {
                unanswered.push(draw);
            } else if !request.replies.iter().any(Reply::is_forgotten) {
                answered.push(draw);
            }
        }
        (unanswered, answered)
    });
    client.inquest = true;
    let step = (answered.len() / SAMPLE).max(1);
    for draw in unanswered.iter().chain(answered.iter().step_by(step)) {
        send_when_there_is_room(client, draw).await.context("asking again")?;
    }
    settle(client).await?;
    for draw in &unanswered {
        send_when_there_is_room(client, draw).await.context("asking for the second time")?;
    }
    settle(client).await
}

async fn settle(client: &mut Client) -> Result<()> {
    while client.outstanding() > 0 {
        client.receive(Duration::from_millis(50)).await?;
    }
    Ok(())
}
