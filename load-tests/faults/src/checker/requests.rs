//! Rules about single requests: what was seen is in the database, once; answers agree; what was
//! declined moved nothing; what was reversed is given back once; each reply has its request.

use std::collections::BTreeMap;

use super::asks::Effect;
use super::history::{Ask, History, INOPERATIVE, MALFUNCTION, Reply, Request, Sent, Stan, What};
use super::tables::Authorization;
use super::{Evidence, Unanswered, Violation};

pub(super) const SEEN: &str = "I1 approval lost";
pub(super) const ONCE: &str = "I2 held twice";
pub(super) const SAME: &str = "I2 answers differ";
pub(super) const DECLINED: &str = "I10 declined and held";
pub(super) const LINKED: &str = "I7 completes another";
pub(super) const REVERSED: &str = "I7 reversal";
pub(super) const OWN_LINK: &str = "I5 reply out of place";
pub(super) const FENCED: &str = "I9 fenced process approved";
pub(super) const DEFINITE: &str = "I14 no definite answer";
pub(super) const SILENT: &str = "I14 silent on a living link";
pub(super) const MALFUNCTIONED: &str = "I14 malfunction";
pub(super) const HEALED: &str = "I12 not healed";

/// The rows of each request, by its STAN.
pub(super) type Rows<'a> = BTreeMap<Stan, Vec<&'a Authorization>>;

pub(super) fn check(evidence: &Evidence<'_>, rows: &Rows<'_>, found: &mut Vec<Violation>) {
    let mut say = |rule, stan, what: String| {
        found.push(Violation { rule, stan: Some(stan), what });
    };
    let of = |stan: Stan| rows.get(&stan).map_or(&[][..], Vec::as_slice);
    for (stan, ask, request) in evidence.history.asks() {
        asked(stan, ask, request, of(stan), &mut say);
        if ask.kind.completes() && request.is_approved() {
            linked(stan, of(stan), of(ask.of.unwrap_or_default()), &mut say);
        }
    }
    for (stan, named, request) in evidence.history.reversals() {
        let times = evidence.tables.reversals.get(&stan).copied().unwrap_or(0);
        reversal(&evidence.history, stan, named, (request, times), of(named.0), &mut say);
    }
    for (stan, request) in &evidence.history.requests {
        answers(evidence, *stan, request, &mut say);
        places(*stan, request, &mut say);
        fenced(evidence, *stan, request, &mut say);
    }
    let failed = failed(evidence);
    let may_fail = usize::from(evidence.unanswered == Unanswered::One);
    if failed.len() > may_fail {
        for (stan, rule, what) in failed {
            say(rule, stan, what);
        }
    }
    for stan in &evidence.history.after_healing {
        let request = evidence.history.requests.get(stan);
        if !request.is_some_and(Request::is_approved) {
            say(HEALED, *stan, "a request after healing was not approved".into());
        }
    }
}

