//! What is on a card: number, month and printed code (SR-118, SR-160). It owns the one form that
//! these have outside of the vault: the text of an answer that is encrypted. They cannot be
//! printed, logged, cloned, compared or serialized, and are wiped when dropped.

use jiff::civil::Date;
use switch_domain::{Card, CardId, Expiry, Pan, ProgrammeId};
use switch_security::CardValue;
use switch_security::exit::pan_for_encrypted_answer;
use zeroize::Zeroizing;

/// Room for the members of an answer beside the card as everybody sees it.
const ROOM: usize = 160;

/// Everything that is on a card.
///
/// ```compile_fail
/// let data: admin_api::cards::FullCardData = unreachable!();
/// println!("{data}");
/// ```
///
/// ```compile_fail
/// let data: admin_api::cards::FullCardData = unreachable!();
/// println!("{data:?}");
/// ```
///
/// ```compile_fail
/// let data: admin_api::cards::FullCardData = unreachable!();
/// let _ = serde_json::to_vec(&data);
/// ```
///
/// ```compile_fail
/// let data: admin_api::cards::FullCardData = unreachable!();
/// let _ = data.clone();
/// ```
pub struct FullCardData {
    card: CardId,
    programme: ProgrammeId,
    pan: Pan,
    expiry: Expiry,
    code: Option<CardValue>,
}

/// A printed code that a card has from now on.
///
/// ```compile_fail
/// let code: admin_api::cards::PrintedCode = unreachable!();
/// println!("{code:?}");
/// ```
///
/// ```compile_fail
/// let code: admin_api::cards::PrintedCode = unreachable!();
/// let _ = serde_json::to_vec(&code);
/// ```
pub struct PrintedCode(CardValue);

/// The text of an answer with card data in it; it goes to whoever encrypts it, and nowhere else.
pub(crate) struct CardAnswer(Zeroizing<Vec<u8>>);

impl FullCardData {
    pub(super) fn new(card: &Card, pan: Pan, code: Option<CardValue>) -> Self {
        let Card { id, programme, expiry, .. } = *card;
        Self { card: id, programme, pan, expiry, code }
    }

    /// The answer, with the members of the seed (SR-074) beside the card as everybody sees it,
    /// which is JSON.
    pub(crate) fn answer(&self, card: &[u8]) -> CardAnswer {
        let mut text = begun(card);
        let named = format!(",\"id\":{},\"type\":\"{}\"", self.card.0, self.programme.0);
        text.extend_from_slice(named.as_bytes());
        text.extend_from_slice(b",\"cardNo\":\"");
        pan_for_encrypted_answer(&self.pan, &mut text);
        let expires = format!("\",\"exp\":\"{}\"", last_day(self.expiry));
        text.extend_from_slice(expires.as_bytes());
        if let Some(code) = &self.code {
            put_code(code, &mut text);
        }
        text.push(b'}');
        CardAnswer(text)
    }
}

impl PrintedCode {
    pub(super) const fn new(code: CardValue) -> Self {
        Self(code)
    }

    /// The answer, with the card as everybody sees it beside the code.
    pub(crate) fn answer(&self, card: &[u8]) -> CardAnswer {
        let mut text = begun(card);
        put_code(&self.0, &mut text);
        text.push(b'}');
        CardAnswer(text)
    }
}

impl AsRef<[u8]> for CardAnswer {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// With room for all that comes, so that nothing is left behind where it grew.
fn begun(card: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(Vec::with_capacity(card.len().saturating_add(ROOM)));
    text.extend_from_slice(b"{\"card\":");
    text.extend_from_slice(card);
    text
}

fn put_code(code: &CardValue, text: &mut Zeroizing<Vec<u8>>) {
    text.extend_from_slice(b",\"cvv\":\"");
    text.extend_from_slice(code.digits_for_card());
    text.push(b'"');
}

/// The last day of a month, as dates are written.
fn last_day(expiry: Expiry) -> String {
    let yymm = expiry.yymm();
    let (year, month) = (i16::try_from(yymm / 100).unwrap_or_default(), yymm % 100);
    let first = i8::try_from(month)
        .ok()
        .and_then(|month| Date::new(year.saturating_add(2000), month, 1).ok());
    first.map(|day| day.last_of_month().to_string()).unwrap_or_default()
}

/// A month as cards show it: MM/YY.
pub(crate) fn month_and_year(expiry: Expiry) -> String {
    let yymm = expiry.yymm();
    format!("{:02}/{:02}", yymm % 100, yymm / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_json_and_never_outgrows_its_buffer() {
        let pan = Pan::from_digits(b"9999991200000018999").expect("digits");
        let expiry = Expiry::from_yymm(2903).expect("a month");
        let code = CardValue::from_digits(b"12345");
        let card = br#"{"cardId":"1"}"#;
        let (id, programme) = (CardId(i64::MAX), ProgrammeId(i64::MAX));
        let data = FullCardData { card: id, programme, pan, expiry, code };
        let answer = data.answer(card);
        assert!(answer.0.capacity() <= card.len() + ROOM, "it was not moved");
        let read: serde_json::Value = serde_json::from_slice(answer.as_ref()).expect("JSON");
        let wanted = serde_json::json!({
            "card": { "cardId": "1" }, "id": i64::MAX, "type": i64::MAX.to_string(),
            "cardNo": "9999991200000018999", "exp": "2029-03-31", "cvv": "12345"
        });
        assert_eq!(read, wanted);
        let code = PrintedCode::new(CardValue::from_digits(b"123").expect("digits"));
        let read: serde_json::Value =
            serde_json::from_slice(code.answer(card).as_ref()).expect("JSON");
        assert_eq!(read, serde_json::json!({ "card": { "cardId": "1" }, "cvv": "123" }));
        let february = Expiry::from_yymm(2802).expect("a month");
        assert_eq!(
            (last_day(february), month_and_year(february)),
            ("2028-02-29".into(), "02/28".into())
        );
    }
}
