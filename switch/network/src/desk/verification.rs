//! What becomes of a request between its translation and its submission: verified, at once or,
//! where the security module has to be waited for, later, while other messages of the connection go
//! on.
//! It owns that no request waits longer than its link allows, and that one that cannot be verified
//! goes on with that as its evidence.

use bytes::BytesMut;
use codecs::iso8583::{Dialect, Version};
use std::sync::Arc;
use switch_domain::{Finding, Fingerprint, Reason, Unverified};
use switch_security::{Script, Verified};
use switch_shard::{Admission, Authorize, CardReference, Command, ReplyTo, Submission};
use tokio::time::timeout;

use super::{Desk, Request, pin_service};
use crate::answer::{Saying, action_code};
use crate::link::Link;
use crate::metrics::Held;
use crate::pending::Waiting;
use crate::presented::{ChipAnswer, Presented};
use crate::switch::Switch;
use crate::translate::{FieldFault, is_fallback};
use crate::verify::{
    APPROVED, Answers, CardChecks, Case, DECLINED, Found, Inquiry, UnusableChip, Waits,
};

const CHIP_DATA: u8 = 55;

/// What the security module found out about a request that waited for it.
pub(crate) struct Verification {
    token: u64,
    command: Box<Command>,
    card: Fingerprint,
    found: Option<Found>,
}

/// A request whose card is verified.
struct Checked {
    checks: Arc<CardChecks>,
    presented: Presented,
    reference: CardReference,
    version: Version,
    fallback: bool,
}

impl<S: Switch> Desk<S> {
    /// Verifies what a request presents, and hands it over with what was found.
    pub(super) fn verify(
        &mut self,
        request: &Request<'_>,
        mut command: Box<Command>,
        card: Fingerprint,
        out: &mut BytesMut,
    ) {
        let link = Arc::clone(&self.link);
        let Some(checked) = checked(&link, request, &command, &card) else {
            return self.hand_over(request, command, card, Answers::default(), out);
        };
        let refused = checked.checks.rules.unusable_chip == UnusableChip::FormatError;
        if refused && matches!(checked.presented.chip, Some(Err(_))) {
            let wanted = "the data of a chip, complete";
            let fault = FieldFault::Invalid { field: CHIP_DATA, wanted };
            return self.answer_format_error(request, &fault.into(), out);
        }
        match checked.checks.waits {
            Some(waits) => self.verify_later(request, command, card, checked, waits, out),
            None => {
                let found = checked.ask(&command).map(Inquiry::now);
                let answers = self.attach(&mut command, found);
                self.hand_over(request, command, card, answers, out);
            }
        }
    }

    /// Puts what was found with the request; what there is for its answer.
    fn attach(&mut self, command: &mut Command, found: Option<Found>) -> Answers {
        let (Some(found), Some(request)) = (found, authorization_mut(command)) else {
            return Answers::default();
        };
        let evidence = found.evidence;
        let chip = evidence.chip.map_or(Finding::Absent, |chip| chip.cryptogram);
        let rows = [
            ("stripe", evidence.stripe),
            ("code", evidence.code),
            ("pin", evidence.pin),
            ("cryptogram", chip),
            ("new_pin", evidence.new_pin),
            ("script", evidence.script),
        ];
        for (what, finding) in rows {
            if let Finding::Unverified(why) = finding {
                self.note_unverified(what, why);
            }
        }
        request.evidence = Some(Box::new(evidence));
        found.answers
    }

    /// What the card cannot be blamed for is told to whoever runs the switch.
    fn note_unverified(&mut self, what: &'static str, why: Unverified) {
        let cause = cause(why);
        self.link.metrics.unverified(what, cause);
        let ours = matches!(why, Unverified::NoKey | Unverified::Unavailable);
        if ours && self.may_log() {
            tracing::warn!(
                target: "security", event = "not_verified", what, cause,
                link = %self.link.config.name,
                "what a message presents could not be verified"
            );
        }
    }

    /// Lets a request wait for the module, its answer begun; one more than may wait does not.
    fn verify_later(
        &mut self,
        request: &Request<'_>,
        mut command: Box<Command>,
        card: Fingerprint,
        checked: Checked,
        waits: Waits,
        out: &mut BytesMut,
    ) {
        let link = Arc::clone(&self.link);
        if self.verifying >= waits.most {
            link.metrics.unverified("any", "no_room");
            let found = checked.ask(&command).map(|inquiry| inquiry.given_up());
            let answers = self.attach(&mut command, found);
            return self.hand_over(request, command, card, answers, out);
        }
        let asking = self.statement_of(&command, &card);
        let form = link.config.dialect.mini_statement_form();
        let own = form.filter(|_| asking.is_some()).map(|form| form.field);
        let echoed = match self.writer.begin(&request.message, request.answer, own) {
            Ok(echoed) => echoed,
            Err(error) => return super::unsendable(&link, &error),
        };
        let token = self.pending.token();
        let Request { answer: mti, header, received, .. } = *request;
        let waiting = Waiting { echoed, mti, header, received, asking, chip: None };
        self.pending.insert(token, waiting);
        self.verifying = self.verifying.saturating_add(1);
        let held = Held::new(link.metrics.verifying.clone());
        let sender = self.verified.clone();
        tokio::spawn(async move {
            let _held = held;
            let found = checked.waited(&command, waits).await;
            // A connection that has ended meanwhile has nobody to answer.
            let _ = sender.send(Verification { token, command, card, found });
        });
    }

