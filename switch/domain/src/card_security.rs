//! What is known of a card and what its programme asks for, so that messages can be verified: the
//! references of a card, the names of keys, what is needed where. It owns these words and their
//! limits; it holds no key and no card number, and verifies nothing.

use crate::{AsciiText, Channel, ChipFacts, EntryMode, MinorUnits, PinReference};

/// The name of a key, or of a set of keys, as the key ring has it.
pub type KeyLabel = AsciiText<32>;

/// What a card's values are compared with. Apart from what follows from the card's number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CardReferences {
    /// Counts every change of what is below: what was compared with an earlier version is stale.
    pub version: u32,
    /// What may be done with the card, as its stripe and chip say; `None` where nobody said.
    pub service_code: Option<ServiceCode>,
    /// Tells cards of one number apart (5F34).
    pub sequence: u8,
    /// What its PIN is compared with; `None` where none was set.
    pub pin: Option<PinReference>,
    /// Which printed code is in force: 0 as issued, one more with every reset.
    pub code_generation: u8,
    /// Which of its plastics are good.
    pub plastic: PlasticInForce,
}

/// Which plastics of one card are good, by their sequence numbers: all of them, until one is
/// renewed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlasticInForce {
    /// Those with a lower number were renewed, and are no longer good.
    pub since: u8,
    /// The one with this number is made, and is not good before it is activated.
    pub awaited: Option<u8>,
}

impl PlasticInForce {
    /// Whether the chip of the plastic with this number is to be taken.
    #[must_use]
    pub fn takes(self, sequence: u8) -> bool {
        sequence >= self.since && self.awaited != Some(sequence)
    }
}

/// Three digits of a stripe and a chip: where the card is good, how it is authorized, for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceCode(u16);

/// The number is no service code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a service code is a number of three digits")]
pub struct InvalidServiceCode;

impl ServiceCode {
    /// In the value of a chip's track (iCVV), in the place of the card's.
    pub const CHIP: Self = Self(999);
    /// In a printed code (CVV2), which has none.
    pub const PRINTED: Self = Self(0);

    /// From its number: 0 to 999.
    ///
    /// # Errors
    /// It is above 999.
    pub const fn new(number: u16) -> Result<Self, InvalidServiceCode> {
        if number > 999 { Err(InvalidServiceCode) } else { Ok(Self(number)) }
    }

    /// As a number.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0
    }

    /// The three ASCII digits.
    #[must_use]
    pub fn digits(self) -> [u8; 3] {
        [self.0 / 100, self.0 / 10 % 10, self.0 % 10]
            .map(|digit| b'0' | u8::try_from(digit).unwrap_or_default())
    }

    /// Whether the card has a chip that is to be used: the first digit is 2 or 6.
    #[must_use]
    pub const fn has_chip(self) -> bool {
        matches!(self.0 / 100, 2 | 6)
    }
}

/// How PINs of a programme are verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinMethod {
    /// By a PIN verification value.
    Pvv,
    /// By an offset to the natural PIN (IBM 3624).
    Offset {
        /// What each hexadecimal digit becomes: 16 ASCII digits.
        decimalisation: [u8; 16],
        /// How many digits a PIN has: 4 to 12.
        length: u8,
    },
}

/// In which order the printed code has the expiry in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ExpiryOrder {
    /// YYMM.
    #[default]
    YearMonth,
    /// MMYY.
    MonthYear,
}

/// Under which names the key ring has a programme's keys; empty where it has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecurityKeys {
    /// Card values of stripe and chip: CVV, iCVV.
    pub cvk: KeyLabel,
    /// Printed codes: the one of generation 0 first. A reset takes the next, and after the last
    /// one the first again, so that a value differs from the one before it where there are two.
    pub cvk2: Vec<KeyLabel>,
    /// PIN references.
    pub pvk: KeyLabel,
    /// Master key of cryptograms.
    pub imk_ac: KeyLabel,
    /// Master key of the integrity of scripts.
    pub imk_smi: KeyLabel,
    /// Master key of the confidentiality of scripts.
    pub imk_smc: KeyLabel,
}

