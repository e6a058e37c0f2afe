//! `GET /lifecycle/v1/public-key` (SR-067, SR-146): the key that encrypted requests are for.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::problems::Problems;
use super::served::Management;
use crate::jwe::{PlatformKeys, PublishedKey};

/// The platform's public key, in the forms that libraries take.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PublicKeyView {
    /// Its name: the `kid` that a token may carry.
    kid: String,
    /// Base64 of DER of SubjectPublicKeyInfo.
    public_key: String,
    /// The same in PEM.
    pem: String,
    /// The same as JSON Web Key.
    jwk: JsonWebKey,
}

/// A JSON Web Key (RFC 7517).
#[derive(Serialize, ToSchema)]
pub(super) struct JsonWebKey {
    kty: String,
    kid: String,
    #[serde(rename = "use")]
    usage: String,
    alg: String,
    n: String,
    e: String,
}

impl PublicKeyView {
    fn of(keys: &PlatformKeys) -> Self {
        let PublishedKey { kid, public_key, pem, jwk } = PublishedKey::of(keys.active());
        let jwk = JsonWebKey {
            kty: jwk.kty.to_owned(),
            kid: jwk.kid,
            usage: jwk.usage.to_owned(),
            alg: jwk.alg.to_owned(),
            n: jwk.n,
            e: jwk.e,
        };
        Self { kid, public_key, pem, jwk }
    }
}

/// Read the platform's public key.
///
/// Encrypt requests to it; the keys before it are taken for a while after a rotation.
#[utoipa::path(
    get, path = "/lifecycle/v1/public-key", tag = "encryption",
    responses((status = 200, body = PublicKeyView), Problems)
)]
pub(super) async fn public_key(State(this): State<Management>) -> Json<PublicKeyView> {
    Json(PublicKeyView::of(&this.jwe.keys()))
}

/// Read the platform's public key.
///
/// Encrypt requests to it; the keys before it are taken for a while after a rotation.
#[utoipa::path(
    get, path = "/customers/public-key", tag = "encryption", security(()),
    responses((status = 200, body = PublicKeyView), Problems)
)]
pub(super) async fn of_customers(State(this): State<Management>) -> Json<PublicKeyView> {
    Json(PublicKeyView::of(&this.jwe.keys()))
}
