//! Rules about single requests: what was seen is in the database, once; answers agree; what was
//! declined holds nothing; what was reversed is given back once; each reply has its request.

use std::collections::BTreeMap;

use super::history::{INOPERATIVE, MALFUNCTION, Reply, Request, Sent, Stan};
use super::tables::Authorization;
use super::{Evidence, Unanswered, Violation};

pub(super) const SEEN: &str = "I1 approval lost";
pub(super) const ONCE: &str = "I2 held twice";
pub(super) const SAME: &str = "I2 answers differ";
pub(super) const DECLINED: &str = "I10 declined and held";
pub(super) const REVERSED: &str = "I7 reversal";
pub(super) const OWN_LINK: &str = "I5 reply out of place";
pub(super) const FENCED: &str = "I9 fenced process approved";
pub(super) const DEFINITE: &str = "I14 no definite answer";
pub(super) const SILENT: &str = "I14 silent on a living link";
pub(super) const MALFUNCTIONED: &str = "I14 malfunction";
pub(super) const HEALED: &str = "I12 not healed";

type Rows<'a> = BTreeMap<Stan, Vec<&'a Authorization>>;

pub(super) fn check(evidence: &Evidence<'_>, found: &mut Vec<Violation>) {
    let mut rows = Rows::new();
    for row in &evidence.tables.authorizations {
        rows.entry(row.stan).or_default().push(row);
    }
    let mut say = |rule, stan, what: String| {
        found.push(Violation { rule, stan: Some(stan), what });
    };
    for (stan, _, amount, request) in evidence.history.purchases() {
        let rows = rows.get(&stan).map_or(&[][..], Vec::as_slice);
        purchase(stan, amount, request, rows, &mut say);
    }
    for (stan, of, request) in evidence.history.reversals() {
        let rows = rows.get(&of).map_or(&[][..], Vec::as_slice);
        let times = evidence.tables.reversals.get(&stan).copied().unwrap_or(0);
        reversal(stan, of, request, rows, times, &mut say);
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
            say(HEALED, *stan, "a purchase after healing was not approved".into());
        }
    }
}

type Say<'a> = &'a mut dyn FnMut(&'static str, Stan, String);

fn purchase(stan: Stan, amount: i64, request: &Request, rows: &[&Authorization], say: Say<'_>) {
    if rows.len() > 1 {
        say(ONCE, stan, format!("{} rows have its key", rows.len()));
    }
    let approval = request.replies.iter().find(|reply| reply.is_approval());
    let kept = rows.iter().find(|row| row.reason == "approved");
    match (approval, kept) {
        (Some(seen), Some(row)) if seen.approval != row.approval_code => {
            let (saw, has) = (&seen.approval, &row.approval_code);
            say(SEEN, stan, format!("the peer saw approval {saw}, the row has {has}"));
        }
        (Some(_), Some(row)) if row.authorized != amount => {
            say(SEEN, stan, format!("approved for {amount}, the row says {}", row.authorized));
        }
        (Some(_), None) => {
            let reasons: Vec<_> = rows.iter().map(|row| row.reason.as_str()).collect();
            say(SEEN, stan, format!("the peer saw an approval, the database has {reasons:?}"));
        }
        _ => {}
    }
    let declined = !request.replies.is_empty() && approval.is_none();
    let held: i64 = rows.iter().map(|row| row.held()).sum();
    if declined && held != 0 {
        say(DECLINED, stan, format!("every answer was a decline, and {held} is held"));
    }
}

fn reversal(
    stan: Stan,
    of: Stan,
    request: &Request,
    rows: &[&Authorization],
    times: usize,
    say: Say<'_>,
) {
    if times > 1 {
        say(REVERSED, stan, format!("it stands {times} times in the events"));
    }
    for row in rows.iter().filter(|row| row.reversed > row.authorized) {
        let Authorization { authorized, reversed, .. } = row;
        say(REVERSED, stan, format!("of {authorized} of STAN {of}, {reversed} was given back"));
    }
    if !request.is_approved() {
        return;
    }
    if times == 0 {
        say(REVERSED, stan, "it was accepted, and stands nowhere".into());
    }
    let held: i64 = rows.iter().map(|row| row.held()).sum();
    if held != 0 {
        say(REVERSED, stan, format!("it was accepted, and STAN {of} still holds {held}"));
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