impl SecurityKeys {
    /// The most keys for printed codes.
    pub const MOST_CODE_KEYS: usize = 8;

    /// The key of the printed code of a generation.
    #[must_use]
    pub fn code_key(&self, generation: u8) -> Option<&KeyLabel> {
        let index = usize::from(generation).checked_rem(self.cvk2.len())?;
        self.cvk2.get(index)
    }
}

/// Pairs of channel and entry mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Circumstances(u32);

impl Circumstances {
    /// None at all.
    pub const NONE: Self = Self(0);

    const CHANNELS: [Channel; 3] = [Channel::Pos, Channel::Atm, Channel::Ecommerce];
    const MODES: [EntryMode; 7] = [
        EntryMode::Unknown,
        EntryMode::Manual,
        EntryMode::Stripe,
        EntryMode::Chip,
        EntryMode::Contactless,
        EntryMode::ContactlessStripe,
        EntryMode::Ecommerce,
    ];

    const fn bit(channel: Channel, entry: EntryMode) -> u32 {
        let entry = match entry {
            EntryMode::Unknown => 1,
            EntryMode::Manual => 1 << 1,
            EntryMode::Stripe => 1 << 2,
            EntryMode::Chip => 1 << 3,
            EntryMode::Contactless => 1 << 4,
            EntryMode::ContactlessStripe => 1 << 5,
            EntryMode::Ecommerce => 1 << 6,
        };
        match channel {
            Channel::Pos => entry,
            Channel::Atm => entry << 8,
            Channel::Ecommerce => entry << 16,
        }
    }

    /// Every channel with every entry mode that is asked for.
    #[must_use]
    pub fn of(wanted: impl Fn(Channel, EntryMode) -> bool) -> Self {
        let mut all = Self::NONE;
        for channel in Self::CHANNELS {
            for entry in Self::MODES {
                if wanted(channel, entry) {
                    all.insert(channel, entry);
                }
            }
        }
        all
    }

    /// Adds a pair.
    pub const fn insert(&mut self, channel: Channel, entry: EntryMode) {
        self.0 |= Self::bit(channel, entry);
    }

    /// Whether a pair is among them.
    #[must_use]
    pub const fn contains(self, channel: Channel, entry: EntryMode) -> bool {
        self.0 & Self::bit(channel, entry) != 0
    }

    /// As stored: a byte for each channel, a bit for each entry mode.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// From stored bits; those without a meaning are dropped.
    #[must_use]
    pub fn from_bits(bits: u32) -> Self {
        Self::of(|channel, entry| bits & Self::bit(channel, entry) != 0)
    }

    /// From `channel/entry` as `atm/chip`, where `*` stands for every one; `None` for no such pair.
    #[must_use]
    pub fn from_pattern(pattern: &str) -> Option<Self> {
        let (channel, entry) = pattern.split_once('/')?;
        let channels = Self::CHANNELS.map(channel_name);
        let modes = Self::MODES.map(entry_name);
        let known = (channel == "*" || channels.contains(&channel))
            && (entry == "*" || modes.contains(&entry));
        let is = |wanted: &str, name: &str| wanted == "*" || wanted == name;
        known.then(|| {
            Self::of(|one, other| is(channel, channel_name(one)) && is(entry, entry_name(other)))
        })
    }

    /// Each as `channel/entry`; `channel/*` where all of a channel are there.
    #[must_use]
    pub fn patterns(self) -> Vec<String> {
        let mut patterns = Vec::new();
        for channel in Self::CHANNELS {
            let name = channel_name(channel);
            let modes: Vec<_> =
                Self::MODES.into_iter().filter(|entry| self.contains(channel, *entry)).collect();
            if modes.len() == Self::MODES.len() {
                patterns.push(format!("{name}/*"));
            } else {
                patterns.extend(modes.into_iter().map(|one| format!("{name}/{}", entry_name(one))));
            }
        }
        patterns
    }

