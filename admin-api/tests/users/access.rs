//! Pairing, sessions and PINs of users: who is let in, for how long, and after how many tries
//! nobody is. The clock is moved by hand.

use std::time::Duration;

use admin_api::{
    AccessSettings, BearerSecret, DeviceData, HashingSettings, Paired, PairingCode, Problem,
    Session, UserPin, UserSettings,
};
use switch_domain::Timestamp;
use uuid::Uuid;

use crate::world::{NOW, World, at, code};

const PIN: &str = "271828";

fn cheap() -> HashingSettings {
    HashingSettings { memory_kib: 64, passes: 1, ..HashingSettings::default() }
}

fn settings(access: AccessSettings) -> UserSettings {
    UserSettings { access: AccessSettings { hashing: cheap(), ..access }, ..Default::default() }
}

pub(crate) async fn world() -> World {
    World::with(settings(AccessSettings::default())).await
}

fn pin(text: &str) -> UserPin {
    UserPin::read(text).expect("digits")
}

fn device(key: &str) -> DeviceData {
    DeviceData { key: key.into(), platform: "android".into(), model: "Pixel 9".into() }
}

async fn pairing_code(world: &World, customer: Uuid, now: Timestamp) -> PairingCode {
    let made = world.users.pairing_code(world.one.partner, customer, now).await;
    made.expect("a code").0
}

pub(crate) async fn pair(world: &World, customer: Uuid, key: &str, now: Timestamp) -> Paired {
    let code = pairing_code(world, customer, now).await;
    world.users.pair(&code, &device(key), pin(PIN), now).await.expect("paired")
}

pub(crate) async fn open(
    world: &World,
    paired: &Paired,
    typed: &str,
    now: Timestamp,
) -> Result<BearerSecret, Problem> {
    let opened = world.users.open_session(paired.installation, &paired.secret, pin(typed), now);
    Ok(opened.await?.token)
}

async fn session(world: &World, token: &BearerSecret, now: Timestamp) -> Result<Session, Problem> {
    Ok(world.users.session(token, now).await?)
}

#[tokio::test]
async fn sr_007_a_session_says_whose_it_is() {
    let world = world().await;
    let customer = world.customer("u-1").await;
    let paired = pair(&world, customer.public_id, "device-1", NOW).await;
    let token = open(&world, &paired, PIN, NOW).await.expect("a session");
    let found = session(&world, &token, at(1)).await.expect("a session");
    assert_eq!(found.customer, customer.id);
    assert_eq!(found.customer_id, customer.public_id);
    assert_eq!(found.partner, world.one.partner);
    assert_eq!(found.installation, paired.installation);
    let never = BearerSecret::read(&"0".repeat(64)).expect("the form of one");
    assert_eq!(code(session(&world, &never, at(1)).await), "UNAUTHENTICATED");
    // Ended, it is nobody's.
    world.users.end_session(&found).await.expect("ended");
    assert_eq!(code(session(&world, &token, at(2)).await), "UNAUTHENTICATED");
    world.close().await;
}

#[tokio::test]
async fn sr_008_a_session_slides_for_ten_minutes_and_ends_at_its_cap_and_is_renewed() {
    let world = world().await;
    let customer = world.customer("u-1").await;
    let paired = pair(&world, customer.public_id, "device-1", NOW).await;
    let token = open(&world, &paired, PIN, NOW).await.expect("a session");
    // Each use moves the end on.
    for minutes in [9, 18, 27] {
        session(&world, &token, at(minutes * 60)).await.expect("in use");
    }
    let idle = session(&world, &token, at(37 * 60)).await;
    assert_eq!(code(idle), "SESSION_EXPIRED");

    let renewed = open(&world, &paired, PIN, at(40 * 60)).await.expect("authenticated again");
    // However it is used, it ends twelve hours after it began.
    let begun = 40 * 60;
    for step in 1..80 {
        session(&world, &renewed, at(begun + step * 540)).await.expect("in use");
    }
    session(&world, &renewed, at(begun + 43_199)).await.expect("the last second");
    assert_eq!(code(session(&world, &renewed, at(begun + 43_200)).await), "SESSION_EXPIRED");
    world.close().await;
}

