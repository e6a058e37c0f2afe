//! Registered keys through an endpoint (J-07): whom a partner's answers are encrypted to, from the
//! moment that a command says so.

use std::sync::Arc;
use std::time::Duration;

use admin_api::http::{Caller, Encryption, encrypted, finish};
use admin_api::jwe::{
    Jwe, KeyRules, OpenPolicy, Openable, PartnerKey, PlatformKey, PlatformKeys, PoolSettings,
    PublishedKey, Requirement, RsaBits, RsaPool,
};
use admin_api::operation::Caller as Operator;
use admin_api::partner_choice_operation::{PartnerChoiceOperation, perform};
use admin_api::{PartnerKeySettings, PartnerKeys, Problem};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use serde_json::Value;
use switch_domain::{CustomerId, PartnerId};
use tower::ServiceExt;
use uuid::Uuid;

use crate::world::{NOW, World, key, text};

/// A key pair of a partner.
struct Pair(PlatformKeys);

impl Pair {
    fn new() -> Self {
        let rules = KeyRules { allow_2048: true, ..KeyRules::default() };
        Self(PlatformKeys::new(PlatformKey::generate(RsaBits::Bits2048, &rules).expect("a key")))
    }

    fn published(&self) -> PublishedKey {
        PublishedKey::of(self.0.active())
    }

    fn thumbprint(&self) -> String {
        PartnerKey::from_pem(&self.published().pem).expect("a key").thumbprint()
    }

    fn opens(&self, answer: &str) -> bool {
        let json: Value = serde_json::from_str(answer).expect("JSON");
        let Some(token) = json["payload"].as_str() else { return false };
        let checked = Openable::check(token, &self.0, &OpenPolicy::default(), NOW);
        checked.and_then(Openable::open).is_ok_and(|payload| payload.json() == b"{\"a\":1}")
    }
}

struct Served {
    router: Router,
    keys: PartnerKeys,
    partner: PartnerId,
}

impl Served {
    fn new(world: &World, settings: PartnerKeySettings) -> Self {
        let keys = PartnerKeys::new(world.services.clone(), settings);
        let partner = world.one.partner;
        let own = Pair::new().0;
        let encryption = Encryption {
            jwe: Arc::new(Jwe::new(own, RsaPool::new(PoolSettings { workers: 1, waiting: 8 }))),
            policy: OpenPolicy::default(),
            partners: Some(keys.clone()),
            tokens: None,
            requirement: Requirement::Optional,
            operations: &[],
            body_limit: 4_096,
            body_within: Duration::from_secs(600),
        };
        let router = Router::new()
            .route("/", get(|| async { "{\"a\":1}" }))
            .layer(from_fn_with_state(Arc::new(encryption), encrypted))
            .layer(axum::middleware::from_fn(finish));
        Self { router, keys, partner }
    }

    async fn does(
        &self,
        world: &World,
        operation: PartnerChoiceOperation,
    ) -> Result<Value, Problem> {
        let caller = Operator { actor: text("uid:1"), key: key("choice") };
        perform((&world.users, &self.keys), caller, operation).await
    }

    async fn adds(&self, world: &World, pair: &Pair) -> Result<Value, Problem> {
        let (partner, public_key) = (self.partner.0, pair.published().pem);
        self.does(world, PartnerChoiceOperation::PartnerKeyAdd { partner, public_key }).await
    }

    async fn sets(&self, world: &World, registered_only: bool) -> Result<Value, Problem> {
        let (partner, registered_keys_only) = (self.partner.0, Some(registered_only));
        let set =
            PartnerChoiceOperation::PartnerSettingsSet { partner, kyc: None, registered_keys_only };
        self.does(world, set).await
    }

    async fn retires(&self, world: &World, pair: &Pair) -> Result<Value, Problem> {
        let (partner, thumbprint) = (self.partner.0, pair.thumbprint());
        self.does(world, PartnerChoiceOperation::PartnerKeyRetire { partner, thumbprint }).await
    }

