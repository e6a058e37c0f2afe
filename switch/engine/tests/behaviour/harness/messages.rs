//! Rows that stand for ISO 8583 messages, and for the void of one and the end of its hold: `auth`,
//! `advise`, `pay`, `post`, `reverse`, `void`, `expire`.

use switch_domain::{
    Acquirer, Amount, AsciiText, AuthorizationId, BalanceId, Bin, Channel, Country, Currency,
    EntryMode, Expiry, Fingerprint, Hold, LinkId, Merchant, MessageClass, MessageFacts, MessageKey,
    MinorUnits, NetworkTrace, OriginalClass, OriginalReference, Reason, Tolerance, TransactionType,
};
use switch_engine::{Advise, Answer, Authorize, Command, Increment, Original, Reverse, Terms};

use super::currencies::network_amounts;
use super::row::Row;
use super::{CARDS, World, currency, minor_units};

pub(crate) const DEMO_BIN: u32 = 99_999_912;

/// The fingerprint that stands for a card of this name.
pub(crate) fn fingerprint(name: &str) -> Fingerprint {
    let mut bytes = [0; 16];
    for (index, byte) in name.bytes().enumerate() {
        bytes[index % 16] = byte.wrapping_add(bytes[index % 16]);
    }
    Fingerprint(bytes)
}

fn text<const N: usize>(value: &str) -> AsciiText<N> {
    AsciiText::new(value.as_bytes()).expect("short and printable")
}

/// A key with the everyday values of a terminal.
pub(crate) fn key(class: MessageClass, stan: u32, card: Fingerprint) -> MessageKey {
    MessageKey {
        acquirer: Acquirer::Institution(text("999001")),
        class,
        stan: stan.into(),
        local_time: 615_120_000,
        terminal: text("TERM0001"),
        rrn: AsciiText::EMPTY,
        card,
    }
}

/// A purchase over link 1 without anything wrong in it.
pub(crate) fn authorize(key: MessageKey, amount: Amount) -> Authorize {
    Authorize {
        link: LinkId(1),
        facts: MessageFacts {
            key,
            transmitted: 0,
            channel: Channel::Pos,
            entry: EntryMode::Chip,
            kind: switch_domain::TransactionType::Purchase,
            merchant: Merchant { category: 5411, id: text("MERCHANT0000001") },
            country: None,
            network_trace: NetworkTrace::NONE,
        },
        bin: Bin(DEMO_BIN),
        card: None,
        expiry: None,
        fault: None,
        amount,
        terms: Terms::default(),
        repeat: false,
        network: None,
        adds_to: None,
        completes: None,
        evidence: None,
        blocked: false,
    }
}

/// A reversal over link 1 with number `own`, of what `original` is the key of.
pub(crate) fn reversal(own: u32, original: &MessageKey) -> Reverse {
    Reverse {
        link: LinkId(1),
        key: MessageKey { stan: own.into(), class: MessageClass::ReversalRequest, ..*original },
        reference: OriginalReference {
            key: original.as_original(),
            class: None,
            transmitted: 0,
            rrn: AsciiText::EMPTY,
            network_trace: NetworkTrace::NONE,
        },
        standing: None,
        repeat: false,
    }
}

impl World {
    pub(super) fn message(&mut self, row: &Row<'_>) {
        match row.verb {
            "auth" | "advise" | "pay" | "post" => self.authorization(row),
            "reverse" => self.reverse(row),
            "expire" => self.expire(row),
            _ => self.void(row),
        }
    }

