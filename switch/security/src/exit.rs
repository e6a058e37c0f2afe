//! The exits by which a card number leaves this program. In clear only test numbers may: this file
//! owns that rule and the audit event of each, and never shows a number that a real network routes.
//! Every number goes into the commands of a hardware security module, into answers that are
//! encrypted to whom the card is for, and into the encrypted file for the bureau that makes it;
//! nowhere else. Test numbers also go to the simulator of a developer's sandbox, and are printed.
//! Beside them stands the one exit of a PIN, into the command that has such a module encrypt it.

use switch_domain::Pan;
use zeroize::Zeroizing;

use crate::card_security::ChosenPin;

/// Test numbers start so: ISO/IEC 7812 gives first digit 9 to national use, and no network routes
/// the series.
const TEST_PREFIX: &[u8] = b"9999";

/// The number is not from the test series, so it stays inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("only PANs of the test series 9999 are ever shown; this one stays in the vault")]
pub struct NotATestPan;

/// The digits, for the commands of a hardware security module, which computes with them as the
/// software module does here. For `switch-hsm` alone, which writes them to the module and wipes
/// them: a tidy test holds that.
#[must_use]
pub fn digits_for_host_command(pan: &Pan) -> &[u8] {
    pan.digits_for_security()
}

/// The digits of a PIN that its holder has just chosen, in ASCII, for the command by which a
/// hardware security module encrypts it; they are wiped when this returns. For `switch-hsm` alone,
/// where the units may be told PINs in clear: a tidy test holds that. Each call leaves an audit
/// event with BIN and last four digits of the card.
pub fn pin_for_host_command<R>(pin: &ChosenPin, pan: &Pan, write: impl FnOnce(&[u8]) -> R) -> R {
    let last_four = pan.last_four();
    let last_four = std::str::from_utf8(&last_four).unwrap_or_default();
    tracing::info!(target: "audit", act = "pin_for_host_command", bin = pan.bin(), last_four);
    write(pin.clear().ascii().as_slice())
}

/// Puts the digits of a card number behind what is there of an answer that is encrypted to the
/// card's holder or their partner (SR-118, SR-160). For `admin-api`'s type of full card data alone,
/// which has no other form: a tidy test holds that. Each call leaves an audit event with BIN and
/// last four digits. The buffer must have room for them, or what it holds would be left behind.
pub fn pan_for_encrypted_answer(pan: &Pan, answer: &mut Zeroizing<Vec<u8>>) {
    let last_four = pan.last_four();
    let last_four = std::str::from_utf8(&last_four).unwrap_or_default();
    tracing::info!(target: "audit", act = "pan_for_encrypted_answer", bin = pan.bin(), last_four);
    answer.extend_from_slice(pan.digits_for_security());
}

/// The digits, for a record of a personalisation file, which is encrypted before it leaves this
/// package. Each call leaves an audit event with BIN, last four digits and the order's reference.
pub(crate) fn pan_for_bureau<'a>(pan: &'a Pan, reference: &[u8; 16]) -> &'a [u8] {
    let last_four = pan.last_four();
    let last_four = std::str::from_utf8(&last_four).unwrap_or_default();
    let reference = hex::encode(reference);
    tracing::info!(target: "audit", act = "pan_to_bureau", bin = pan.bin(), last_four, reference);
    pan.digits_for_security()
}

/// Puts the digits of a test card number behind what is there of a line for the sandbox simulator
/// of a developer's machine, which presents the card to the switch's own link. For the sandbox of
/// `switch-server` alone: a tidy test holds that. Each call leaves an audit event with BIN and last
/// four digits. The line must have room for them, or what it holds would be left behind.
///
/// # Errors
/// The number is not of the test series: nothing is put there.
pub fn test_pan_for_sandbox(pan: &Pan, line: &mut Zeroizing<Vec<u8>>) -> Result<(), NotATestPan> {
    let digits = pan.digits_for_security();
    let last_four = pan.last_four();
    let last_four = std::str::from_utf8(&last_four).unwrap_or_default();
    let allowed = digits.starts_with(TEST_PREFIX);
    let bin = pan.bin();
    tracing::info!(target: "audit", act = "test_pan_for_sandbox", bin, last_four, allowed);
    if !allowed {
        return Err(NotATestPan);
    }
    line.extend_from_slice(digits);
    Ok(())
}

/// The digits of a test card number, for the demo to print what it made itself. Each call leaves an
/// audit event with BIN and last four digits.
///
/// # Errors
/// The number is not of the test series.
pub fn reveal_test_pan(pan: &Pan) -> Result<String, NotATestPan> {
    let digits = pan.digits_for_security();
    let last_four = pan.last_four();
    let last_four = std::str::from_utf8(&last_four).unwrap_or_default();
    let allowed = digits.starts_with(TEST_PREFIX);
    tracing::info!(target: "audit", act = "reveal_test_pan", bin = pan.bin(), last_four, allowed);
    if !allowed {
        return Err(NotATestPan);
    }
    std::str::from_utf8(digits).map(str::to_owned).map_err(|_| NotATestPan)
}
