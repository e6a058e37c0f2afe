//! Verification: by partners, by operators; each move kept; of several at once one wins.

use admin_api::UserSettings;
use admin_api::kyc::{KycState, Mode, Mover, Moving};

use crate::world::{NOW, World, at, code, moving};

// covers: SR-032, SR-033
#[tokio::test]
async fn a_partner_that_verifies_itself_sets_the_flag_and_every_move_is_kept() {
    let world = World::new().await;
    let (partner, users) = (world.one.partner, &world.users);
    let id = world.customer("A-1").await.public_id;
    let set = |to, seconds| {
        let note = "document seen";
        users.set_kyc_flag(
            partner,
            id,
            Moving { note, now: at(seconds), ..moving(to, Mover::Partner) },
        )
    };
    set(KycState::Rejected, 1).await.expect("rejected");
    set(KycState::Verified, 2).await.expect("verified");
    set(KycState::Verified, 3).await.expect("the same again");
    set(KycState::Revoked, 4).await.expect("taken back");
    assert_eq!(code(set(KycState::NotStarted, 5).await), "CONFLICT");
    let moves = users.kyc_moves(partner, id).await.expect("moves");
    let seen: Vec<_> = moves
        .iter()
        .map(|m| (m.at.minus_micros(NOW.0).0 / 1_000_000, m.from.name(), m.to.name()))
        .collect();
    assert_eq!(
        seen,
        [
            (1, "NOT_STARTED", "PENDING"),
            (1, "PENDING", "REJECTED"),
            (2, "REJECTED", "PENDING"),
            (2, "PENDING", "VERIFIED"),
            (4, "VERIFIED", "REVOKED"),
        ]
    );
    assert!(moves.iter().all(|m| m.mover == Mover::Partner && m.name == "tester"));
    assert_eq!(moves[0].note, "document seen");
    let bad = Moving { note: "a\nb", ..moving(KycState::Pending, Mover::Partner) };
    assert_eq!(code(users.move_kyc(partner, id, bad).await), "INVALID_REQUEST");
    // Of a move that is none, too.
    let same = Moving { note: "a\nb", ..moving(KycState::Revoked, Mover::Partner) };
    assert_eq!(code(users.set_kyc_flag(partner, id, same).await), "INVALID_REQUEST");
    world.close().await;
}

// covers: SR-032
#[tokio::test]
async fn where_operators_review_partner_and_customer_begin_and_the_operator_decides() {
    let world = World::new().await;
    world.set_mode(Mode::Manual).await;
    let (partner, users) = (world.one.partner, &world.users);
    let id = world.customer("A-1").await.public_id;
    let go = |to, by| users.move_kyc(partner, id, moving(to, by));
    let flag = users.set_kyc_flag(partner, id, moving(KycState::Verified, Mover::Partner)).await;
    assert_eq!(code(flag), "CONFLICT");
    go(KycState::Pending, Mover::Customer).await.expect("begun");
    assert_eq!(code(go(KycState::Verified, Mover::Partner).await), "FORBIDDEN");
    assert_eq!(code(go(KycState::Verified, Mover::Customer).await), "FORBIDDEN");
    assert_eq!(code(users.require_verified(partner, id).await), "CUSTOMER_NOT_VERIFIED");
    // Both look at it pending; one decides.
    let (yes, no) = tokio::join!(
        go(KycState::Verified, Mover::Operator),
        go(KycState::Rejected, Mover::Operator)
    );
    assert_eq!(u8::from(yes.is_ok()) + u8::from(no.is_ok()), 1, "{yes:?} {no:?}");
    let lost = if yes.is_ok() { no } else { yes };
    assert_eq!(code(lost), "CONFLICT");
    assert_eq!(users.kyc_moves(partner, id).await.expect("moves").len(), 2);
    world.close().await;
}

#[tokio::test]
async fn moves_are_limited_and_settings_are_a_partners_own() {
    let world = World::with(UserSettings { kyc_moves_most: 3, ..Default::default() }).await;
    let (partner, users) = (world.one.partner, &world.users);
    let id = world.verified("A-1").await;
    let go = |to| users.move_kyc(partner, id, moving(to, Mover::Partner));
    go(KycState::Expired).await.expect("the third");
    assert_eq!(code(go(KycState::Pending).await), "EXHAUSTED");
    assert_eq!(users.customer(partner, id).await.expect("it").kyc, KycState::Expired);
    world.set_mode(Mode::Automated).await;
    let modes = [
        users.partner_settings(partner).await.expect("mine").kyc_mode,
        users.partner_settings(world.other.partner).await.expect("theirs").kyc_mode,
    ];
    assert_eq!(modes, [Mode::Automated, Mode::Own]);
    let nobody = users.partner_settings(switch_domain::PartnerId(77)).await;
    assert_eq!(code(nobody), "NOT_FOUND");
    world.close().await;
}