#[tokio::test]
async fn sr_006_a_new_installation_on_a_device_ends_the_older_one_and_its_sessions() {
    let world = world().await;
    let customer = world.customer("u-1").await.public_id;
    let first = pair(&world, customer, "device-1", NOW).await;
    let token = open(&world, &first, PIN, NOW).await.expect("a session");
    let elsewhere = pair(&world, customer, "device-2", NOW).await;
    let second = pair(&world, customer, "device-1", at(1)).await;
    assert_eq!(first.device, second.device, "SR-005: the device is the same");
    assert_ne!(first.installation, second.installation);
    assert_eq!(code(session(&world, &token, at(2)).await), "UNAUTHENTICATED");
    assert_eq!(code(open(&world, &first, PIN, at(2)).await.map(|_| ())), "UNAUTHENTICATED");
    open(&world, &second, PIN, at(2)).await.expect("the new one");
    open(&world, &elsewhere, PIN, at(2)).await.expect("another device's");
    let listed = world.users.installations(world.one.partner, customer).await.expect("listed");
    let mut active: Vec<Uuid> = listed.iter().map(|one| one.installation).collect();
    active.sort();
    let mut wanted = [second.installation, elsewhere.installation];
    wanted.sort();
    assert_eq!(active, wanted);
    world.close().await;
}

