//! A question, as a processor reads it. Must refuse what it does not know: what the switch sends
//! beyond what was agreed would go unseen otherwise.

use serde::Deserialize;

/// The longest.
pub(super) const QUESTION_MOST: usize = 8 * 1024;

/// What is asked.
pub(super) enum Question {
    Create(Order),
    /// An act on a card, by its name: `activate`, `renew`, `pin`, `stop`, `unstop`, `retire`.
    Act(&'static str, Act),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Order {
    pub(super) reference: String,
    pub(super) form: Form,
    programme: i64,
    pub(super) bins: Bins,
    pub(super) expiry: String,
    holder_name: Option<String>,
    terminal: Option<String>,
    pub(super) encrypt_to: EncryptTo,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Form {
    Virtual,
    Physical,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bins {
    pub(super) low: u32,
    pub(super) high: u32,
    pub(super) length: usize,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct EncryptTo {
    pub(super) kid: String,
    pub(super) public_key: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Act {
    pub(super) reference: String,
    pub(super) card: String,
    pub(super) turn: i64,
    pub(super) code: Option<u8>,
    pub(super) expiry: Option<String>,
    pin: Option<PinBlock>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PinBlock {
    format: u8,
    key: String,
    block: String,
}

impl Question {
    /// Reads one that came at this path under this idempotency key; none: it is not as agreed.
    pub(super) fn read(path: &str, bytes: &[u8], key: Option<&str>) -> Option<Self> {
        let asked = path.rsplit('/').next()?;
        let question = if asked == "create" {
            let order: Order = serde_json::from_slice(bytes).ok()?;
            let month = order.expiry.len() == 4 && order.programme > 0;
            let named = order.holder_name.as_ref().is_none_or(|name| !name.is_empty());
            let placed = order.terminal.as_ref().is_none_or(|place| !place.is_empty());
            (month && named && placed && order.bins.low <= order.bins.high)
                .then_some(Self::Create(order))?
        } else {
            let acts = ["activate", "renew", "pin", "stop", "unstop", "retire"];
            let name = acts.into_iter().find(|act| *act == asked)?;
            let act: Act = serde_json::from_slice(bytes).ok()?;
            let has_pin = act.pin.as_ref().is_some_and(PinBlock::is_whole);
            let fits = has_pin == (name == "pin") && act.code.is_some() == (name == "stop");
            let month = |expiry: &String| expiry.len() == 4 && expiry.parse::<u16>().is_ok();
            let fits = fits && act.expiry.as_ref().map(month) == (name == "renew").then_some(true);
            (fits && act.pin.is_some() == has_pin).then_some(Self::Act(name, act))?
        };
        let reference = question.reference();
        (reference.len() == 36 && key == Some(reference)).then_some(question)
    }

    pub(super) fn reference(&self) -> &str {
        match self {
            Self::Create(order) => &order.reference,
            Self::Act(_, act) => &act.reference,
        }
    }
}

impl PinBlock {
    fn is_whole(&self) -> bool {
        let block = hex::decode(&self.block).is_ok_and(|block| block.len() == 8);
        block && self.format == 0 && !self.key.is_empty()
    }
}

#[test]
fn only_what_was_agreed_is_read() {
    let id = "6f2c2b5e-8a4f-4a52-9f5e-3d1a2b3c4d5e";
    let order = format!(
        r#"{{"reference":"{id}","form":"VIRTUAL","programme":1,
            "bins":{{"low":99999912,"high":99999912,"length":16}},"expiry":"2912",
            "encryptTo":{{"kid":"k","publicKey":"AA=="}}}}"#
    );
    let read = |path: &str, text: &str| Question::read(path, text.as_bytes(), Some(id)).is_some();
    assert!(read("/v1/create", &order));
    assert!(!read("/v1/make", &order) && !read("/v1/stop", &order));
    assert!(Question::read("/v1/create", order.as_bytes(), Some("another")).is_none());
    assert!(!read("/v1/create", &order.replace("programme", "iban")));
    let act = |more: &str| format!(r#"{{"reference":"{id}","card":"sim-1","turn":3{more}}}"#);
    assert!(read("/activate", &act("")) && read("/stop", &act(r#","code":3"#)));
    assert!(!read("/stop", &act("")) && !read("/retire", &act(r#","code":3"#)));
    assert!(read("/renew", &act(r#","expiry":"3012""#)) && !read("/renew", &act("")));
    assert!(!read("/renew", &act(r#","expiry":"12/30""#)));
    assert!(!read("/activate", &act(r#","expiry":"3012""#)));
    let pin = |block: &str| act(&format!(r#","pin":{{"format":0,"key":"zpk","block":"{block}"}}"#));
    assert!(read("/pin", &pin("00112233445566FF")));
    assert!(!read("/pin", &pin("1234")) && !read("/pin", &act("")));
    assert!(!read("/activate", &pin("00112233445566FF")));
}
