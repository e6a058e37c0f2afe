//! kill -9 of the real binary under load, and a restart: every approval that the peer saw is in the
//! database, what it did not see is told when it asks again, and the books balance.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use simulators::acquirer::Incoming;
use sqlx::Row;
use switch_store::private_postgres::fresh_database;

use crate::stage::{Served, cardswitch, peer, purchase};

/// What the peer saw of each STAN: DE39 and DE38.
pub(crate) type Seen = BTreeMap<u32, (String, String)>;

/// Sends purchases with a window until `enough` approvals came, and then kills the switch with
/// messages in flight. Gives what was seen and the last STAN that was sent.
pub(crate) async fn load_and_kill(
    served: &mut Served,
    pan: &str,
    first: u32,
    enough: usize,
) -> (Seen, u32) {
    let mut acquirer = peer(served.link, 4).await;
    let (mut seen, mut sent) = (Seen::new(), first);
    let window = 64;
    while seen.len() < enough {
        while ((sent - first) as usize) < seen.len() + window {
            let message = purchase(pan, sent, 100 + u64::from(sent % 7));
            acquirer.send(sent as usize % 4, &message).expect("sent");
            sent += 1;
        }
        let answer = next_answer(&mut acquirer).await.expect("an answer while it lives");
        seen.insert(answer.0, (answer.1, answer.2));
    }
    served.child.kill().expect("SIGKILL");
    served.child.wait().expect("it ended");
    // What was on its way is read to the end: it was seen too.
    while let Some((stan, code, approval)) = next_answer(&mut acquirer).await {
        seen.insert(stan, (code, approval));
    }
    (seen, sent)
}

/// The next answer: STAN, DE39, DE38; `None` once all connections have ended.
async fn next_answer(
    acquirer: &mut simulators::acquirer::Acquirer,
) -> Option<(u32, String, String)> {
    loop {
        if let Incoming::Message(message, _) = acquirer.next_arrival().await?.incoming {
            let text = |field| message.text(field).unwrap_or_default().to_owned();
            return Some((text(11).parse().expect("a STAN"), text(39), text(38)));
        }
    }
}

async fn ask(address: SocketAddr, pan: &str, stan: u32) -> (String, String) {
    let message = purchase(pan, stan, 100 + u64::from(stan % 7)).retyped("0101").expect("a type");
    let answer = peer(address, 1).await.exchange(0, &message).await.expect("an answer");
    let text = |field| answer.text(field).unwrap_or_default().to_owned();
    (text(39), text(38))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_approval_that_was_seen_survives_kill_9() {
    let database = fresh_database().await;
    let directory = tempfile::tempdir().expect("a directory");
    let url = database.url().expose().to_owned();
    let mut served = Served::start(directory.path(), &url, &[]);
    let pan = served.set_up();
    let mut seen = Seen::new();
    let mut next = 1;
    for round in 0..3 {
        let (saw, sent) = load_and_kill(&mut served, &pan, next, 300).await;
        assert!(saw.len() >= 300);
        assert!(saw.values().all(|(code, _)| code == "00"), "round {round}: {saw:?}");
        seen.extend(saw);
        served = Served::start(directory.path(), &url, &[]);
        // A repeat of anything that was sent gets one definite answer, and the same twice; of what
        // was seen it is the answer that was seen.
        for stan in [next, (next + sent) / 2, sent - 1, sent - 20] {
            let answer = ask(served.link, &pan, stan).await;
            assert_eq!(answer, ask(served.link, &pan, stan).await, "round {round}, STAN {stan}");
            if let Some(known) = seen.get(&stan) {
                assert_eq!(&answer, known, "round {round}, STAN {stan}");
            }
            seen.insert(stan, answer);
        }
        next = sent;
    }
    served.terminate();
    assert_in_database(&url, &seen).await;
    let audit = cardswitch(directory.path())
        .args(["audit", "--json"])
        .env("DATABASE_URL", &url)
        .output()
        .expect("the audit runs");
    let said = String::from_utf8_lossy(&audit.stdout);
    assert!(audit.status.success() && said.contains("\"balanced\""), "{said}");
    database.close().await;
}

/// Finds every approval that was seen in the rows, which a clean stop has brought up to the
/// journal.
async fn assert_in_database(url: &str, seen: &Seen) {
    let parsed = switch_store::private_postgres::DatabaseUrl::parse(url).expect("a URL");
    let store = sqlx::PgPool::connect_with(parsed.connect_options()).await.expect("connected");
    let rows = sqlx::query("SELECT stan, approval_code FROM card_authorization WHERE reason = $1")
        .bind("approved")
        .fetch_all(&store)
        .await
        .expect("rows");
    let stored: BTreeMap<i64, String> = rows
        .iter()
        .map(|row| (row.get("stan"), row.get::<Option<String>, _>("approval_code")))
        .map(|(stan, code)| (stan, code.unwrap_or_default()))
        .collect();
    assert_eq!(rows.len(), stored.len(), "no message has two holds");
    for (stan, (code, approval)) in seen.iter().filter(|(_, (code, _))| code == "00") {
        assert_eq!(stored.get(&i64::from(*stan)), Some(approval), "STAN {stan}, {code}");
    }
    store.close().await;
}
