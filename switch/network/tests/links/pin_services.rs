//! A change of a PIN on its way: nobody hears of it before it is set, what is not set is answered
//! by silence, and a repeat asks for the same and is told no more than is so.

use std::sync::Arc;

use codecs::iso8583::Dialect;
use switch_domain::{
    AuthorizationId, CardId, CardSecurityTerms, IdempotencyKey, PinReference, Reason,
};
use switch_network::CardChecks;
use switch_shard::{Act, Command, Decision, Manage, ReplyOutcome, Submission};

use crate::rig::{
    CRYPTOGRAM, Draft, Keys, Module, NEW_PIN, PIN_BLOCK, Pace, Peer, Rig, SCRIPT, declined,
};
use crate::verification::{card, chip, reference, rules, text};

/// A link whose dialect has a place for a new PIN, in field 96.
fn rig() -> (Rig, Module) {
    let shipped = Dialect::shipped_toml("iso87-ascii").expect("shipped");
    let shipped = shipped.replace("sensitive = [126]", "sensitive = [126, 96]");
    let with = shipped.replace("[card_code]", "[pin_block]\nnew_field = 96\n\n[card_code]");
    let dialect = Arc::new(Dialect::from_toml(&with).expect("a dialect"));
    let module = Module::new(Pace::AtOnce);
    let checks = CardChecks {
        module: Arc::new(module.clone()),
        keys: Arc::new(Keys),
        waits: None,
        rules: rules(),
    };
    let rig = Rig::with("iso87-ascii", |config| {
        config.dialect = dialect;
        config.card_checks = Some(Arc::new(checks));
    });
    rig.script.issue(card(), CardId(1));
    learn(&rig, b"1234");
    rig.script.hand_over();
    (rig, module)
}

/// What the directory says of the card's PIN from now on.
fn learn(rig: &Rig, pin: &[u8; 4]) {
    let mut known = reference();
    let mut terms = CardSecurityTerms::clone(&known.terms);
    (terms.keys.imk_smi, terms.keys.imk_smc) = (text("smi"), text("smc"));
    known.terms = Arc::new(terms);
    Arc::make_mut(&mut known.references).pin = PinReference::pvv(1, pin).ok();
    rig.script.verify(card(), known);
}

fn change(rig: &Rig) -> Draft {
    let chip = chip(3, CRYPTOGRAM, &[("9f02", "000000000000"), ("9c", "92")]);
    let draft = rig.request(1).set(3, "920000").set(4, "000000000000");
    draft.binary(52, &PIN_BLOCK).binary(96, &[3; 8]).binary(55, &chip)
}

fn granted(repeated: bool) -> ReplyOutcome {
    let authorization = Some(AuthorizationId(77));
    ReplyOutcome::Decided(Decision { authorization, repeated, ..Decision::plain(Reason::Approved) })
}

/// Grants what is asked for; the command that it becomes, and its key.
async fn grant(rig: &Rig, repeated: bool) -> (Submission, IdempotencyKey) {
    rig.script.next().await.reply.send(granted(repeated));
    let setting = rig.script.next().await;
    let Command::Manage(Manage { key, act, .. }) = &*setting.command else { panic!("a command") };
    let Act::SetPinReference { card: CardId(1), reference } = act else { panic!("{act:?}") };
    assert!(*reference == PinReference::pvv(1, NEW_PIN).expect("a reference"));
    let key = *key;
    (setting, key)
}

/// An echo is answered, and nothing was before it.
async fn nothing_is_said(rig: &Rig, peer: &mut Peer, stan: u32) {
    peer.send(&rig.network(stan, "301")).await;
    assert_eq!(peer.answer().await.mti(), "0810");
}

#[tokio::test]
async fn a_new_pin_is_told_of_when_it_is_set_and_its_command_goes_with_it_alone() {
    let (rig, module) = rig();
    let mut peer = rig.connect().await;
    peer.send(&change(&rig)).await;
    let (setting, first) = grant(&rig, false).await;
    let asked = module.asked();
    assert!(asked.iter().any(|one| one == "reference under #4 and #2"), "{asked:?}");
    assert!(asked.iter().any(|one| one == "script of visa-10 at 3 under #6"), "{asked:?}");
    nothing_is_said(&rig, &mut peer, 2).await;
    learn(&rig, NEW_PIN);
    setting.reply.send(declined(Reason::FileActionDone));
    let answer = peer.answer().await;
    let script = format!("720786{:02x}{}", SCRIPT.len(), hex::encode(SCRIPT));
    let told = answer.hex(55).expect("the chip is told");
    assert!(answer.text(39) == "00" && told.ends_with(&script), "{told}");

    // A repeat asks for the same once more, and is told the same.
    let repeat = change(&rig).raw_mti(b"0101");
    peer.send(&repeat).await;
    let (setting, key) = grant(&rig, true).await;
    assert_eq!(key, first);
    setting.reply.send(declined(Reason::FileActionDone));
    assert_eq!(peer.answer().await.hex(55), Some(told));
    // The PIN was changed yet again: the chip gets no command of before.
    learn(&rig, b"9999");
    peer.send(&repeat).await;
    grant(&rig, true).await.0.reply.send(declined(Reason::FileActionDone));
    let answer = peer.answer().await;
    assert!(answer.text(39) == "00" && !answer.hex(55).expect("there").contains(&script));
    // The card is gone.
    peer.send(&repeat).await;
    grant(&rig, true).await.0.reply.send(declined(Reason::InvalidCardNumber));
    assert_eq!(peer.answer().await.text(39), "14");
}

#[tokio::test]
async fn what_was_granted_and_is_not_set_is_answered_by_silence() {
    let (rig, _) = rig();
    let mut peer = rig.connect().await;
    peer.send(&change(&rig)).await;
    grant(&rig, false).await.0.reply.send(ReplyOutcome::Silent);
    nothing_is_said(&rig, &mut peer, 2).await;
    // A repeat of which nothing can be made says as little.
    peer.send(&change(&rig).raw_mti(b"0101").without(96)).await;
    rig.script.next().await.reply.send(granted(true));
    nothing_is_said(&rig, &mut peer, 3).await;
    let unanswered = rig.metric("cardswitch_link_unanswered_total", "pin_not_changed");
    assert!((unanswered - 2.0).abs() < f64::EPSILON, "{unanswered}");
    assert!(rig.script.is_idle().await);
}
