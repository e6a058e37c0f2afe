//! The same message again (T-06), another one under its key (T-07), and what was approved while the
//! switch was away (T-22).

use simulators::network::{Draft, Value};
use switch_server::config::Link;

use super::{address, ascii, binary2, held, stage_of};
use crate::speaker::Speaker;
use crate::stage::Stage;

fn with(draft: &Draft, field: u8, value: &str) -> Draft {
    let mut draft = draft.clone();
    draft.retain(|(number, _)| *number != field);
    draft.push((field, Value::Text(value.to_owned())));
    draft
}

async fn connect(stage: &Stage, link: &str) -> Speaker {
    let dialect = codecs::iso8583::Dialect::shipped("iso87-ascii").expect("shipped");
    Speaker::connect(address(stage, link), dialect, binary2()).await
}

/// T-06, a replay: the same bytes together in one segment, over another connection, over another
/// link, and over a restart are one purchase with one answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_replay_gets_the_first_answer_wherever_and_whenever_it_comes() {
    let links = ["one", "two"].map(|name| (name.to_owned(), Link::default()));
    let stage = stage_of(links.into()).await;
    let issued = stage.issue(1_000_000, 100_000).await;
    let mut peer = connect(&stage, "one").await;
    let bytes = peer.bytes(peer.mti("100"), &peer.purchase(&issued.pan, 1, 1_000));
    peer.send_raw(&peer.framed(&bytes).repeat(20)).await;
    let first = peer.answer().await;
    assert_eq!(first.action, "00");
    for _ in 1..20 {
        assert_eq!(peer.answer().await.body, first.body);
    }
    for link in ["one", "two"] {
        let mut again = connect(&stage, link).await;
        again.send(&bytes).await;
        assert_eq!(again.answer().await.body, first.body, "over {link}");
    }
    assert_eq!(held(&stage, issued.balance).await, 1_000, "one hold");

    let stage = stage.restart().await;
    let mut again = connect(&stage, "two").await;
    again.send(&bytes).await;
    assert_eq!(again.answer().await.body, first.body, "over a restart");
    assert_eq!(held(&stage, issued.balance).await, 1_000, "one hold");
    stage.end().await;
}

/// T-07, a collision of keys: one field changed at a time. Another amount or currency under the
/// same key is refused as a duplicate and holds nothing; what is not of the key gets the stored
/// answer; what is of the key makes another purchase.
#[tokio::test(flavor = "multi_thread")]
async fn one_field_changed_under_the_same_key_never_takes_money_twice() {
    let stage = Stage::start().await;
    let issued = stage.issue(1_000_000, 100_000).await;
    let mut peer = ascii(&stage).await;
    let draft = peer.purchase(&issued.pan, 1, 1_000);
    let first = peer.ask("100", &draft).await;
    assert_eq!(first.action, "00");
    for (field, value) in [(4, "000000001001"), (4, "000000000999"), (4, "000000100000")] {
        let said = peer.ask("100", &with(&draft, field, value)).await;
        assert_eq!((&*said.action, &*said.approval), ("94", ""), "field {field} {value}");
    }
    let said = peer.ask("100", &with(&draft, 49, "840")).await;
    assert_eq!((&*said.action, &*said.approval), ("94", ""), "another currency");
    for (field, value) in [(7, "1123120001"), (42, "MERCHANT0000002"), (18, "5999"), (22, "012")] {
        let said = peer.ask("100", &with(&draft, field, value)).await;
        assert_eq!(said.approval, first.approval, "field {field}: the stored answer");
    }
    assert_eq!(held(&stage, issued.balance).await, 1_000, "one hold for all of them");

    let others = [
        (11, "000002"),
        (12, "120001"),
        (13, "1124"),
        (32, "654321"),
        (37, "000000000002"),
        (41, "TERM0002"),
    ];
    for (holds, (field, value)) in (2..).zip(others) {
        let said = peer.ask("100", &with(&draft, field, value)).await;
        assert_eq!(said.action, "00", "field {field}");
        assert_ne!(said.approval, first.approval, "field {field}: a purchase of its own");
        assert_eq!(held(&stage, issued.balance).await, 1_000 * holds, "field {field}");
    }
    stage.end().await;
}

