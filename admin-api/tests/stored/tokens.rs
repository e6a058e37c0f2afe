//! Tokens that were captured: what was encrypted for one call is taken with no other (J-05).

use std::sync::Arc;
use std::time::Duration;

use admin_api::OpenedTokens;
use admin_api::http::{Caller, Encryption, encrypted, finish};
use admin_api::jwe::{
    Jwe, KeyRules, OpenPolicy, PartnerKey, PlatformKey, PlatformKeys, PoolSettings, PublishedKey,
    Requirement, RsaBits, RsaPool, envelope, seal,
};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::Request;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::post;
use switch_domain::PartnerId;
use tower::ServiceExt;
use zeroize::Zeroizing;

use crate::stage::Stage;

struct Served {
    router: Router,
    platform: PartnerKey,
    /// The answers' key is the platform's too: nobody opens them here.
    own: String,
}

impl Served {
    fn new(stage: &Stage) -> Self {
        let rules = KeyRules { allow_2048: true, ..KeyRules::default() };
        let key = PlatformKey::generate(RsaBits::Bits2048, &rules).expect("a key");
        let published = PublishedKey::of(&key);
        let pool = RsaPool::new(PoolSettings { workers: 1, waiting: 8 });
        let encryption = Encryption {
            jwe: Arc::new(Jwe::new(PlatformKeys::new(key), pool)),
            policy: OpenPolicy::default(),
            partners: None,
            tokens: Some(OpenedTokens::new(stage.store.pool().clone())),
            requirement: Requirement::Optional,
            operations: &[],
            body_limit: 32 * 1024,
            body_within: Duration::from_secs(600),
        };
        let echo = post(|body: Bytes| async move { body });
        let router = Router::new()
            .route("/cards/1/pin", echo.clone().put(|| async { "put" }))
            .route("/cards/2/pin", echo)
            .layer(from_fn_with_state(Arc::new(encryption), encrypted))
            .layer(from_fn(finish));
        let platform = PartnerKey::from_pem(&published.pem).expect("a key");
        Self { router, platform, own: published.public_key }
    }

    fn token(&self) -> String {
        let payload = Zeroizing::new(b"{\"pin\":\"1\"}".to_vec());
        seal(&self.platform, &payload).expect("sealed")
    }

    async fn send(&self, partner: i64, (method, path): (&str, &str), token: &str) -> (u16, String) {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("encrypted-request", "true")
            .header("public-key", &self.own)
            .body(Body::from(envelope(token)))
            .expect("a request");
        let caller =
            Caller::Partner { partner: PartnerId(partner), certificate: "0123456789abcdef".into() };
        request.extensions_mut().insert(caller);
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 1 << 16).await.expect("a body");
        (status, String::from_utf8(body.to_vec()).expect("text"))
    }
}

// covers: SR-063
#[tokio::test]
async fn j_05_a_token_is_part_of_one_call_and_of_no_other() {
    let stage = Stage::new().await;
    let served = Served::new(&stage);
    let (token, call) = (served.token(), ("POST", "/cards/1/pin"));
    for _ in 0..2 {
        assert_eq!(served.send(1, call, &token).await.0, 200, "sent again it is the same call");
    }
    for (partner, other) in
        [(2, call), (1, ("POST", "/cards/2/pin")), (1, ("PUT", "/cards/1/pin")), (2, call)]
    {
        let (status, text) = served.send(partner, other, &token).await;
        assert_eq!(status, 400, "{partner} {other:?}");
        assert!(text.contains("CANT_DECRYPT_PAYLOAD"), "{text}");
    }
    assert_eq!(served.send(2, call, &served.token()).await.0, 200, "one of their own");
    let known = "SELECT count(*) FROM opened_token";
    assert_eq!(stage.count(known).await, 2);

    // What does not open is not remembered, and what is old is forgotten.
    let tag = token.rfind('.').expect("five parts") + 1;
    let other = if token[tag..].starts_with('A') { "B" } else { "A" };
    let mut broken = token.clone();
    broken.replace_range(tag..=tag, other);
    assert_eq!(served.send(1, call, &broken).await.0, 400);
    assert_eq!(stage.count(known).await, 2);
    let tokens = OpenedTokens::new(stage.store.pool().clone());
    assert_eq!(tokens.forget(Duration::from_secs(3_600), 10).await, Ok(0));
    assert_eq!(tokens.forget(Duration::ZERO, 1).await, Ok(1));
    assert_eq!(tokens.forget(Duration::ZERO, 10).await, Ok(1));
    assert_eq!(stage.count(known).await, 0);
    stage.close().await;
}
