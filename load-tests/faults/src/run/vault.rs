//! The keys of card numbers, rotated beside a switch under load: the rotation ends at K19 again and
//! again, before a commit and after one, and the next run goes on. It owns that nothing is left at
//! the end, so that the key before can be destroyed.

use anyhow::{Context, Result, ensure};
use rand::RngExt;
use serde_json::Value;

use super::process::Launch;
use super::stage::Stage;

/// Runs until it must be done: each passes a row and a half on average, and there are a dozen.
const MOST: usize = 200;

pub(super) async fn rotation(stage: &mut Stage<'_>) -> Result<()> {
    stage.moment().await?;
    let launch = stage.launch.clone();
    good(&launch, &["rotate"]).await?;
    let mut ended = 0;
    loop {
        ensure!(ended < MOST, "a rotation that is resumed does not come to its end");
        let after = stage.random.random_range(1..=6);
        let point = format!("K19:abort:after={after}");
        let (done, said) = launch.vault(&["reencrypt"], Some(point)).await?;
        if done {
            ensure!(said.contains(", 0 left"), "it is done, and says: {said}");
            break;
        }
        ensure!(said.contains("fail point K19"), "it ended elsewhere: {said}");
        ended += 1;
    }
    ensure!(ended > 0, "the fail point is not reached");
    let status: Value = serde_json::from_str(&good(&launch, &["status", "--json"]).await?)?;
    ensure!(status["left"] == 0, "left: {status}");
    let old = status["keys"].as_array().into_iter().flatten().find(|key| key["state"] == "old");
    let old = old.and_then(|key| key["key"].as_str()).context("the key before")?;
    good(&launch, &["retire", old]).await?;
    stage.fired(format!("a rotation ended at K19 {ended} time(s), and was done"));
    stage.more_replies(100).await;
    Ok(())
}

async fn good(launch: &Launch, arguments: &[&str]) -> Result<String> {
    let (good, said) = launch.vault(arguments, None).await?;
    ensure!(good, "{arguments:?}: {said}");
    Ok(said)
}