/// T-22, what the network approved in our stead: it is held once however often it is sent, below
/// zero too, and never beside the approval that it is about. What it declined moves nothing. What
/// was paid is settled once and taken back once.
#[tokio::test(flavor = "multi_thread")]
async fn an_advice_of_what_was_approved_elsewhere_is_held_once_and_reversed_once() {
    let stage = Stage::start().await;
    let issued = stage.issue(1_000_000, 5_000).await;
    let mut peer = ascii(&stage).await;

    // We approved, and our answer did not arrive in time.
    let ours = peer.purchase(&issued.pan, 1, 1_000);
    assert_eq!(peer.ask("100", &ours).await.action, "00");
    let known = peer.advice(&issued.pan, 1, 1_000, true);
    let replies = [peer.ask("120", &known).await, peer.ask("121", &known).await];
    assert!(replies.iter().all(|said| (&*said.mti, &*said.action) == ("0130", "00")));
    assert_eq!(held(&stage, issued.balance).await, 1_000, "one purchase");

    // They approved what we never saw, more than there is.
    let theirs = peer.advice(&issued.pan, 2, 9_000, true);
    let first = peer.ask("120", &theirs).await;
    assert_eq!((&*first.mti, &*first.action, &*first.approval), ("0130", "00", ""));
    peer.send_raw(&peer.framed(&peer.bytes(peer.mti("121"), &theirs)).repeat(20)).await;
    for _ in 0..20 {
        assert_eq!(peer.answer().await.body, first.body);
    }
    assert_eq!(held(&stage, issued.balance).await, 10_000);
    let said = peer.ask("121", &with(&theirs, 4, "000000009001")).await;
    assert_eq!(said.action, "94", "another message under its key");
    let declined = peer.advice(&issued.pan, 3, 700, false);
    assert_eq!(peer.ask("120", &declined).await.action, "00");
    assert_eq!(held(&stage, issued.balance).await, 10_000);
    let late = peer.purchase(&issued.pan, 2, 9_000);
    assert_eq!(peer.ask("100", &late).await.action, "94", "its advice overtook it");

    let stage = stage.restart().await;
    let mut peer = ascii(&stage).await;
    assert_eq!(peer.ask("121", &theirs).await.body, first.body, "over a restart");
    assert_eq!(held(&stage, issued.balance).await, 10_000);
    for (own, original, cents, left) in [(91, 2, 9_000, 1_000), (92, 1, 1_000, 0)] {
        let draft = peer.reversal(&issued.pan, own, original, cents);
        assert_eq!(peer.ask("400", &draft).await.action, "00");
        assert_eq!(peer.ask("401", &draft).await.action, "00");
        assert_eq!(held(&stage, issued.balance).await, left);
    }
    // No card has this number: it is kept for people to look at.
    let unknown = peer.advice("9999991299999999", 5, 700, true);
    assert_eq!(peer.ask("120", &unknown).await.action, "00");

    // What was paid is taken once and given back once, however often either comes.
    let paid = peer.financial(&issued.pan, 4, 1_000, "000000");
    let taken_back = peer.refunded(&issued.pan, 94, 4, 1_000);
    for (kinds, answer, draft, ledger) in
        [(["220", "221"], "0230", paid, 4_000), (["420", "421"], "0430", taken_back, 5_000)]
    {
        for kind in kinds {
            let said = peer.ask(kind, &draft).await;
            assert_eq!((&*said.mti, &*said.action), (answer, "00"), "{kind}");
        }
        let balance = stage.services().node().balance(issued.balance).await.expect("known");
        assert_eq!((balance.ledger.0, balance.held.0), (ledger, 0), "{kinds:?}");
    }
    stage.end().await;
}