    /// Submits a request that the module was waited for, unless it was given up meanwhile.
    pub(crate) fn verified(&mut self, verification: Verification, out: &mut BytesMut) {
        let Verification { token, mut command, card, found } = verification;
        self.verifying = self.verifying.saturating_sub(1);
        let Answers { chip, service } = self.attach(&mut command, found);
        let Some(waiting) = self.pending.get_mut(token) else { return };
        waiting.chip = chip;
        if let Some(asked) = pin_service::asked(&command, card, service) {
            waiting.asking = Some(asked);
        }
        let received = waiting.received;
        let deadline = received.checked_add(self.link.config.answer_deadline).unwrap_or(received);
        let reply = ReplyTo::new(self.replies.clone(), token);
        let submission = Submission { command, card, deadline, reply };
        match self.link.switch.submit(submission) {
            Admission::Accepted => {}
            Admission::Declined(reason) => {
                if let Some(waiting) = self.pending.take(token) {
                    self.tell(&waiting, &Saying::plain(reason), out);
                }
            }
            Admission::Silent => {
                self.pending.take(token);
                self.link.metrics.unanswered("shed", 1);
            }
        }
    }
}

/// What there is to verify of a request; `None` where its link verifies nothing, or its card's
/// programme wants nothing of it.
fn checked<S: Switch>(
    link: &Link<S>,
    request: &Request<'_>,
    command: &Command,
    card: &Fingerprint,
) -> Option<Checked> {
    let checks = link.config.card_checks.as_ref()?;
    authorization(command)?;
    let reference = link.switch.reference(card)?;
    let message = &request.message;
    Some(Checked {
        presented: Presented::read(message, &checks.rules.pin)?,
        checks: Arc::clone(checks),
        reference,
        version: message.dialect().version(),
        fallback: is_fallback(message),
    })
}

impl Checked {
    fn ask(&self, command: &Command) -> Option<Inquiry<'_>> {
        let Self { checks, presented, reference, version, fallback } = self;
        let (version, fallback) = (*version, *fallback);
        let (request, asks) = authorization(command)?;
        Some(checks.ask(&Case { presented, request, reference, version, fallback, asks }))
    }

    /// What the module finds in time.
    async fn waited(&self, command: &Command, waits: Waits) -> Option<Found> {
        let inquiry = self.ask(command)?;
        let too_late = inquiry.given_up();
        Some(timeout(waits.deadline, inquiry.wait()).await.unwrap_or(too_late))
    }
}

/// What is verified of a command, and whether it asks for a decision.
fn authorization(command: &Command) -> Option<(&Authorize, bool)> {
    match command {
        Command::Authorize(request) => Some((request, true)),
        Command::Advise(advice) => Some((&advice.request, false)),
        _ => None,
    }
}

fn authorization_mut(command: &mut Command) -> Option<&mut Authorize> {
    match command {
        Command::Authorize(request) => Some(request),
        Command::Advise(advice) => Some(&mut advice.request),
        _ => None,
    }
}

/// What the chip is told of a decision (E-02), and to do where that is an approval. A terminal that
/// gets no response code with it makes one of DE39: then the authentication data go only with a
/// DE39 that they are for.
pub(super) fn told(
    dialect: &Dialect,
    chip: Option<&Verified>,
    script: Option<&Script>,
    reason: Reason,
) -> Option<ChipAnswer> {
    // Whose cryptogram was not right is told nothing.
    let chip = chip?;
    let (authentication, code) = match reason.is_approval() {
        true => (chip.approved, APPROVED),
        false => (chip.declined, DECLINED),
    };
    let form = dialect.chip_answer_form();
    let with_code = form.response_code;
    let same = || action_code(reason, dialect).as_bytes() == code;
    let authentication = authentication.filter(|_| with_code || same());
    let script = script.filter(|_| reason.is_approval());
    if authentication.is_none() && script.is_none() {
        return None;
    }
    let mut told = ChipAnswer::new();
    if let Some(data) = authentication {
        told = told.with_authentication(data.bytes(), with_code.then_some(code));
    }
    if let Some(script) = script {
        told = told.with_script(form.script, script);
    }
    Some(told)
}

/// As metrics and logs call it.
const fn cause(why: Unverified) -> &'static str {
    match why {
        Unverified::NoKey => "no_key",
        Unverified::NoReference => "no_reference",
        Unverified::Malformed => "malformed",
        Unverified::Unavailable => "unavailable",
        Unverified::UnknownProfile => "unknown_profile",
        Unverified::Skipped => "skipped",
        Unverified::Stale => "stale",
    }
}
