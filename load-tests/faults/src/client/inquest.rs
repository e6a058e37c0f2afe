//! After healing: a fixed number of purchases that must all be approved, and then one definite
//! answer to everything that was ever sent. It owns who is asked how often; it judges nothing.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::time::Instant;

use super::Client;
use super::requests::Draw;
use crate::checker::history::{Reply, Request, Stan};

/// Purchases that must all be approved once everything has healed.
const AFTER_HEALING: usize = 40;
/// Asked at a time.
const AT_ONCE: usize = 32;
/// Answered requests that are asked about again.
const SAMPLE: usize = 60;
/// By then the service must be back (I12).
const HEALED_WITHIN: Duration = Duration::from_secs(30);

/// What the purchases after healing were.
pub(crate) struct Purchases;

impl Purchases {
    /// Waits until one purchase is approved, then makes as many as must be.
    pub(crate) async fn make(client: &mut Client) -> Result<()> {
        let began = Instant::now();
        loop {
            let healed = began.elapsed() < HEALED_WITHIN;
            ensure!(healed, "no purchase was approved within {HEALED_WITHIN:?} of healing");
            let made = send_batch(client, 1).await?;
            if all_approved(client, &made) {
                break;
            }
        }
        let made = send_batch(client, AFTER_HEALING).await?;
        client.recorder.must_be_approved(made);
        Ok(())
    }
}

async fn send_batch(client: &mut Client, count: usize) -> Result<Vec<Stan>> {
    let mut made = Vec::new();
    while made.len() < count {
        let draw = client.deck.sure_purchase();
        made.push(draw.stan);
        send_when_there_is_room(client, &draw).await?;
    }
    while client.outstanding() > 0 {
        client.receive(Duration::from_millis(50)).await?;
    }
    Ok(made)
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
