//! What a dialect says of its peer's own ways shows on the wire: other names of action codes, and
//! where a reversal has its original.

use std::sync::Arc;

use codecs::iso8583::Dialect;
use switch_domain::Reason;
use switch_shard::Command;

use crate::rig::{Rig, declined};

/// A link whose dialect has these tables as well.
fn with(tables: &str) -> Rig {
    Rig::with("iso87-bcd", |config| {
        let text = Dialect::shipped_toml("iso87-bcd").expect("shipped");
        let text = text.replace("[requests]", &format!("{tables}\n[requests]"));
        config.dialect = Arc::new(Dialect::from_toml(&text).expect("a dialect"));
    })
}

#[tokio::test]
async fn action_codes_are_those_that_the_peer_knows() {
    let rig = with("[action_codes]\nreplace = { \"51\" = \"N0\", \"30\" = \"E1\" }");
    rig.script.hand_over();
    let mut peer = rig.connect().await;
    for (reason, expected) in [(Reason::InsufficientFunds, "N0"), (Reason::ExpiredCard, "54")] {
        peer.send(&rig.request(1)).await;
        rig.script.next().await.reply.send(declined(reason));
        assert_eq!(peer.answer().await.text(39), expected);
    }
    // And at once as well as after a decision.
    let answer = peer.ask(&rig.request(2).without(4)).await;
    assert_eq!((answer.text(39), answer.text(44)), ("E1".into(), "FIELD 4 ABSENT".into()));
}

#[tokio::test]
async fn an_original_is_read_in_the_form_of_the_dialect() {
    let form = "[original]\nfield = 90\ntrace_digits = 12\ntransmitted_digits = 10";
    let rig = with(form);
    let elements = format!("0100{:012}1123091500{:016}", 42, 0);
    let mut peer = rig.connect().await;
    peer.ask(&rig.reversal(43, 42).set(90, &elements)).await;
    let Some(Command::Reverse(command)) = rig.script.commands().pop() else {
        panic!("no reversal");
    };
    assert_eq!(command.reference.key.stan, 42);
    assert_eq!(command.reference.transmitted, 1_123_091_500);
}
