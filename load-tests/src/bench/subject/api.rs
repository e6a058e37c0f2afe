//! The management API of a measured switch: how it is opened, and people whose apps may call it.
//! Must loosen none of its limits, or it would not be the one that is served.

use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use argon2::{Algorithm, Argon2, Params, Version};
use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::ConnectOptions;
use switch_store::private_postgres::DatabaseUrl;
use uuid::Uuid;

use super::control::Control;
use super::switch::Starting;
use crate::bench::cluster::Cluster;

/// Requests of one address that the API takes in a second, as it is delivered.
pub(crate) const TAKEN_A_SECOND: u32 = 50;
/// Of these so many may take a PIN or a password.
pub(crate) const PROOFS_A_SECOND: u32 = 2;
/// The PIN of everybody.
pub(crate) const PIN: &str = "271828";
/// Apart from those that cards of the bench have.
const BIN: usize = 99_999_900;

/// Somebody with a paired device and an open session.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) installation: Uuid,
    pub(crate) secret: String,
    pub(crate) token: String,
}

/// Those who call, and the programme of whose accounts they may open some.
#[derive(Clone, Debug)]
pub(crate) struct People {
    pub(crate) programme: i64,
    pub(crate) people: Vec<Person>,
}

/// Opens the listener of customers' apps in clear, on a port of the system's: TLS would be one
/// handshake for each connection, and these are kept. All its limits stay as they are delivered.
pub(crate) fn settings(directory: &Path) -> [(&'static str, String); 8] {
    let place = |name: &str| directory.join(name).display().to_string();
    let components = json!([place("first.lmk"), place("second.lmk")]).to_string();
    [
        ("CARDSWITCH_SECURITY__LMK_COMPONENTS", components),
        ("CARDSWITCH_SECURITY__KEY_FILE", place("keys")),
        ("CARDSWITCH_API__ENCRYPTION__KEY_FILE", place("api.key")),
        ("CARDSWITCH_API__OPERATORS__KEY_FILE", place("operators.key")),
        ("CARDSWITCH_API__WEBHOOKS__KEY_FILE", place("webhooks.key")),
        ("CARDSWITCH_API__CORPORATIONS__KEY_FILE", place("documents.key")),
        ("CARDSWITCH_API__OPEN__LISTEN", "127.0.0.1:0".to_owned()),
        ("CARDSWITCH_API__OPEN__IN_CLEAR", "true".to_owned()),
    ]
}

/// Makes the local master key, under which the API's own keys lie.
pub(crate) fn ceremony(starting: &Starting<'_>) -> Result<()> {
    let place = |name: &str| starting.directory.join(name).display().to_string();
    starting.keys(&["ceremony", &place("first.lmk"), &place("second.lmk")], "")
}

/// Makes so many verified customers with a device, an installation and a session each. Customers
/// are made by command. The rest is put into the tables, as pairing over mutual TLS and opening a
/// session would leave it there: to do that for each would take minutes, and is not measured.
///
/// # Errors
/// The switch refuses a command, or the tables are not as they were when this was written.
pub(crate) fn make_people(
    socket: &Path,
    cluster: &Cluster,
    database: &DatabaseUrl,
    count: usize,
) -> Result<People> {
    let mut control = Control::connect(socket)?;
    let named = |name: &str| json!({ "name": name });
    let partner =
        control.make("flood partner", "partner-create", "partner", named("Flooded partner"))?;
    let members = json!({ "partner": partner, "kind": "deposit", "currency": "EUR" });
    let pool = control.make("flood pool", "pool-open", "pool", members)?;
    let members = json!({
        "partner": partner, "name": "Flooded", "bin_low": BIN, "bin_high": BIN, "pan_length": 16,
        "currency": "EUR", "pool": pool,
    });
    let programme = control.make("flood programme", "programme-create", "programme", members)?;
    let customers: Result<Vec<i64>> = (0..count)
        .map(|number| {
            let reference = format!("flood-{number}");
            let members = json!({ "partner": partner, "reference": reference });
            control.make(&reference, "customer-create", "customer", members)
        })
        .collect();
    let people = cluster.block_on(pair(database, partner, &customers?))?;
    Ok(People { programme, people })
}

/// Verified, with a device, an installation and a session.
async fn pair(database: &DatabaseUrl, partner: i64, customers: &[i64]) -> Result<Vec<Person>> {
    let mut connection = database.connect_options().connect().await?;
    let verified = sqlx::query("UPDATE customer SET kyc_state = 'VERIFIED' WHERE id = ANY($1)");
    let verified = verified.bind(customers).execute(&mut connection).await?.rows_affected();
    ensure!(verified == customers.len() as u64, "{verified} customers are in the table");
    let pin_hash = pin_hash()?;
    let mut people = Vec::with_capacity(customers.len());
    for (number, customer) in customers.iter().enumerate() {
        let installation = Uuid::new_v4();
        let [secret, token] = ["installation", "session"].map(|of| bearer_secret(of, number));
        let paired = "WITH device AS (INSERT INTO device \
            (public_id, customer_id, device_key, platform, model, paired_at) VALUES \
            (gen_random_uuid(), $1, 'bench-device', 'other', 'bench', now()) RETURNING id) \
            INSERT INTO installation \
            (public_id, device_id, customer_id, partner_id, secret_hash, pin_hash, paired_at) \
            SELECT $2, device.id, $1, $3, $4, $5, now() FROM device RETURNING id";
        let paired: i64 = sqlx::query_scalar(paired)
            .bind(customer)
            .bind(installation)
            .bind(partner)
            .bind(hashed(&secret))
            .bind(&pin_hash)
            .fetch_one(&mut connection)
            .await?;
        let opened = "INSERT INTO user_session \
            (token_hash, public_id, installation_id, customer_id, started_at, used_at) \
            VALUES ($1, gen_random_uuid(), $2, $3, now(), now())";
        let opened = sqlx::query(opened).bind(hashed(&token)).bind(paired).bind(customer);
        opened.execute(&mut connection).await.context("opening a session")?;
        people.push(Person { installation, secret, token });
    }
    Ok(people)
}

/// Of the form of one: 64 hexadecimal digits.
fn bearer_secret(of: &str, number: usize) -> String {
    hex::encode(Sha256::digest(format!("{of} {number}")))
}

/// As it is kept: the hash of the digits.
fn hashed(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

/// As it is kept, with the parameters that the API has as it is delivered: parameters, salt, hash.
/// The same for all: to find it right costs as much as if each had a salt of their own.
fn pin_hash() -> Result<Vec<u8>> {
    let (parameters, salt) = ([19_456_u32, 2, 1], [0x5A_u8; 16]);
    let [memory, passes, lanes] = parameters;
    let refused = |error| anyhow!("hashing a PIN: {error}");
    let params = Params::new(memory, passes, lanes, Some(32)).map_err(refused)?;
    let mut hash = [0; 32];
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon.hash_password_into(PIN.as_bytes(), &salt, &mut hash).map_err(refused)?;
    let parameters = parameters.into_iter().flat_map(u32::to_be_bytes);
    Ok(parameters.chain(salt).chain(hash).collect())
}
