//! Operations on what a partner chose, and on its registered keys, as data: what comes over the
//! control socket, one JSON object each. It owns the names and shapes of their members.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use switch_domain::{PartnerId, Timestamp};

use crate::http::now;
use crate::jwe::PartnerKey;
use crate::kyc::{Mode, PartnerSettings, SettingsChange};
use crate::operation::Caller;
use crate::service::{ListedKey, PartnerKeys};
use crate::{Problem, Users};

/// One operation on a partner's choices.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "kebab-case", deny_unknown_fields)]
#[allow(missing_docs)] // the members are the documentation; `cardswitch help` says each in words
pub enum PartnerChoiceOperation {
    PartnerSettingsShow {
        partner: i64,
    },
    PartnerSettingsSet {
        partner: i64,
        kyc: Option<Mode>,
        registered_keys_only: Option<bool>,
    },
    PartnerKeyAdd {
        partner: i64,
        /// PEM of SubjectPublicKeyInfo.
        public_key: String,
    },
    PartnerKeyList {
        partner: i64,
    },
    PartnerKeyRetire {
        partner: i64,
        thumbprint: String,
    },
}

/// Does an operation and gives its result.
///
/// # Errors
/// See [`Problem`].
pub async fn perform(
    (users, keys): (&Users, &PartnerKeys),
    caller: Caller,
    operation: PartnerChoiceOperation,
) -> Result<Value, Problem> {
    let by = (caller.actor, now());
    match operation {
        PartnerChoiceOperation::PartnerSettingsShow { partner } => {
            Ok(shown(users.partner_settings(PartnerId(partner)).await?))
        }
        PartnerChoiceOperation::PartnerSettingsSet { partner, kyc, registered_keys_only } => {
            let partner = PartnerId(partner);
            let change = SettingsChange { kyc_mode: kyc, registered_keys_only };
            if registered_keys_only == Some(true) {
                keys.check_some(partner).await?;
            }
            let set = users.change_partner_settings(partner, change, by).await?;
            keys.forget(partner);
            Ok(shown(set))
        }
        PartnerChoiceOperation::PartnerKeyAdd { partner, public_key } => {
            let key = PartnerKey::from_pem(&public_key).map_err(|_| {
                Problem::invalid(
                    "this is no key: write PEM (BEGIN PUBLIC KEY) of one RSA key of 2048 to 8192 \
                     bits, as `openssl pkey -pubout` does",
                )
            })?;
            let added = keys.add(PartnerId(partner), &key, by).await?;
            Ok(json!({ "partner": partner, "thumbprint": key.thumbprint(), "added": added }))
        }
        PartnerChoiceOperation::PartnerKeyList { partner } => {
            Ok(keys.list(PartnerId(partner)).await?.iter().map(listed).collect())
        }
        PartnerChoiceOperation::PartnerKeyRetire { partner, thumbprint } => {
            let retired = keys.retire(PartnerId(partner), &thumbprint, by).await?;
            Ok(json!({ "partner": partner, "thumbprint": thumbprint, "before": !retired }))
        }
    }
}

fn shown(settings: PartnerSettings) -> Value {
    json!({
        "kyc": settings.kyc_mode,
        "registered_keys_only": settings.registered_keys_only,
    })
}

fn listed(key: &ListedKey) -> Value {
    let time =
        |at: Timestamp| jiff::Timestamp::from_microsecond(at.0).ok().map(|at| at.to_string());
    let retired = key.retired.as_ref();
    json!({
        "thumbprint": key.thumbprint,
        "state": if retired.is_some() { "RETIRED" } else { "LIVE" },
        "added_at": time(key.added.0),
        "added_by": key.added.1,
        "retired_at": retired.and_then(|(at, _)| time(*at)),
        "retired_by": retired.map(|(_, by)| by),
    })
}
