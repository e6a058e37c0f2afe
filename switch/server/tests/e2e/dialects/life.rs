//! The life of a transaction, told in one dialect: financial messages, completions, reversals of
//! all and of a part, refunds, inquiries. It leaves the account as it found it.

use super::{
    ADVISED, APPROVED, Codes, INVALID_TRANSACTION, REVERSED, SHORT_OF_FUNDS, TOO_MUCH, Told,
};
use crate::speaker::{Draft, Value};
use codecs::iso8583::Version;

const INVALID_AMOUNT: Codes = ["13", "110", "1010"];
const NOT_SUPPORTED: Codes = ["40", "115", "1015"];
const DUPLICATE: Codes = ["94", "913", "9113"];
const ABOVE_WHAT_WAS_AUTHORIZED: Codes = ["61", "121", "1074"];

pub(super) async fn tell(told: &mut Told<'_>, pan: &str) {
    paid_and_taken_back(told, pan).await;
    held_and_completed(told, pan).await;
    held_and_asked_for(told, pan).await;
    taken_back_in_part(told, pan).await;
    added_to(told, pan).await;
    asked_without_money(told, pan).await;
}

/// Asks twice, and wants this both times, the same bytes.
async fn twice(told: &mut Told<'_>, kind: &str, draft: &Draft, codes: Codes) {
    let first = told.speaker.ask(kind, draft).await;
    assert_eq!(first.action, told.wanted(codes), "{} x{kind}", told.name);
    let mut answer = told.speaker.mti(kind).to_string();
    answer.replace_range(2..3, if &kind[1..2] == "0" { "1" } else { "3" });
    assert_eq!(first.mti, answer, "{}", told.name);
    let repeat = format!("{}1", &kind[..2]);
    let again = told.speaker.ask(&repeat, draft).await;
    assert_eq!(again.body, first.body, "{} x{repeat}: the stored answer", told.name);
}

async fn paid_and_taken_back(told: &mut Told<'_>, pan: &str) {
    let paid = told.stan();
    let draft = told.speaker.financial(pan, paid, 300, "000000");
    twice(told, "200", &draft, APPROVED).await;
    let other = told.speaker.financial(pan, paid, 301, "000000");
    assert_eq!(told.speaker.ask("200", &other).await.action, told.wanted(DUPLICATE));
    let own = told.stan();
    let draft = told.speaker.refunded(pan, own, paid, 300);
    twice(told, "420", &draft, REVERSED).await;

    let stan = told.stan();
    let draft = told.speaker.financial(pan, stan, TOO_MUCH, "010000");
    twice(told, "200", &draft, SHORT_OF_FUNDS).await;
}

async fn held_and_completed(told: &mut Told<'_>, pan: &str) {
    let held = told.stan();
    let draft = told.speaker.purchase(pan, held, 500);
    twice(told, "100", &draft, APPROVED).await;
    let own = told.stan();
    let draft = told.speaker.completion(pan, own, held, 450);
    twice(told, "220", &draft, ADVISED).await;
    // Nothing is held of it any more, and what was paid comes back by a refund.
    let late = told.stan();
    let draft = told.speaker.reversal(pan, late, held, 500);
    twice(told, "400", &draft, REVERSED).await;
    let stan = told.stan();
    let draft = told.speaker.financial(pan, stan, 450, "200000");
    twice(told, "200", &draft, APPROVED).await;
}

/// A request may not settle more than was authorized; what it may comes out of the hold.
async fn held_and_asked_for(told: &mut Told<'_>, pan: &str) {
    let held = told.stan();
    let draft = told.speaker.purchase(pan, held, 500);
    twice(told, "100", &draft, APPROVED).await;
    let own = told.stan();
    let draft = told.speaker.completion(pan, own, held, 501);
    twice(told, "200", &draft, ABOVE_WHAT_WAS_AUTHORIZED).await;
    let own = told.stan();
    let draft = told.speaker.completion(pan, own, held, 450);
    twice(told, "200", &draft, APPROVED).await;
    let stan = told.stan();
    let draft = told.speaker.financial(pan, stan, 450, "200000");
    twice(told, "200", &draft, APPROVED).await;
}

