//! What one link of a configuration must satisfy beyond its types. It owns the rules that the
//! network does not check by itself, and puts those that it does to their keys.

use std::time::Duration;

use switch_domain::LinkId;
use switch_network::{InvalidLink, LinkConfig};
use switch_security::KeyName;

use super::KeyForm;
use super::check::Faults;
use super::{Link, Security};

/// Characters of the longest key block and cryptogram that are sent.
const KEY_BLOCK: usize = 144;
const CRYPTOGRAM: usize = 54;

/// All faults of one link.
pub(super) fn each_link(name: &str, link: &Link, faults: &mut Faults) {
    let path = |key| ["links", name, key];
    faults.require(
        link.id > 0,
        &path("id"),
        "give every link a number from 1 that is never used for another: answers to repeats are \
         found by it",
    );
    if let Err(error) = super::links::dialect(&link.dialect) {
        faults.require(false, &path("dialect"), error);
    }
    if let Err(error) = link.framing.check() {
        faults.require(false, &path("framing"), error.to_string());
    }
    faults.require(
        (1..=65_536).contains(&link.max_connections),
        &path("max_connections"),
        "from 1 to 65536",
    );
    faults.require(
        (1..=65_536).contains(&link.max_in_flight),
        &path("max_in_flight"),
        "from 1 to 65536",
    );
    faults.require(
        link.lock_refusals_per_minute <= 6_000,
        &path("lock_refusals_per_minute"),
        "from 0 to 6000: each is a row of the journal and one of the audit trail",
    );
    key_change(name, link, faults);
    deadlines(name, link, faults);
    faults.require(
        link.output_limit_bytes >= link.framing.max_frame,
        &path("output_limit_bytes"),
        "at least the longest frame",
    );
    requests(name, link, faults);
    sides(name, link, faults);
    codes(name, link, faults);
    cards(name, link, faults);
}

/// How cards and holders are presented.
fn cards(name: &str, link: &Link, faults: &mut Faults) {
    let Ok(dialect) = super::links::dialect(&link.dialect) else { return };
    if let Err((key, message)) = link.card_rules(&Security::default(), &dialect) {
        faults.require(false, &["links", name, key], message);
    }
}

/// How messages are authenticated.
fn codes(name: &str, link: &Link, faults: &mut Faults) {
    let Some(mac) = &link.mac else { return };
    let Ok(dialect) = super::links::dialect(&link.dialect) else { return };
    match mac.rule() {
        Err((key, message)) => faults.require(false, &["links", name, "mac", key], message),
        Ok(rule) => faults.require(
            rule.fits(&dialect),
            &["links", name, "mac", "bytes"],
            "from 4 to what the fields hold that the dialect lists in mac_fields",
        ),
    }
}

/// Keys that come and go need names, and room in a field of characters.
fn key_change(name: &str, link: &Link, faults: &mut Faults) {
    let Some(rule) = &link.key_change else { return };
    let path = |key| ["links", name, "key_change", key];
    let wanted = "a name of 1 to 32 small letters, digits and hyphens";
    for (key, value) in [("key", &rule.key), ("zone_key", &rule.zone_key)] {
        faults.require(KeyName::new(value).is_some(), &path(key), wanted);
    }
    let most = if rule.form == KeyForm::KeyBlock { KEY_BLOCK } else { CRYPTOGRAM };
    let Ok(dialect) = super::links::dialect(&link.dialect) else { return };
    let room = dialect.spec(rule.field).map(|spec| usize::from(spec.max)).unwrap_or_default();
    faults.require(
        room >= most,
        &path("field"),
        format!("a field of the dialect with room for {most} characters"),
    );
    faults.require(
        rule.grace_s <= 31_536_000,
        &path("grace_s"),
        "at most 31536000, a year: the key before must end some day",
    );
}

