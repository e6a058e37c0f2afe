//! Whether the clock of this machine is kept right by others (P-25): asked once, at the start, of
//! the system's own program. A switch whose clock drifts ends holds and cards at the wrong moment,
//! and its records tell the wrong time. It decides nothing: a person is told.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

/// For an answer.
const WITHIN: Duration = Duration::from_secs(2);

/// What is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kept {
    Right,
    Not,
    /// Nobody says; why.
    Unknown(String),
}

/// Asks, and tells the log and `cardswitch_clock_synchronised`.
pub(crate) async fn tell(program: &Path) {
    metrics::describe_gauge!(
        "cardswitch_clock_synchronised",
        "1: when the switch started the system's clock was synchronised; 0: it was not, or nobody \
         said so"
    );
    let kept = ask(program).await;
    metrics::gauge!("cardswitch_clock_synchronised").set(f64::from(kept == Kept::Right));
    match kept {
        Kept::Right => tracing::info!("the system's clock is synchronised"),
        Kept::Not => tracing::warn!(
            "the system's clock is not synchronised: times of holds, cards and records may be \
             wrong; set up NTP (chrony or systemd-timesyncd)"
        ),
        Kept::Unknown(why) => tracing::warn!(
            program = %program.display(), why,
            "whether the system's clock is synchronised is not known: see clock.asks"
        ),
    }
}

async fn ask(program: &Path) -> Kept {
    let mut asking = Command::new(program);
    asking.args(["show", "--property=NTPSynchronized", "--value"]);
    asking.stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let said = match tokio::time::timeout(WITHIN, asking.output()).await {
        Ok(Ok(said)) => said,
        Ok(Err(error)) => return Kept::Unknown(error.to_string()),
        Err(_) => return Kept::Unknown("it did not answer in time".into()),
    };
    match said.stdout.trim_ascii() {
        b"yes" if said.status.success() => Kept::Right,
        b"no" if said.status.success() => Kept::Not,
        _ => Kept::Unknown(format!("it ended with {}", said.status)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    // P-25.
    #[tokio::test]
    async fn what_the_program_says_is_told_and_nothing_else_is_taken_for_an_answer() {
        let place = tempfile::tempdir().expect("a directory");
        for (name, text, kept) in [
            ("right", "echo yes", Some(Kept::Right)),
            ("not", "test \"$2\" = --property=NTPSynchronized && echo no", Some(Kept::Not)),
            ("other", "echo perhaps", None),
            ("failed", "echo yes; exit 1", None),
        ] {
            let program = place.path().join(name);
            std::fs::write(&program, format!("#!/bin/sh\n{text}\n")).expect("written");
            let runs = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(&program, runs).expect("it runs");
            let said = ask(&program).await;
            match kept {
                Some(kept) => assert_eq!(said, kept, "{name}"),
                None => assert!(matches!(said, Kept::Unknown(_)), "{name}: {said:?}"),
            }
        }
        let absent = ask(&place.path().join("absent")).await;
        assert!(matches!(absent, Kept::Unknown(_)), "{absent:?}");
    }
}
