//! Approvals of a part: what a message says of its terminal and of its acquirer's fee, and the
//! answer, whose amount is another than the request's.

use std::sync::Arc;

use codecs::iso8583::Dialect;
use switch_domain::MinorUnits;
use switch_shard::{Command, Terms};

use crate::rig::{DIALECTS, Draft, Rig, approved_in_part};

async fn terms(rig: &Rig, draft: Draft) -> Terms {
    rig.connect().await.ask(&draft).await;
    match rig.script.commands().pop() {
        Some(Command::Authorize(request)) => request.terms,
        other => panic!("{other:?} instead of a request"),
    }
}

#[tokio::test]
async fn a_message_says_what_its_terminal_takes_and_what_its_acquirer_does() {
    for dialect in DIALECTS {
        let rig = Rig::start(dialect);
        let said = Terms { takes_part: true, fee: MinorUnits(150), fee_within: false };
        let nothing = Terms::default();
        assert_eq!(terms(&rig, rig.request(1)).await, nothing, "{dialect}");
        let draft = rig.request(2).set(63, "PARTIAL").set(28, "D00000150");
        assert_eq!(terms(&rig, draft).await, said, "{dialect}");
        let draft = rig.request(3).set(28, "C00000150");
        let given = Terms { fee: MinorUnits(-150), ..nothing };
        assert_eq!(terms(&rig, draft).await, given, "{dialect}");
    }
    let rig = Rig::with("iso87-bcd", |config| {
        let text = Dialect::shipped_toml("iso87-bcd").expect("shipped");
        let text = text.replace("[requests]", "[acquirer_fee]\nwithin = true\n[requests]");
        config.dialect = Arc::new(Dialect::from_toml(&text).expect("a dialect"));
    });
    let within = Terms { fee: MinorUnits(150), fee_within: true, takes_part: false };
    assert_eq!(terms(&rig, rig.request(1).set(28, "D00000150")).await, within);
}

#[tokio::test]
async fn the_answer_has_the_approved_amount_and_the_one_that_was_asked_for() {
    for dialect in DIALECTS {
        let rig = Rig::start(dialect);
        rig.script.hand_over();
        let mut peer = rig.connect().await;
        let draft = rig.request(42).set(63, "PARTIAL").set(28, "D00000150");
        for _ in 0..2 {
            peer.send(&draft).await;
            rig.script.next().await.reply.send(approved_in_part(7, 4_000, 12_500));
            let answer = peer.answer().await;
            assert_eq!((answer.mti(), answer.text(39)), ("0110".into(), "10".into()), "{dialect}");
            assert_eq!(answer.text(38), "000007", "{dialect}");
            assert_eq!(answer.text(4), "000000004000", "{dialect}");
            assert_eq!(answer.text(54), "0057978C000000012500", "{dialect}");
            for echoed in [2, 3, 7, 11, 12, 13, 32, 37, 41, 42, 49] {
                assert_eq!(answer.wire(echoed), draft.wire(echoed), "{dialect} field {echoed}");
            }
        }
    }
}