    /// Those that are in either.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// One after the other.
    pub fn iter(self) -> impl Iterator<Item = (Channel, EntryMode)> {
        let pairs = Self::CHANNELS.into_iter();
        pairs
            .flat_map(|channel| Self::MODES.into_iter().map(move |entry| (channel, entry)))
            .filter(move |(channel, entry)| self.contains(*channel, *entry))
    }
}

const fn channel_name(channel: Channel) -> &'static str {
    match channel {
        Channel::Pos => "pos",
        Channel::Atm => "atm",
        Channel::Ecommerce => "ecommerce",
    }
}

const fn entry_name(entry: EntryMode) -> &'static str {
    match entry {
        EntryMode::Unknown => "unknown",
        EntryMode::Manual => "manual",
        EntryMode::Stripe => "stripe",
        EntryMode::Chip => "chip",
        EntryMode::Contactless => "contactless",
        EntryMode::ContactlessStripe => "contactless_stripe",
        EntryMode::Ecommerce => "ecommerce",
    }
}

/// Where a programme needs what to be there and right. What is there and wrong declines everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeededChecks {
    /// The PIN.
    pub pin: Circumstances,
    /// The value of the stripe (CVV).
    pub stripe: Circumstances,
    /// The value of the chip's track (iCVV).
    pub chip_value: Circumstances,
    /// The printed code (CVV2).
    pub code: Circumstances,
    /// The cryptogram.
    pub cryptogram: Circumstances,
}

impl Default for NeededChecks {
    /// What an issuer asks for who has everything: the PIN at cash machines, the value of whatever
    /// was read, the printed code where nothing was, the cryptogram of a chip.
    fn default() -> Self {
        let entered = |wanted: &'static [EntryMode]| {
            Circumstances::of(move |_, entry| wanted.contains(&entry))
        };
        Self {
            pin: Circumstances::of(|channel, _| channel == Channel::Atm),
            stripe: entered(&[EntryMode::Stripe]),
            chip_value: Circumstances::NONE,
            code: Circumstances::of(|channel, entry| {
                let typed = matches!(entry, EntryMode::Unknown | EntryMode::Manual);
                typed || entry == EntryMode::Ecommerce || channel == Channel::Ecommerce
            }),
            cryptogram: entered(&[EntryMode::Chip, EntryMode::Contactless]),
        }
    }
}

/// What is done with a chip's counter that is below the highest one, and was not used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LowerCounter {
    /// Declined.
    #[default]
    Decline,
    /// Taken, where it is within the window that is remembered: offline items come late.
    Take,
}

/// What is asked of the transaction counters of a programme's chips (E-01).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CounterRules {
    /// What is done with one below the highest.
    pub lower: LowerCounter,
    /// How far one may go beyond the highest; 0 where any distance will do.
    pub jump: u16,
    /// True where one that goes further is declined; false where it is taken and told.
    pub declines_jump: bool,
}

impl CounterRules {
    /// Whether a counter that is so far above the highest is too far above it.
    #[must_use]
    pub const fn is_jump(self, by: u16) -> bool {
        self.jump > 0 && by > self.jump
    }
}

/// How a programme's cards are verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardSecurityTerms {
    /// Which keys.
    pub keys: SecurityKeys,
    /// How PINs are verified; `None` where there are none.
    pub pin: Option<PinMethod>,
    /// The cryptogram profiles that its chips may use, by the names that the security module has.
    pub profiles: Vec<AsciiText<16>>,
    /// How the printed code has the expiry in it.
    pub code_expiry: ExpiryOrder,
    /// What is needed where.
    pub needed: NeededChecks,
    /// The wrong PIN that locks: 1 to 15.
    pub pin_limit: u8,
    /// After how many wrong printed codes in a day the card is not taken without being present:
    /// 1 to 20.
    pub code_limit: u8,
    /// What is asked of chips' counters.
    pub counter: CounterRules,
    /// Up to which amount the stripe of a chip card is taken; below zero for none.
    pub fallback_floor: MinorUnits,
    /// What terminal and card may report that declines (E-08).
    pub refused_facts: ChipFacts,
    /// True where, without the card being present, an unknown card, a wrong expiry and a wrong
    /// printed code are answered alike (T-14).
    pub answers_alike: bool,
}