    /// `auth CARD AMOUNT stan N [in CUR] [exp YYMM] [bin N] [fault REASON] [as LABEL] [rrn ..]
    /// [de7 ..] [time ..] [term ..] [acq ..] [link ..] [mark repeat] [kind K] [trace T]
    /// [chan C] [entry E] [mcc M] [at MERCHANT] [country C] [part yes] [fee A|-A]
    /// [fee-within yes]`, added
    /// `[onto N]` the authorization with STAN N, or `[instead N]` of its amount, where N may be
    /// `trace`: only the network trace says of which, by `[names T]` not its own; `advise`, of
    /// an approval unless `said declined`; `pay`, a financial request; and `post`, a financial
    /// advice, each `[to N]` of the authorization with STAN N, of which more may be settled by
    /// `[within PERCENT]`, and after which more comes by `last no`. What the network converted is
    /// `[billed 9.23EUR] [settled 9.30USD]`; what was found of card and holder: see `security`. At
    /// a merchant that is refused this BIN: `barred yes`.
    fn authorization(&mut self, row: &Row<'_>) {
        let name = row.word("a card");
        let known = self.names.cards.get(name).copied();
        if known.is_none() && !name.starts_with("no-") {
            row.fail(&format!("no card is called {name}"));
        }
        let of_card = known.map_or(currency("EUR"), |(_, currency)| currency);
        let currency = row.option("in").map_or(of_card, currency);
        let minor = minor_units(row, row.word("an amount"), currency);
        let stan = row.number_option("stan").unwrap_or_else(|| row.fail("wants a stan"));
        let class = match row.verb {
            "advise" => MessageClass::AuthorizationAdvice,
            "pay" => MessageClass::FinancialRequest,
            "post" => MessageClass::FinancialAdvice,
            _ => MessageClass::AuthorizationRequest,
        };
        let key = common_key(row, class, stan, name);
        let mut request = authorize(key, Amount { minor, currency });
        request.link = link_of(&key, request.link);
        request.facts.transmitted = row.number_option("de7").unwrap_or(0);
        request.card = known.map(|(id, _)| id);
        request.bin = Bin(row.number_option("bin").unwrap_or(DEMO_BIN));
        request.expiry = row.number_option("exp").map(|yymm| expiry(row, yymm));
        request.fault = row.option("fault").map(|name| reason(row, name));
        request.repeat = row.option("mark") == Some("repeat");
        request.facts.kind =
            row.option("kind").map_or_else(Default::default, |name| kind(row, name));
        request.terms = terms(row, currency);
        place(row, &mut request.facts);
        request.facts.network_trace = trace(row, "trace").unwrap_or_default();
        let spoken_of = trace(row, "names").unwrap_or(request.facts.network_trace);
        request.adds_to = adds_to(row, &key, spoken_of);
        request.network = network_amounts(row);
        request.evidence = self.evidence(row, name);
        request.blocked = row.option("barred") == Some("yes");
        if class == MessageClass::FinancialRequest {
            request.completes = Some(original(row, &key, request.facts.network_trace))
                .filter(|original| original.named)
                .map(Box::new);
        }
        let label = row.option("as").map_or_else(|| stan.to_string(), str::to_owned);
        let approved = row.option("said") != Some("declined");
        let command = match class {
            MessageClass::AuthorizationAdvice | MessageClass::FinancialAdvice => {
                let original = (class == MessageClass::FinancialAdvice)
                    .then(|| original(row, &key, spoken_of));
                Command::Advise(Advise { request, approved, approval_code: None, original })
            }
            _ => Command::Authorize(request),
        };
        let answer = self.submit(row, CARDS, &command);
        if let Answer::Decided(decision) = answer {
            self.names.card_of_stan.insert(stan, name.to_owned());
            if let Some(id) = decision.authorization.filter(|_| !decision.repeated) {
                self.names.authorizations.insert(label, id);
            }
        }
    }