    /// What a partner is answered that asks for encryption, with this key in its request.
    async fn answer(&self, partner: PartnerId, named: Option<&Pair>) -> (u16, String) {
        let caller = Caller::Partner { partner, certificate: "0123456789abcdef".into() };
        self.asks(caller, named).await
    }

    async fn asks(&self, caller: Caller, named: Option<&Pair>) -> (u16, String) {
        let mut request = Request::builder().uri("/").header("encrypt-response", "true");
        if let Some(pair) = named {
            request = request.header("public-key", pair.published().public_key);
        }
        let mut request = request.body(Body::empty()).expect("a request");
        request.extensions_mut().insert(caller);
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        let status = response.status().as_u16();
        let bytes = to_bytes(response.into_body(), 1 << 20).await.expect("a body");
        (status, String::from_utf8(bytes.to_vec()).expect("text"))
    }

    async fn refuses(&self, named: Option<&Pair>) -> bool {
        let (status, text) = self.answer(self.partner, named).await;
        assert!(status == 200 || text.contains("INVALID_PUBLIC_KEY"), "{status} {text}");
        status == 400
    }

    async fn is_for(&self, named: Option<&Pair>, whose: &Pair) -> bool {
        let (status, text) = self.answer(self.partner, named).await;
        status == 200 && whose.opens(&text)
    }
}

#[tokio::test]
async fn answers_go_to_registered_keys_alone_once_that_is_chosen() {
    let world = World::new().await;
    let served = Served::new(&world, PartnerKeySettings { most_live: 2, ..Default::default() });
    let [old, new, own, more] = [(); 4].map(|()| Pair::new());

    // As the seed has it: to the key in the request.
    assert!(served.is_for(Some(&own), &own).await && served.refuses(None).await);
    let early = served.sets(&world, true).await.expect_err("no key yet");
    assert_eq!(early.code, "CONFLICT");
    assert_eq!(served.adds(&world, &old).await.expect("added")["added"], true);
    assert_eq!(served.adds(&world, &old).await.expect("again")["added"], false);
    assert!(served.is_for(Some(&own), &own).await, "a key alone changes nothing");

    let set = served.sets(&world, true).await.expect("chosen");
    assert_eq!((&set["registered_keys_only"], &set["kyc"]), (&true.into(), &"own".into()));
    assert!(served.refuses(Some(&own)).await, "at once, by whatever was known before");
    assert!(served.is_for(None, &old).await && served.is_for(Some(&old), &old).await);
    // And so it is for the apps of its customers.
    let (partner, customer) = (served.partner, CustomerId(1));
    let app = Caller::Customer { partner, customer, public_id: Uuid::nil(), session: Uuid::nil() };
    let (status, text) = served.asks(app.clone(), Some(&own)).await;
    assert!(status == 400 && text.contains("INVALID_PUBLIC_KEY"), "{status} {text}");
    assert!(old.opens(&served.asks(app, None).await.1));

    // Changing over: both are taken, and the newest is used where none is named.
    served.adds(&world, &new).await.expect("added");
    assert!(served.is_for(None, &new).await);
    assert!(served.is_for(Some(&old), &old).await && served.is_for(Some(&new), &new).await);
    assert_eq!(served.adds(&world, &more).await.expect_err("two at most").code, "EXHAUSTED");
    assert_eq!(served.retires(&world, &old).await.expect("retired")["before"], false);
    assert_eq!(served.retires(&world, &old).await.expect("again")["before"], true);
    assert!(served.refuses(Some(&old)).await && served.is_for(None, &new).await);
    assert_eq!(served.adds(&world, &old).await.expect_err("for good").code, "CONFLICT");
    served.adds(&world, &more).await.expect("there is room again");

    // Another partner is another matter, and has no use of these.
    let (status, text) = served.answer(world.other.partner, Some(&own)).await;
    assert!(status == 200 && own.opens(&text));
    let (other, pem) = (world.other.partner.0, new.published().pem);
    let foreign = PartnerChoiceOperation::PartnerKeyAdd { partner: other, public_key: pem };
    assert_eq!(served.does(&world, foreign).await.expect_err("another's").code, "CONFLICT");
    let thumbprint = new.thumbprint();
    let foreign = PartnerChoiceOperation::PartnerKeyRetire { partner: other, thumbprint };
    assert_eq!(served.does(&world, foreign).await.expect_err("another's").code, "NOT_FOUND");

    // Without a key that is in use nothing is encrypted at all.
    for pair in [&new, &more] {
        served.retires(&world, pair).await.expect("retired");
    }
    assert!(served.refuses(None).await && served.refuses(Some(&new)).await);
    let listed = PartnerChoiceOperation::PartnerKeyList { partner: served.partner.0 };
    let listed = served.does(&world, listed).await.expect("a list");
    let states: Vec<_> =
        listed.as_array().expect("a list").iter().map(|key| &key["state"]).collect();
    assert_eq!(states, ["RETIRED"; 3]);
    assert_eq!(
        (&listed[2]["added_by"], &listed[2]["retired_by"]),
        (&"uid:1".into(), &"uid:1".into())
    );
    served.sets(&world, false).await.expect("back");
    assert!(served.is_for(Some(&own), &own).await);
    world.close().await;
}