async fn taken_back_in_part(told: &mut Told<'_>, pan: &str) {
    let held = told.stan();
    let draft = told.speaker.purchase(pan, held, 500);
    twice(told, "100", &draft, APPROVED).await;
    let own = told.stan();
    let draft = told.speaker.partial(pan, own, [held, 500, 200]);
    twice(told, "400", &draft, REVERSED).await;
    let own = told.stan();
    let draft = told.speaker.partial(pan, own, [held, 500, 501]);
    let said = told.speaker.ask("400", &draft).await;
    assert_eq!(said.action, told.wanted(INVALID_AMOUNT), "{}: more than there was", told.name);
    let own = told.stan();
    let draft = told.speaker.completion(pan, own, held, 200);
    twice(told, "220", &draft, ADVISED).await;
    let stan = told.stan();
    let draft = told.speaker.financial(pan, stan, 200, "200000");
    twice(told, "220", &draft, ADVISED).await;
}

/// Everything that the account has, in parts of one purchase; one cent more is too much. What was
/// added is held: nothing else can be bought.
async fn added_to(told: &mut Told<'_>, pan: &str) {
    let held = told.stan();
    let draft = told.speaker.purchase(pan, held, 500);
    twice(told, "100", &draft, APPROVED).await;
    let stan = told.stan();
    let draft = told.speaker.increment(pan, stan, held, TOO_MUCH);
    twice(told, "100", &draft, SHORT_OF_FUNDS).await;
    let more = told.stan();
    let draft = told.speaker.increment(pan, more, held, 200);
    twice(told, "100", &draft, APPROVED).await;
    let stan = told.stan();
    let advice = [(39, told.wanted(APPROVED).to_owned()), (38, "S00001".to_owned())];
    let mut draft = told.speaker.increment(pan, stan, more, 100);
    draft.extend(advice.map(|(field, text)| (field, Value::Text(text))));
    twice(told, "120", &draft, ADVISED).await;
    let own = told.stan();
    let draft = told.speaker.reversal(pan, own, more, 200);
    twice(told, "400", &draft, REVERSED).await;
    if told.speaker.version() != Version::V1987 {
        let stan = told.stan();
        let draft = told.speaker.replacement(pan, stan, held, 900);
        twice(told, "100", &draft, APPROVED).await;
    }
    let own = told.stan();
    let draft = told.speaker.completion(pan, own, held, 600);
    twice(told, "220", &draft, ADVISED).await;
    let stan = told.stan();
    let draft = told.speaker.financial(pan, stan, 600, "200000");
    twice(told, "200", &draft, APPROVED).await;
}

async fn asked_without_money(told: &mut Told<'_>, pan: &str) {
    let with_code = |draft: &mut Draft, code: &str| {
        draft.retain(|(field, _)| *field != 3);
        draft.push((3, Value::Text(code.into())));
    };
    let stan = told.stan();
    let mut inquiry = told.speaker.purchase(pan, stan, 0);
    with_code(&mut inquiry, "310000");
    let said = told.speaker.ask("100", &inquiry).await;
    assert_eq!(said.action, told.wanted(APPROVED), "{}: an inquiry", told.name);
    if told.speaker.dialect().balance_form().is_some() {
        assert!(said.amounts.len() >= 40, "{}: DE54 is {}", told.name, said.amounts);
        assert!(said.amounts.contains("978"), "{}: DE54 is {}", told.name, said.amounts);
    }
    let stan = told.stan();
    let mut inquiry = told.speaker.purchase(pan, stan, 0);
    with_code(&mut inquiry, "380000");
    match told.speaker.dialect().mini_statement_form().map(|form| form.field) {
        None => twice(told, "100", &inquiry, INVALID_TRANSACTION).await,
        Some(field) => {
            // The tables follow: asked again, it is told what they have by then.
            let moved = loop {
                let said = told.speaker.ask("100", &inquiry).await;
                assert_eq!(said.action, told.wanted(APPROVED), "{}: a statement", told.name);
                let Some(moved) = told.speaker.text(&said, field) else { continue };
                break moved;
            };
            assert!(moved.len() <= 220 && moved.len() % 22 == 0, "{}: {moved}", told.name);
            assert!(moved.split_at(6).1.starts_with(['C', 'D']), "{}: {moved}", told.name);
            assert!(moved.ends_with("978"), "{}: {moved}", told.name);
        }
    }
    for (code, codes) in [
        ("000000", APPROVED),
        ("330000", APPROVED),
        ("910000", NOT_SUPPORTED),
        ("920000", NOT_SUPPORTED),
    ] {
        let stan = told.stan();
        let mut draft = told.speaker.purchase(pan, stan, 0);
        with_code(&mut draft, code);
        twice(told, "100", &draft, codes).await;
    }
}