    /// `reverse [CARD] stan N [own M] [rrn ..] [de7 ..] [time ..] [term ..] [acq ..] [link ..]
    /// [trace T] [mark repeat] [leaving A] [class financial|authorization] [by advice]`: the
    /// reversal of the message with STAN N, itself with STAN M.
    fn reverse(&mut self, row: &Row<'_>) {
        let stan: u32 = row.number_option("stan").unwrap_or_else(|| row.fail("wants a stan"));
        let spoken_of = self.names.card_of_stan.get(&stan).cloned();
        let name = row.optional_word().map(str::to_owned).or(spoken_of);
        let Some(name) = name else { row.fail("of which card?") };
        let own = row.number_option("own").unwrap_or(500_000 + stan);
        let transmitted = row.number_option("de7").unwrap_or(0);
        let class = match row.option("by") {
            Some("advice") => MessageClass::ReversalAdvice,
            _ => MessageClass::ReversalRequest,
        };
        let key = common_key(row, class, own, &name);
        let mut reference_key = key.as_original();
        reference_key.stan = stan.into();
        let request = Reverse {
            link: link_of(&key, LinkId(1)),
            key,
            reference: OriginalReference {
                key: reference_key,
                class: row.option("class").map(|name| original_class(row, name)),
                transmitted,
                rrn: key.rrn,
                network_trace: trace(row, "trace").unwrap_or_default(),
            },
            standing: self.standing(row, &name),
            repeat: row.option("mark") == Some("repeat"),
        };
        self.submit(row, CARDS, &Command::Reverse(request));
    }

    fn standing(&self, row: &Row<'_>, card: &str) -> Option<Amount> {
        let left = row.option("leaving")?;
        let of_card = self.names.cards.get(card).map_or(currency("EUR"), |(_, currency)| *currency);
        let currency = row.option("in").map_or(of_card, currency);
        Some(Amount { minor: minor_units(row, left, currency), currency })
    }

    /// `expire LABEL`: its hold lived its life.
    fn expire(&mut self, row: &Row<'_>) {
        let label = row.word("an authorization");
        let hold = match self.names.authorizations.get(label) {
            Some(id) => self.cluster.hold(*id),
            None if label.starts_with("no-") => Hold {
                authorization: AuthorizationId(9),
                balance: BalanceId(9),
                decided_at: self.cluster.now,
                original: key(MessageClass::AuthorizationRequest, 9, fingerprint(label))
                    .as_original(),
                incremented: switch_domain::MinorUnits::ZERO,
            },
            None => row.fail("no such authorization"),
        };
        self.submit(row, CARDS, &Command::Expire(hold));
    }

    /// `void LABEL REASON`
    fn void(&mut self, row: &Row<'_>) {
        let label = row.word("an authorization");
        let authorization = match self.names.authorizations.get(label) {
            Some(id) => *id,
            None if label.starts_with("no-") => AuthorizationId(9),
            None => row.fail("no such authorization"),
        };
        let reason = reason(row, row.word("a reason"));
        self.submit(row, CARDS, &Command::Void { authorization, reason });
    }
}

fn common_key(row: &Row<'_>, class: MessageClass, stan: u32, card: &str) -> MessageKey {
    let mut key = key(class, stan, fingerprint(card));
    if let Some(acquirer) = row.option("acq") {
        key.acquirer = Acquirer::Institution(text(acquirer));
    }
    if let Some(link) = row.number_option("link") {
        key.acquirer = Acquirer::Link(LinkId(link));
    }
    if let Some(time) = row.number_option("time") {
        key.local_time = time;
    }
    key.terminal = row.option("term").map_or(key.terminal, text);
    key.rrn = row.option("rrn").map_or(key.rrn, text);
    key
}

/// `[part yes] [fee A|-A] [fee-within yes]`
fn terms(row: &Row<'_>, currency: Currency) -> Terms {
    let signed = |text: &str| match text.strip_prefix('-') {
        Some(text) => MinorUnits(-minor_units(row, text, currency).0),
        None => minor_units(row, text, currency),
    };
    Terms {
        takes_part: row.option("part") == Some("yes"),
        fee: row.option("fee").map_or(MinorUnits::ZERO, signed),
        fee_within: row.option("fee-within") == Some("yes"),
    }
}