impl CardSecurityTerms {
    /// The most tries that a PIN may have.
    pub const MOST_PIN_TRIES: u8 = 15;
    /// The most wrong printed codes that a day may have.
    pub const MOST_CODE_FAILURES: u8 = 20;
    /// The most cryptogram profiles.
    pub const MOST_PROFILES: usize = 16;
}

impl Default for CardSecurityTerms {
    fn default() -> Self {
        Self {
            keys: SecurityKeys::default(),
            pin: None,
            profiles: Vec::new(),
            code_expiry: ExpiryOrder::default(),
            needed: NeededChecks::default(),
            pin_limit: 3,
            code_limit: 10,
            counter: CounterRules::default(),
            fallback_floor: MinorUnits(-1),
            refused_facts: ChipFacts::NONE,
            answers_alike: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circumstances_come_back_from_their_bits_and_defaults_say_what_they_mean() {
        let all = Circumstances::of(|_, _| true);
        assert_eq!(all.iter().count(), 21);
        assert_eq!(Circumstances::from_bits(u32::MAX), all);
        for (channel, entry) in all.iter() {
            let mut one = Circumstances::NONE;
            one.insert(channel, entry);
            assert_eq!(Circumstances::from_bits(one.bits()), one);
            assert_eq!(one.iter().collect::<Vec<_>>(), [(channel, entry)]);
        }
        let needed = NeededChecks::default();
        assert!(needed.pin.contains(Channel::Atm, EntryMode::Chip));
        assert!(!needed.pin.contains(Channel::Pos, EntryMode::Chip));
        assert!(needed.cryptogram.contains(Channel::Pos, EntryMode::Contactless));
        assert!(needed.code.contains(Channel::Ecommerce, EntryMode::Ecommerce));
    }

    #[test]
    fn patterns_name_pairs_and_say_so_again() {
        let of = |pattern: &str| Circumstances::from_pattern(pattern).expect("a pattern");
        assert_eq!(of("*/*").iter().count(), 21);
        assert_eq!(of("atm/*").patterns(), ["atm/*"]);
        assert_eq!(of("*/chip").patterns(), ["pos/chip", "atm/chip", "ecommerce/chip"]);
        let both = of("pos/stripe").or(of("atm/*"));
        let again = both.patterns().iter().map(|one| of(one)).reduce(Circumstances::or);
        assert_eq!(again, Some(both));
        for wrong in ["atm", "atm/", "shop/chip", "atm/laser", ""] {
            assert_eq!(Circumstances::from_pattern(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_reset_takes_the_next_key_and_after_the_last_the_first() {
        let label = |text: &str| KeyLabel::new(text.as_bytes()).expect("short");
        let mut keys = SecurityKeys::default();
        assert_eq!(keys.code_key(0), None);
        keys.cvk2 = vec![label("a"), label("b")];
        let taken: Vec<_> = (0..4).filter_map(|generation| keys.code_key(generation)).collect();
        assert_eq!(taken, [&label("a"), &label("b"), &label("a"), &label("b")]);
    }

    #[test]
    fn a_chip_card_is_known_by_its_service_code() {
        let chips =
            [201, 101, 620, 121, 999].map(|n| ServiceCode::new(n).map(ServiceCode::has_chip));
        assert_eq!(chips, [Ok(true), Ok(false), Ok(true), Ok(false), Ok(false)]);
        assert_eq!(ServiceCode::new(1000), Err(InvalidServiceCode));
        let digits = [7, 201, 999].map(|n| ServiceCode::new(n).map(ServiceCode::digits));
        assert_eq!(digits, [Ok(*b"007"), Ok(*b"201"), Ok(*b"999")]);
    }
}