type Say<'a> = &'a mut dyn FnMut(&'static str, Stan, String);

fn asked(stan: Stan, ask: Ask, request: &Request, rows: &[&Authorization], say: Say<'_>) {
    let Ask { kind, amount, of, .. } = ask;
    if rows.len() > 1 {
        say(ONCE, stan, format!("{} rows have its key", rows.len()));
    }
    let approval = request.replies.iter().find(|reply| reply.is_approval());
    let granted = if kind.is_advice() { "advice_accepted" } else { "approved" };
    let kept = rows.iter().find(|row| row.reason == granted);
    // An advice says itself what it was approved under.
    let is_coded = !kind.is_advice();
    match (approval, kept) {
        (Some(seen), Some(row)) if is_coded && seen.approval != row.approval_code => {
            let (saw, has) = (&seen.approval, &row.approval_code);
            say(SEEN, stan, format!("the peer saw approval {saw}, the row has {has}"));
        }
        (Some(_), Some(row)) if row.requested != amount => {
            say(SEEN, stan, format!("it asked for {amount}, the row says {}", row.requested));
        }
        (Some(_), Some(row)) if kind.effect() == Effect::Holds && row.authorized != amount => {
            say(SEEN, stan, format!("approved for {amount}, the row says {}", row.authorized));
        }
        (Some(_), Some(row)) if kind.effect() == Effect::Nothing && row.moves() => {
            say(SEEN, stan, "it asked for nothing that moves money, and did".into());
        }
        (Some(_), None) => {
            let reasons: Vec<_> = rows.iter().map(|row| row.reason.as_str()).collect();
            say(SEEN, stan, format!("the peer saw an approval, the database has {reasons:?}"));
        }
        _ => {}
    }
    let declined = !request.replies.is_empty() && approval.is_none();
    let held: i64 = rows.iter().map(|row| row.held()).sum();
    let own = of.is_some() || kind.effect() != Effect::Holds;
    let cleared: i64 = rows.iter().filter(|_| own).map(|row| row.cleared).sum();
    if declined && (held != 0 || cleared != 0) {
        let what = format!("every answer was a decline, {held} is held and {cleared} settled");
        say(DECLINED, stan, what);
    }
}

/// What completes an authorization says so in its row.
fn linked(stan: Stan, rows: &[&Authorization], first: &[&Authorization], say: Say<'_>) {
    let first: Vec<i64> = first.iter().map(|row| row.id).collect();
    for row in rows.iter().filter(|row| !row.completes.is_some_and(|of| first.contains(&of))) {
        say(LINKED, stan, format!("its row completes {:?}, not {first:?}", row.completes));
    }
}

fn reversal(
    history: &History,
    stan: Stan,
    (of, standing): (Stan, i64),
    (request, times): (&Request, usize),
    rows: &[&Authorization],
    say: Say<'_>,
) {
    if times > 1 {
        say(REVERSED, stan, format!("it stands {times} times in the events"));
    }
    // Of one that others settle more can be taken back: what they settled above it.
    let names = |ask: Ask| ask.kind.completes() && ask.of == Some(of);
    let is_completed = history.asks().any(|(_, ask, _)| names(ask));
    for row in rows.iter().filter(|row| !is_completed && row.reversed > row.most()) {
        let (most, reversed) = (row.most(), row.reversed);
        say(REVERSED, stan, format!("of {most} of STAN {of}, {reversed} was given back"));
    }
    if !request.is_approved() {
        return;
    }
    if times == 0 {
        say(REVERSED, stan, "it was accepted, and stands nowhere".into());
    }
    let named = history.requests.get(&of).map(|named| named.what);
    let left: i64 = match named {
        Some(What::Ask(ask)) if ask.kind.effect() == Effect::Holds => {
            rows.iter().map(|row| row.held()).sum()
        }
        _ => rows.iter().map(|row| row.cleared).sum(),
    };
    if standing == 0 && left != 0 {
        say(REVERSED, stan, format!("it was accepted, and {left} of STAN {of} still stands"));
    }
}

/// One definite answer, and the same each time. A request nobody answered was asked about twice.
fn answers(evidence: &Evidence<'_>, stan: Stan, request: &Request, say: Say<'_>) {
    let counts = |reply: &&Reply| {
        let shed = evidence.sheds && is_shed(request, reply);
        // What a panic cost one copy is not remembered, and another is decided by itself.
        let failed = evidence.unanswered == Unanswered::One && reply.code == MALFUNCTION;
        !(is_superseded(request, reply) || shed || failed && request.replies.len() > 1)
    };
    let counting = request.replies.iter().filter(counts);
    let mut seen: Vec<(&str, &str)> = counting.map(Reply::substance).collect();
    seen.sort_unstable();
    seen.dedup();
    if seen.len() > 1 {
        say(SAME, stan, format!("it was answered {seen:?}"));
    }
    let asked = request.sent.iter().filter(|sent| sent.inquest).count();
    let told = request.replies.iter().filter(|reply| reply.inquest).count();
    if told < asked {
        say(DEFINITE, stan, format!("asked {asked} times after healing, answered {told} times"));
    } else if request.replies.is_empty() {
        say(DEFINITE, stan, "it was never answered, and never asked about".into());
    }
}

/// A message that was declined because nothing could be committed is not remembered (W-21): asked
/// again after that answer, it is decided anew, and the peer goes by the later answer.
fn is_superseded(request: &Request, reply: &Reply) -> bool {
    let asked_again = request.sent.iter().any(|sent| sent.at_us > reply.at_us);
    let answered_later = request.replies.iter().any(|other| other.at_us > reply.at_us);
    reply.is_forgotten() && asked_again && answered_later
}

/// Where messages are shed, those that are not marked as repeats are declined without being looked
/// at: a peer that has another on its way gets that one's answer too.
fn is_shed(request: &Request, reply: &Reply) -> bool {
    let unmarked = |sent: &Sent| !sent.repeat && sent.link == reply.link;
    let here = request.sent.iter().any(unmarked) || request.copies.contains(&reply.link);
    reply.code == INOPERATIVE && here && request.replies.len() > 1
}

/// No more replies on a link than whole requests went there.
fn places(stan: Stan, request: &Request, say: Say<'_>) {
    let mut replies: BTreeMap<u32, usize> = BTreeMap::new();
    for reply in &request.replies {
        *replies.entry(reply.link).or_default() += 1;
    }
    for (link, count) in replies {
        let deliveries = request.deliveries(link);
        if count > deliveries {
            let what = format!("{count} replies on link {link}, which took it {deliveries} times");
            say(OWN_LINK, stan, what);
        }
    }
}

fn fenced(evidence: &Evidence<'_>, stan: Stan, request: &Request, say: Say<'_>) {
    for reply in request.replies.iter().filter(|reply| reply.is_approval()) {
        let link = evidence.history.links.get(&reply.link);
        let woken = link.and_then(|link| evidence.history.fenced.get(&link.generation));
        if woken.is_some_and(|woken| reply.at_us > *woken) {
            let late = reply.at_us - woken.copied().unwrap_or_default();
            let what = format!("{late} us after it woke, a process that was taken over approved");
            say(FENCED, stan, what);
        }
    }
}

/// Requests that were not answered, or with a malfunction, each with the rule that this breaks.
fn failed(evidence: &Evidence<'_>) -> Vec<(Stan, &'static str, String)> {
    let mut failed = Vec::new();
    for (stan, request) in &evidence.history.requests {
        if request.replies.iter().any(|reply| reply.code == MALFUNCTION) {
            failed.push((*stan, MALFUNCTIONED, "it was answered with a malfunction".into()));
        } else if evidence.unanswered != Unanswered::Any {
            let mut say = |rule, stan, what| failed.push((stan, rule, what));
            living(evidence, *stan, request, &mut say);
        }
    }
    failed
}

/// On a link that stayed open, each whole request has its reply.
fn living(evidence: &Evidence<'_>, stan: Stan, request: &Request, say: Say<'_>) {
    let open =
        |link: &&u32| evidence.history.links.get(link).is_some_and(|link| link.closed_us.is_none());
    let mut links: Vec<u32> = request.sent.iter().map(|sent| sent.link).collect();
    links.extend(&request.copies);
    links.sort_unstable();
    links.dedup();
    for link in links.iter().filter(open) {
        let replies = request.replies.iter().filter(|reply| reply.link == *link).count();
        let deliveries = request.deliveries(*link);
        let marked = request.sent.iter().filter(|sent| sent.repeat && sent.link == *link).count();
        // Where messages are shed, a copy of one that was taken gets silence, and the one that was
        // taken gets the answer (W-22).
        let silenced = evidence.sheds && !request.replies.is_empty();
        if replies < if silenced { marked } else { deliveries } {
            let what = format!("link {link} took it {deliveries} times, answered {replies} times");
            say(SILENT, stan, what);
        }
    }
}