#[tokio::test]
async fn a_pairing_code_is_used_once_in_time_and_after_few_tries() {
    let world = world().await;
    let customer = world.customer("u-1").await.public_id;
    let other = world.users.pairing_code(world.other.partner, customer, NOW).await;
    assert_eq!(code(other.map(|_| ())), "NOT_FOUND", "another tenant's");

    let pairing = pairing_code(&world, customer, NOW).await;
    let late = world.users.pair(&pairing, &device("device-1"), pin(PIN), at(600)).await;
    assert_eq!(code(late.map(|_| ())), "UNAUTHENTICATED");

    // The same beginning and another end: after five of them the right one is worth nothing.
    let pairing = pairing_code(&world, customer, at(600)).await;
    let text = pairing.expose().to_owned();
    let last = if text.ends_with('0') { '1' } else { '0' };
    let wrong = PairingCode::read(&format!("{}{last}", &text[..13])).expect("a code");
    for _ in 0..5 {
        let tried = world.users.pair(&wrong, &device("device-1"), pin(PIN), at(601)).await;
        assert_eq!(code(tried.map(|_| ())), "UNAUTHENTICATED");
    }
    let right = world.users.pair(&pairing, &device("device-1"), pin(PIN), at(602)).await;
    assert_eq!(code(right.map(|_| ())), "UNAUTHENTICATED");

    // Of many at once with one code one is paired.
    let pairing = pairing_code(&world, customer, at(603)).await;
    let attempts = (0..4).map(|n| {
        let (users, pairing) = (world.users.clone(), PairingCode::read(pairing.expose()));
        let key = format!("device-{n}");
        tokio::spawn(async move {
            users.pair(&pairing.expect("a code"), &device(&key), pin(PIN), at(604)).await.is_ok()
        })
    });
    let mut paired = 0;
    for attempt in attempts.collect::<Vec<_>>() {
        paired += u32::from(attempt.await.expect("no panic"));
    }
    assert_eq!(paired, 1);

    // A code of before is worth nothing once there is another.
    let before = pairing_code(&world, customer, at(605)).await;
    let _ = pairing_code(&world, customer, at(606)).await;
    let used = world.users.pair(&before, &device("device-9"), pin(PIN), at(607)).await;
    assert_eq!(code(used.map(|_| ())), "UNAUTHENTICATED");
    world.close().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_device_or_a_pin_is_named_and_uses_no_try_up() {
    let world = world().await;
    let customer = world.customer("u-1").await.public_id;
    let pairing = pairing_code(&world, customer, NOW).await;
    let short = DeviceData { key: "short".into(), ..device("device-1") };
    let other = DeviceData { platform: "toaster".into(), ..device("device-1") };
    let unnamed = DeviceData { model: String::new(), ..device("device-1") };
    for (device, field) in
        [(short, "device.key"), (other, "device.platform"), (unnamed, "device.model")]
    {
        let tried = world.users.pair(&pairing, &device, pin(PIN), NOW).await;
        assert_eq!(tried.err().and_then(|problem| problem.field).as_deref(), Some(field));
    }
    for easy in ["123456", "111111", "9876543", "2718"] {
        let tried = world.users.pair(&pairing, &device("device-1"), pin(easy), NOW).await;
        assert_eq!(tried.err().and_then(|problem| problem.field).as_deref(), Some("pin"));
    }
    assert_eq!(world.count("SELECT coalesce(sum(tries), 0)::int8 FROM pairing_code").await, 0);
    world.users.pair(&pairing, &device("device-1"), pin(PIN), NOW).await.expect("paired");
    world.close().await;
}

#[tokio::test]
async fn five_wrong_pins_block_an_installation_until_the_partner_lifts_that() {
    let world = world().await;
    let customer = world.customer("u-1").await.public_id;
    let paired = pair(&world, customer, "device-1", NOW).await;
    let token = open(&world, &paired, PIN, NOW).await.expect("a session");
    // A right one forgives those before it.
    for typed in ["271829", "271829", "271829", "271829"] {
        assert_eq!(code(open(&world, &paired, typed, NOW).await.map(|_| ())), "UNAUTHENTICATED");
    }
    open(&world, &paired, PIN, NOW).await.expect("the right one");

    // However many guess at once, five are looked at: the right one may be among those that are.
    let guesses = (0..50).map(|n| {
        let users = world.users.clone();
        let (installation, secret) = (paired.installation, paired.secret.expose().to_owned());
        tokio::spawn(async move {
            let secret = BearerSecret::read(&secret).expect("the form of one");
            let guess = pin(&format!("{:06}", 300_000 + n));
            code(users.open_session(installation, &secret, guess, NOW).await.map(|_| ()))
        })
    });
    for guess in guesses.collect::<Vec<_>>() {
        let told = guess.await.expect("no panic");
        assert!(matches!(told, "UNAUTHENTICATED" | "OVERLOADED"), "{told}");
    }
    // Those that found no room were not looked at: as many more as it takes.
    for _ in 0..5 {
        let _ = open(&world, &paired, "300001", NOW).await;
    }
    assert_eq!(world.count("SELECT pin_wrong::int8 FROM installation").await, 5);
    assert_eq!(code(open(&world, &paired, PIN, NOW).await.map(|_| ())), "UNAUTHENTICATED");
    assert_eq!(code(session(&world, &token, at(1)).await), "UNAUTHENTICATED", "ended with it");
    let listed = world.users.installations(world.one.partner, customer).await.expect("listed");
    assert!(listed[0].blocked);

    let other =
        world.users.lift_pin_block(world.other.partner, customer, paired.installation).await;
    assert_eq!(code(other), "NOT_FOUND", "another tenant's");
    let lifted = world.users.lift_pin_block(world.one.partner, customer, paired.installation);
    lifted.await.expect("lifted");
    open(&world, &paired, PIN, at(2)).await.expect("a session again");
    world.close().await;
}

#[tokio::test]
async fn sr_176_the_pin_given_again_counts_for_a_minute() {
    let world = world().await;
    let customer = world.customer("u-1").await.public_id;
    let paired = pair(&world, customer, "device-1", NOW).await;
    let token = open(&world, &paired, PIN, NOW).await.expect("a session");
    let found = session(&world, &token, at(1)).await.expect("a session");
    assert_eq!(found.stepped_until, None, "opening it is not giving it again");
    let wrong = world.users.step_up(&found, pin("271829"), at(2)).await;
    assert_eq!(code(wrong), "UNAUTHENTICATED");
    assert_eq!(session(&world, &token, at(3)).await.expect("still there").stepped_until, None);
    let until = world.users.step_up(&found, pin(PIN), at(4)).await.expect("stepped up");
    assert_eq!(until, at(64));
    assert_eq!(session(&world, &token, at(63)).await.expect("one").stepped_until, Some(until));
    assert_eq!(session(&world, &token, at(64)).await.expect("one").stepped_until, None);
    world.close().await;
}

#[tokio::test]
async fn another_pin_ends_the_sessions_of_the_old_one() {
    let world = world().await;
    let customer = world.customer("u-1").await.public_id;
    let paired = pair(&world, customer, "device-1", NOW).await;
    let token = open(&world, &paired, PIN, NOW).await.expect("a session");
    let change = |old: &'static str, new: &'static str| {
        let (users, paired) = (world.users.clone(), &paired);
        async move {
            users.change_user_pin(paired.installation, &paired.secret, (pin(old), pin(new))).await
        }
    };
    assert_eq!(code(change("271829", "314159").await), "UNAUTHENTICATED");
    let easy = change(PIN, "123456").await.expect_err("easy");
    assert_eq!(easy.field.as_deref(), Some("newPin"));
    change(PIN, "314159").await.expect("changed");
    assert_eq!(code(session(&world, &token, at(1)).await), "UNAUTHENTICATED");
    assert_eq!(code(open(&world, &paired, PIN, at(1)).await.map(|_| ())), "UNAUTHENTICATED");
    open(&world, &paired, "314159", at(1)).await.expect("the new one");
    world.close().await;
}

#[tokio::test]
async fn sessions_and_devices_have_a_limit() {
    let access = AccessSettings { sessions_most: 2, devices_most: 2, ..Default::default() };
    let world = World::with(settings(access)).await;
    let customer = world.customer("u-1").await.public_id;
    let paired = pair(&world, customer, "device-1", NOW).await;
    let first = open(&world, &paired, PIN, at(0)).await.expect("one");
    let second = open(&world, &paired, PIN, at(1)).await.expect("two");
    session(&world, &first, at(2)).await.expect("used");
    let third = open(&world, &paired, PIN, at(3)).await.expect("three");
    assert_eq!(code(session(&world, &second, at(4)).await), "UNAUTHENTICATED", "least recent");
    session(&world, &first, at(4)).await.expect("one stays");
    session(&world, &third, at(4)).await.expect("three stays");

    pair(&world, customer, "device-2", at(5)).await;
    let pairing = pairing_code(&world, customer, at(6)).await;
    let beyond = world.users.pair(&pairing, &device("device-3"), pin(PIN), at(7)).await;
    assert_eq!(code(beyond.map(|_| ())), "EXHAUSTED");
    let partner = world.one.partner;
    world.users.remove_device(partner, customer, paired.device).await.expect("removed");
    assert_eq!(code(session(&world, &first, at(8)).await), "UNAUTHENTICATED", "went with it");
    // The code was not used up by what was refused.
    world.users.pair(&pairing, &device("device-3"), pin(PIN), at(9)).await.expect("paired");
    world.close().await;
}

#[tokio::test]
async fn of_a_removed_customer_nothing_opens_anything() {
    let world = world().await;
    let customer = world.customer("u-1").await;
    let id = customer.public_id;
    let paired = pair(&world, id, "device-1", NOW).await;
    let token = open(&world, &paired, PIN, NOW).await.expect("a session");
    let pairing = pairing_code(&world, id, NOW).await;
    world.users.remove(world.one.partner, id, customer.version, at(1)).await.expect("removed");
    assert_eq!(code(session(&world, &token, at(2)).await), "UNAUTHENTICATED");
    assert_eq!(code(open(&world, &paired, PIN, at(2)).await.map(|_| ())), "UNAUTHENTICATED");
    let tried = world.users.pair(&pairing, &device("device-1"), pin(PIN), at(2)).await;
    assert_eq!(code(tried.map(|_| ())), "UNAUTHENTICATED");
    for sql in [
        "SELECT count(*) FROM user_session",
        "SELECT count(*) FROM installation",
        "SELECT count(*) FROM device",
        "SELECT count(*) FROM pairing_code",
    ] {
        assert_eq!(world.count(sql).await, 0, "{sql}");
    }
    world.close().await;
}

#[tokio::test]
async fn what_is_over_is_removed_and_nothing_else() {
    let world = world().await;
    let customer = world.customer("u-1").await.public_id;
    let paired = pair(&world, customer, "device-1", NOW).await;
    let old = open(&world, &paired, PIN, NOW).await.expect("a session");
    let young = open(&world, &paired, PIN, at(300)).await.expect("a session");
    let _unused = pairing_code(&world, customer, at(0)).await;
    let removed = world.users.remove_what_is_over(at(599)).await.expect("a step");
    assert_eq!((removed.sessions, removed.codes, removed.installations), (0, 0, 0));
    let removed = world.users.remove_what_is_over(at(600)).await.expect("a step");
    assert_eq!((removed.sessions, removed.codes, removed.installations), (1, 1, 0));
    assert_eq!(code(session(&world, &old, at(601)).await), "UNAUTHENTICATED");
    session(&world, &young, at(601)).await.expect("not over");
    // An installation that ended is kept for a month.
    let _again = pair(&world, customer, "device-1", at(700)).await;
    let month = 30 * 86_400;
    let removed = world.users.remove_what_is_over(at(699 + month)).await.expect("a step");
    assert_eq!(removed.installations, 0);
    let removed = world.users.remove_what_is_over(at(700 + month)).await.expect("a step");
    assert_eq!(removed.installations, 1);
    world.close().await;
}

#[tokio::test]
async fn who_finds_no_room_to_be_hashed_has_not_tried() {
    let hashing = HashingSettings { at_once: 1, waiting_most: 0, memory_kib: 65_536, ..cheap() };
    let access = AccessSettings { hashing, ..AccessSettings::default() };
    let world = World::with(UserSettings { access, ..Default::default() }).await;
    let customer = world.customer("u-1").await.public_id;
    let paired = pair(&world, customer, "device-1", NOW).await;
    // Two at once: one has the place, the other is told so; neither counts against the user.
    let tries =
        async { tokio::join!(open(&world, &paired, PIN, NOW), open(&world, &paired, PIN, NOW)) };
    let (one, other) = tokio::time::timeout(Duration::from_secs(60), tries).await.expect("ended");
    let told: Vec<_> = [one, other].into_iter().filter_map(Result::err).collect();
    assert!(told.iter().all(|problem| problem.code == "OVERLOADED"), "{told:?}");
    assert!(told.len() <= 1);
    assert_eq!(world.count("SELECT pin_wrong::int8 FROM installation").await, 0);
    world.close().await;
}
