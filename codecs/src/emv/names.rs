//! What people call EMV data objects (EMV Book 3 annex A, and tags of the networks that are
//! public). For reading only: nothing is decided by a name.

use super::tag::Tag;

/// The name of a tag; `None` for one that is not in the table.
#[must_use]
pub const fn name(tag: Tag) -> Option<&'static str> {
    Some(match tag.number() {
        0x42 => "issuer identification number",
        0x4F => "application identifier (card)",
        0x50 => "application label",
        0x57 => "track 2 equivalent data",
        0x5A => "application primary account number",
        0x5F20 => "cardholder name",
        0x5F24 => "application expiration date",
        0x5F25 => "application effective date",
        0x5F28 => "issuer country code",
        0x5F2A => "transaction currency code",
        0x5F30 => "service code",
        0x5F34 => "application PAN sequence number",
        0x5F36 => "transaction currency exponent",
        0x71 => "issuer script template 1",
        0x72 => "issuer script template 2",
        0x82 => "application interchange profile",
        0x84 => "dedicated file name",
        0x86 => "issuer script command",
        0x8A => "authorization response code",
        0x8E => "cardholder verification method list",
        0x91 => "issuer authentication data",
        0x95 => "terminal verification results",
        0x9A => "transaction date",
        0x9B => "transaction status information",
        0x9C => "transaction type",
        0x9F02 => "amount, authorized",
        0x9F03 => "amount, other",
        0x9F06 => "application identifier (terminal)",
        0x9F07 => "application usage control",
        0x9F08 | 0x9F09 => "application version number",
        0x9F0D => "issuer action code, default",
        0x9F0E => "issuer action code, denial",
        0x9F0F => "issuer action code, online",
        0x9F10 => "issuer application data",
        0x9F12 => "application preferred name",
        0x9F15 => "merchant category code",
        0x9F16 => "merchant identifier",
        0x9F18 => "issuer script identifier",
        0x9F1A => "terminal country code",
        0x9F1C => "terminal identification",
        0x9F1E => "interface device serial number",
        0x9F1F => "track 1 discretionary data",
        0x9F20 => "track 2 discretionary data",
        0x9F21 => "transaction time",
        0x9F26 => "application cryptogram",
        0x9F27 => "cryptogram information data",
        0x9F33 => "terminal capabilities",
        0x9F34 => "cardholder verification method results",
        0x9F35 => "terminal type",
        0x9F36 => "application transaction counter",
        0x9F37 => "unpredictable number",
        0x9F40 => "additional terminal capabilities",
        0x9F41 => "transaction sequence counter",
        0x9F45 => "data authentication code",
        0x9F4C => "ICC dynamic number",
        0x9F53 => "transaction category code",
        0x9F5B => "issuer script results",
        0x9F66 => "terminal transaction qualifiers",
        0x9F6B => "track 2 data (contactless)",
        0x9F6C => "card transaction qualifiers",
        0x9F6E => "form factor indicator",
        0x9F7C => "customer exclusive data",
        0xDF8104 => "balance read before generate AC",
        _ => return None,
    })
}

/// Whether its value tells the card's number, holder or verification data: never shown.
#[must_use]
pub const fn is_sensitive(tag: Tag) -> bool {
    matches!(
        tag.number(),
        0x57 | 0x5A | 0x5F20 | 0x5F24 | 0x9F0B | 0x9F1F | 0x9F20 | 0x9F6B | 0x56 | 0x99
    )
}