/// `[chan C] [entry E] [mcc M] [at MERCHANT] [country C]`
fn place(row: &Row<'_>, facts: &mut MessageFacts) {
    facts.channel = match row.option("chan") {
        None | Some("pos") => Channel::Pos,
        Some("atm") => Channel::Atm,
        Some("ecommerce") => Channel::Ecommerce,
        Some(_) => row.fail("no such channel"),
    };
    facts.entry = match row.option("entry") {
        None | Some("chip") => EntryMode::Chip,
        Some("manual") => EntryMode::Manual,
        Some("stripe") => EntryMode::Stripe,
        Some("contactless") => EntryMode::Contactless,
        Some("contactless_stripe") => EntryMode::ContactlessStripe,
        Some("ecommerce") => EntryMode::Ecommerce,
        Some(_) => row.fail("no such entry"),
    };
    facts.merchant.category = row.number_option("mcc").unwrap_or(facts.merchant.category);
    facts.merchant.id = row.option("at").map_or(facts.merchant.id, text);
    let country = |code| Country::from_code(code).unwrap_or_else(|_| row.fail("no country"));
    facts.country = row.option("country").map(country);
}

/// A network trace.
fn trace(row: &Row<'_>, option: &str) -> Option<NetworkTrace> {
    let text = row.option(option)?;
    Some(NetworkTrace::new(text.as_bytes()).expect("short and printable"))
}

/// What a message says of the one with this STAN, or of one that its own would be of.
fn reference(own: &MessageKey, stan: Option<u32>, trace: NetworkTrace) -> OriginalReference {
    let mut key = own.as_original();
    key.stan = stan.map_or(key.stan, u64::from);
    let rrn = own.rrn;
    OriginalReference { key, class: None, transmitted: 0, rrn, network_trace: trace }
}

/// What a financial advice says of the authorization before it.
fn original(row: &Row<'_>, own: &MessageKey, trace: NetworkTrace) -> Original {
    let named = row.number_option::<u32>("to");
    let last = row.option("last") != Some("no");
    let tolerance = Tolerance::percent(row.number_option("within").unwrap_or(0));
    Original { reference: reference(own, named, trace), named: named.is_some(), last, tolerance }
}

/// The authorization that an increment is of.
fn adds_to(row: &Row<'_>, own: &MessageKey, trace: NetworkTrace) -> Option<Box<Increment>> {
    let (onto, instead) = (row.option("onto"), row.option("instead"));
    let named = match onto.or(instead)? {
        "trace" => None,
        stan => Some(row.parsed(stan)),
    };
    let reference = reference(own, named, trace);
    Some(Box::new(Increment { reference, named: named.is_some(), replaces: instead.is_some() }))
}

fn original_class(row: &Row<'_>, name: &str) -> OriginalClass {
    match name {
        "authorization" => OriginalClass::Authorization,
        "financial" => OriginalClass::Financial,
        _ => row.fail("a class is authorization or financial"),
    }
}

fn kind(row: &Row<'_>, name: &str) -> TransactionType {
    match name {
        "purchase" => TransactionType::Purchase,
        "preauthorization" => TransactionType::Preauthorization,
        "cash" => TransactionType::Cash,
        "cash-back" => TransactionType::CashBack,
        "refund" => TransactionType::Refund,
        "inquiry" => TransactionType::BalanceInquiry,
        "statement" => TransactionType::MiniStatement,
        "verification" => TransactionType::AccountVerification,
        "pin-change" => TransactionType::PinChange,
        "pin-unblock" => TransactionType::PinUnblock,
        _ => row.fail("no such kind"),
    }
}

fn link_of(key: &MessageKey, otherwise: LinkId) -> LinkId {
    match key.acquirer {
        Acquirer::Link(link) => link,
        Acquirer::Institution(_) => otherwise,
    }
}

fn reason(row: &Row<'_>, name: &str) -> Reason {
    Reason::from_name(name).unwrap_or_else(|| row.fail(&format!("{name} is no reason")))
}

pub(super) fn expiry(row: &Row<'_>, yymm: u16) -> Expiry {
    Expiry::from_yymm(yymm).unwrap_or_else(|_| row.fail("an expiry is YYMM"))
}
