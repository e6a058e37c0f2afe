//! A relay between the peer and us that drops or changes what it does not like (T-24).

use codecs::iso8583::{Dialect, Version};
use simulators::network::{Draft, Value};

use super::{APPROVED, Codes, held, of, speaker};
use crate::mac::{signed, stage_with_codes};

/// The code over the message is not good.
const NOT_AUTHENTIC: Codes = ["98", "916", "9116"];

fn without(draft: &Draft, fields: &[u8]) -> Draft {
    draft.iter().filter(|(field, _)| !fields.contains(field)).cloned().collect()
}

/// A chip card's entry as another one, and as much as before by any length.
fn read_otherwise(draft: &Draft) -> Draft {
    let mut draft = draft.clone();
    for (_, value) in draft.iter_mut().filter(|(field, _)| *field == 22) {
        match value {
            Value::Text(text) => text.replace_range(..1, "2"),
            Value::Bytes(bytes) => bytes[0] ^= 0x28,
        }
    }
    draft
}

fn another_amount(draft: &Draft) -> Draft {
    let mut draft = draft.clone();
    for (_, value) in draft.iter_mut().filter(|(field, _)| *field == 4) {
        let Value::Text(text) = value else { continue };
        text.truncate(text.len() - 1);
        text.push('1');
    }
    draft
}

/// T-24, a downgrade: where messages carry a code, none from which the PIN or the chip's data were
/// dropped, or in which the entry mode or the amount was changed, is taken, in any dialect; the
/// peer's own message is.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_relay_drops_or_changes_is_refused_where_messages_carry_codes() {
    let (stage, module) = stage_with_codes().await;
    let issued = stage.issue(1_000_000, 1_000_000).await;
    for (stan, name) in (1..).zip(Dialect::shipped_names()) {
        let mut peer = speaker(&stage, name).await;
        let mut draft = peer.purchase(&issued.pan, stan, 1_000);
        draft.push((52, Value::Bytes(vec![0x5A; 8])));
        if peer.version() == Version::V1987 {
            // Where there is a PIN some want to know how it is encrypted.
            draft.push((53, Value::Text(format!("{:016}", 0))));
        }
        draft.push((55, Value::Bytes(vec![0x9F, 0x36, 0x02, 0x00, 0xAA])));
        let sealed = signed(&peer, &module, &draft);
        for (what, changed) in [
            ("without the PIN", without(&sealed, &[52])),
            ("without the chip's data", without(&sealed, &[55])),
            ("without either", without(&sealed, &[52, 55])),
            ("read otherwise", read_otherwise(&sealed)),
            ("for another amount", another_amount(&sealed)),
            ("without its code", draft.clone()),
        ] {
            let said = peer.ask("100", &changed).await;
            assert_eq!(said.action, of(peer.version(), NOT_AUTHENTIC), "{name} {what}");
        }
        let before = i64::from(stan - 1) * 1_000;
        assert_eq!(held(&stage, issued.balance).await, before, "{name}: nothing held");
        let said = peer.ask("100", &sealed).await;
        assert_eq!(said.action, of(peer.version(), APPROVED), "{name}: the peer's own");
        assert_eq!(held(&stage, issued.balance).await, before + 1_000, "{name}");
    }
    stage.end().await;
}