#[tokio::test]
async fn another_node_follows_when_what_it_knows_is_too_old() {
    let world = World::new().await;
    let here = Served::new(&world, PartnerKeySettings::default());
    let always = PartnerKeySettings { refresh: Duration::ZERO, ..Default::default() };
    let (lasting, forgetful) =
        (Served::new(&world, PartnerKeySettings::default()), Served::new(&world, always));
    let (own, registered) = (Pair::new(), Pair::new());
    assert!(lasting.is_for(Some(&own), &own).await && forgetful.is_for(Some(&own), &own).await);
    here.adds(&world, &registered).await.expect("added");
    here.sets(&world, true).await.expect("chosen");
    assert!(forgetful.refuses(Some(&own)).await && forgetful.is_for(None, &registered).await);
    assert!(lasting.is_for(Some(&own), &own).await, "for api.encryption.refresh_ms");
    for wrong in [registered.published().pem.replace("PUBLIC", "PRIVATE"), String::new()] {
        let add =
            PartnerChoiceOperation::PartnerKeyAdd { partner: here.partner.0, public_key: wrong };
        assert_eq!(here.does(&world, add).await.expect_err("no key").code, "INVALID_REQUEST");
    }
    let nobody = PartnerChoiceOperation::PartnerKeyList { partner: 999 };
    assert_eq!(here.does(&world, nobody).await.expect_err("nobody").code, "NOT_FOUND");
    world.close().await;
}

// covers: SR-032, SR-263
#[tokio::test]
async fn what_a_partner_chose_is_set_one_by_one_and_shown() {
    use admin_api::kyc::Mode;
    let world = World::new().await;
    let served = Served::new(&world, PartnerKeySettings::default());
    let partner = served.partner.0;
    let set = |kyc, registered_keys_only| PartnerChoiceOperation::PartnerSettingsSet {
        partner,
        kyc,
        registered_keys_only,
    };
    served.adds(&world, &Pair::new()).await.expect("added");
    let shown = served.does(&world, set(None, Some(true))).await.expect("set");
    assert_eq!(shown.to_string(), r#"{"kyc":"own","registered_keys_only":true}"#);
    let shown = served.does(&world, set(Some(Mode::Manual), None)).await.expect("set");
    assert_eq!(shown.to_string(), r#"{"kyc":"manual","registered_keys_only":true}"#);
    let show = PartnerChoiceOperation::PartnerSettingsShow { partner };
    assert_eq!(served.does(&world, show).await.expect("shown"), shown);
    let by = "SELECT count(*) FROM partner_settings WHERE changed_by = 'uid:1'";
    assert_eq!(world.count(by).await, 1);
    let nobody = PartnerChoiceOperation::PartnerSettingsShow { partner: 999 };
    assert_eq!(served.does(&world, nobody).await.expect_err("nobody").code, "NOT_FOUND");
    world.close().await;
}
