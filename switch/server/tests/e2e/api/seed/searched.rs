//! The search after the diagrams: no whole number, code or PIN that occurred lies in an answer that
//! was not encrypted, in the log at its most talkative but one, in any row of the database, in what
//! webhooks brought, or in the exchange directory. It owns which places are searched, and that the
//! search would have found something.

use sqlx::{ConnectOptions, Connection};

use super::cast::{CARD_PIN, Cast};
use crate::api::platform::{LOG, PIN};
use crate::leaks::forms::Wanted;
use crate::leaks::places::{self, Found};
use crate::leaks::rows;

/// Closes the platform, too.
pub(super) async fn nothing_lies_anywhere(cast: Cast) {
    let Cast { platform, noted, receiver, far, .. } = cast;
    let mut wanted = Wanted::default();
    for card in &noted {
        wanted.text("number", &card.pan);
        wanted.code("code", &card.pan, &card.cvv2);
        wanted.pin(CARD_PIN, &card.pan);
        wanted.pin(PIN, &card.pan);
    }
    let search = wanted.search();
    assert!(noted.len() >= 15, "{} cards", noted.len());
    for card in &noted {
        let json = format!("{{\"cardNo\":\"{}\",\"cvv\":\"{}\"}}", card.pan, card.cvv2);
        assert_eq!(search.found(json.as_bytes()).len(), 2, "it would be found");
        let packed = hex::decode(&card.pan).expect("digits");
        assert_eq!(search.found(&packed).len(), 1, "packed, too");
    }
    let mut found = Found::new();
    let heard = platform.heard.all();
    assert!(heard.windows(10).any(|word| word == b"\"payload\":"), "answers were noted");
    places::bytes(&search, "answers", &heard, &mut found);

    // What was issued and locked was told, and comes.
    let locked = receiver.until(|came| came.iter().any(|one| one.body.contains("card.removed")));
    tokio::time::timeout(std::time::Duration::from_secs(120), locked).await.expect("told");
    for delivery in receiver.came() {
        places::bytes(&search, "webhooks", delivery.body.as_bytes(), &mut found);
    }
    let mut session = platform.database.url().connect_options().connect().await.expect("open");
    let all = rows(&mut session).await;
    session.close().await.expect("closed");
    assert!(all.contains("PHYSICAL") && all.contains("card.removed"), "rows of everything");
    places::bytes(&search, "rows", all.as_bytes(), &mut found);

    let log = std::fs::read(platform.directory.path().join(LOG)).expect("a log");
    assert!(log.windows(5).any(|word| word == b"DEBUG"), "it said much");
    places::bytes(&search, "log", &log, &mut found);
    let exchange = platform.directory.path().join("bureau");
    let files = places::directory(&search, "exchange", &exchange, &mut found);
    assert!(files >= 2, "a file and its report: {files}");
    if let Some(far) = far {
        let tally = far.processor.tally();
        assert!(tally.made >= 15 && tally.wrong == 0, "{tally:?}");
        let told = serde_json::to_vec(&tally).expect("JSON");
        places::bytes(&search, "what the processor says", &told, &mut found);
    }
    assert!(found.is_empty(), "{found:#?}");
    platform.close().await;
}