fn deadlines(name: &str, link: &Link, faults: &mut Faults) {
    let path = |key| ["links", name, key];
    faults.require(
        (50..=60_000).contains(&link.answer_deadline_ms),
        &path("answer_deadline_ms"),
        "from 50 to 60000; networks stand in after 5 to 10 seconds",
    );
    faults.require(link.frame_deadline_ms >= 100, &path("frame_deadline_ms"), "at least 100");
    faults.require(
        link.idle_deadline_ms >= 1_000,
        &path("idle_deadline_ms"),
        "at least 1000; longer than the peer's echo interval",
    );
    faults.require(
        (1_000..=3_600_000).contains(&link.unacknowledged_ms),
        &path("unacknowledged_ms"),
        "from 1000 to 3600000",
    );
    faults.require(
        (100..=60_000).contains(&link.connect_deadline_ms),
        &path("connect_deadline_ms"),
        "from 100 to 60000",
    );
    faults.require(
        (10..=60_000).contains(&link.redial_first_ms),
        &path("redial_first_ms"),
        "from 10 to 60000",
    );
    faults.require(
        (link.redial_first_ms..=3_600_000).contains(&link.redial_longest_ms),
        &path("redial_longest_ms"),
        "from redial_first_ms to 3600000",
    );
    if let Some(tls) = &link.tls {
        let path = |key| ["links", name, "tls", key];
        let patient = (100..=60_000).contains(&tls.handshake_deadline_ms);
        faults.require(patient, &path("handshake_deadline_ms"), "from 100 to 60000");
        let regular = (1_000..=86_400_000).contains(&tls.check_interval_ms);
        faults.require(regular, &path("check_interval_ms"), "from 1000 to 86400000");
    }
}

/// What a link asks by itself.
fn requests(name: &str, link: &Link, faults: &mut Faults) {
    let path = |key| ["links", name, key];
    let interval = link.echo_interval_ms;
    faults.require(
        interval == 0 || (1_000..link.idle_deadline_ms).contains(&interval),
        &path("echo_interval_ms"),
        "0 for none, or from 1000 to below idle_deadline_ms, which closes the connection",
    );
    faults.require(
        (1..=100).contains(&link.echo_unanswered),
        &path("echo_unanswered"),
        "from 1 to 100",
    );
    faults.require(
        (100..=600_000).contains(&link.request_deadline_ms),
        &path("request_deadline_ms"),
        "from 100 to 600000",
    );
    faults.require(
        (1..=10_000).contains(&link.max_requests),
        &path("max_requests"),
        "from 1 to 10000",
    );
}

/// Who connects to whom, with which certificates, and what is asked: the network's own rules.
fn sides(name: &str, link: &Link, faults: &mut Faults) {
    let both = link.listen.is_some() && !link.dial.is_empty();
    faults.require(
        !both,
        &["links", name, "dial"],
        "a link listens or dials: leave one of them out",
    );
    let Ok(dialect) = super::links::dialect(&link.dialect) else { return };
    let nowhere = ([127, 0, 0, 1], 0).into();
    let mut settings =
        LinkConfig::new(name, LinkId(link.id), nowhere, link.framing, dialect.into());
    settings.side = link.side();
    settings.tls = link.tls_settings();
    settings.peers.clone_from(&link.peers);
    match link.institutions() {
        Ok(institutions) => settings.institutions = institutions,
        Err((setting, fault)) => faults.require(false, &["links", name, setting], fault),
    }
    match link.lock_authority() {
        Ok(locks) => settings.locks = locks,
        Err((setting, fault)) => faults.require(false, &["links", name, setting], fault),
    }
    settings.idle_deadline = Duration::from_millis(link.idle_deadline_ms);
    match link.request_settings() {
        Ok(requests) => settings.requests = requests,
        Err((setting, fault)) => faults.require(false, &["links", name, setting], fault),
    }
    if let Err(InvalidLink::Unfit { setting, fault, .. }) = settings.check() {
        faults.require(false, &["links", name, setting], fault);
    }
}
