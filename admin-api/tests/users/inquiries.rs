//! Questions to a provider: asked until there is an outcome, whatever the provider does.

use std::sync::Arc;
use std::time::Duration;

use admin_api::kyc::{Inquiries, KycState, Mode, Mover, Step};
use admin_api::{InquirySettings, UserSettings};
use uuid::Uuid;

use crate::provider::SimulatedProvider;
use crate::world::{World, at, code, moving};

struct Asking {
    world: World,
    provider: Arc<SimulatedProvider>,
    inquiries: Inquiries,
}

impl Asking {
    async fn new(inquiries: InquirySettings) -> Self {
        let world = World::with(UserSettings { inquiries, ..Default::default() }).await;
        world.set_mode(Mode::Automated).await;
        let provider = Arc::new(SimulatedProvider::default());
        let inquiries = Inquiries::new(world.users.clone(), Arc::clone(&provider) as _);
        Self { world, provider, inquiries }
    }

    async fn begun(&self, reference: &str) -> Uuid {
        let id = self.world.customer(reference).await.public_id;
        let pending = moving(KycState::Pending, Mover::Customer);
        self.world.users.move_kyc(self.world.one.partner, id, pending).await.expect("begun");
        id
    }

    async fn step(&self, seconds: i64) -> [u32; 4] {
        let step = self.inquiries.step(at(seconds)).await.expect("a step");
        let Step { asked, decided, failed, given_up } = step;
        [asked, decided, failed, given_up]
    }

    async fn state(&self, id: Uuid) -> &'static str {
        let customer = self.world.users.customer(self.world.one.partner, id).await;
        customer.expect("it").kyc.name()
    }
}

fn settings() -> InquirySettings {
    InquirySettings {
        waiting_most: 2,
        patience: Duration::from_millis(20),
        pause: Duration::from_secs(10),
        pause_most: Duration::from_secs(15),
        attempts_most: 4,
        ..Default::default()
    }
}

// covers: SR-032
#[tokio::test]
async fn a_provider_is_asked_again_after_a_pause_until_it_has_an_outcome() {
    let asking = Asking::new(settings()).await;
    let id = asking.begun("A-1").await;
    asking.provider.will_refuse();
    asking.provider.will_say("no answer at all");
    asking.provider.will_find("VERIFIED");
    assert_eq!(asking.step(0).await, [1, 0, 1, 0], "it does not serve");
    assert_eq!(asking.step(9).await, [0; 4], "not yet");
    assert_eq!(asking.step(10).await, [1, 0, 1, 0], "a bad answer");
    assert_eq!(asking.step(24).await, [0; 4], "twice as long, and no more than the longest");
    assert_eq!(asking.step(25).await, [1, 1, 0, 0]);
    assert_eq!(asking.state(id).await, "VERIFIED");
    assert_eq!(asking.step(10_000).await, [0; 4], "nothing is left to ask");
    let asked = asking.provider.asked();
    assert!(asked.len() == 3 && asked.iter().all(|inquiry| *inquiry == asked[0]), "{asked:?}");
    let moves = asking.world.users.kyc_moves(asking.world.one.partner, id).await.expect("moves");
    assert_eq!((moves[1].mover, moves[1].note.as_str()), (Mover::Provider, "SIM-1"));
    asking.world.close().await;
}

#[tokio::test]
async fn a_silent_provider_is_given_up_and_an_operator_decides() {
    let asking = Asking::new(settings()).await;
    let id = asking.begun("A-1").await;
    for (second, given_up) in [(0, 0), (10, 0), (25, 0), (40, 1)] {
        asking.provider.will_be_silent();
        assert_eq!(asking.step(second).await, [1, 0, 1, given_up], "at {second}");
    }
    assert_eq!(asking.step(10_000).await, [0; 4]);
    assert_eq!(asking.state(id).await, "PENDING");
    let users = &asking.world.users;
    let decided = moving(KycState::Verified, Mover::Operator);
    users.move_kyc(asking.world.one.partner, id, decided).await.expect("decided");
    assert_eq!(asking.world.count("SELECT count(*) FROM kyc_inquiry").await, 0);
    asking.world.close().await;
}

// covers: API-10
#[tokio::test]
async fn those_that_wait_are_limited_and_an_old_answer_moves_nothing() {
    let asking = Asking::new(settings()).await;
    let first = asking.begun("A-1").await;
    asking.begun("A-2").await;
    let third = asking.world.customer("A-3").await.public_id;
    let (partner, users) = (asking.world.one.partner, &asking.world.users);
    let pending = moving(KycState::Pending, Mover::Customer);
    assert_eq!(code(users.move_kyc(partner, third, pending).await), "OVERLOADED");
    assert_eq!(asking.state(third).await, "NOT_STARTED");
    // An answer of before: to an inquiry of another time.
    let before = format!(r#"{{"inquiry":"{}","outcome":"VERIFIED","reference":"R"}}"#, Uuid::nil());
    asking.provider.will_say(&before);
    asking.provider.will_say(&before);
    assert_eq!(asking.step(0).await, [2, 0, 2, 0]);
    assert_eq!(asking.state(first).await, "PENDING");
    asking.provider.will_find("REJECTED");
    asking.provider.will_find("REJECTED");
    assert_eq!(asking.step(10).await, [2, 2, 0, 0]);
    users.move_kyc(partner, third, pending).await.expect("there is room again");
    asking.world.close().await;
}

#[tokio::test]
async fn workers_beside_each_other_ask_once_and_a_removed_customer_is_no_more_asked_for() {
    let asking = Asking::new(settings()).await;
    let id = asking.begun("A-1").await;
    asking.provider.will_find("VERIFIED");
    let (one, other) = tokio::join!(asking.inquiries.step(at(0)), asking.inquiries.step(at(0)));
    let decided = one.expect("a step").decided + other.expect("a step").decided;
    assert_eq!((decided, asking.provider.asked().len()), (1, 1));
    assert_eq!(asking.state(id).await, "VERIFIED");
    let gone = asking.begun("A-2").await;
    asking.world.users.remove(asking.world.one.partner, gone, 1, at(0)).await.expect("removed");
    assert_eq!(asking.step(1).await, [0; 4]);
    asking.world.close().await;
}
