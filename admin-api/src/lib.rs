//! Management over the shards: the services that make and change partners, pools, programmes,
//! customers, balances and cards, and the HTTP service with health and metrics. It owns ordinary
//! transactional SQL of its own slices; whatever moves money or decides an authorization it asks of
//! a shard, and never writes itself.

pub mod certificate_operation;
pub mod certificates;
pub mod channel;
pub mod charging_operation;
pub mod clearing_operation;
pub mod control_operation;
pub mod fee_operation;
mod health;
pub mod http;
mod idempotency;
pub mod jwe;
pub mod openapi;
pub mod operation;
pub mod operator_operation;
pub mod partner_choice_operation;
mod partner_operation;
mod problem;
pub mod processor_operation;
pub mod rate_operation;
pub mod routes;
pub mod security_operation;
mod service;
pub mod setup_operation;
pub mod tls;

pub use health::{HealthSource, Readiness, router};
pub use idempotency::idempotency_key;
pub use problem::Problem;
pub use service::audit;
pub use service::authorizations;
pub use service::cards;
pub use service::corporations;
pub use service::csv;
pub use service::fees;
pub use service::mail;
pub use service::operators;
pub use service::personalisation::{
    DeliveryInput, Done, NewPlastic, OrderState, OrderedBy, Plastic, PlasticModules, PlasticOrder,
    PlasticSettings, Steps, WayName,
};
pub use service::pools;
pub use service::programmes;
pub use service::proof::{BearerSecret, HashingSettings, NoSession};
pub use service::sandbox;
pub use service::sealed;
pub use service::users::kyc;
pub use service::users::{
    AccessSettings, AwaitingReview, Customer, CustomersBalance, CustomersCard, DeviceData,
    InquirySettings, Opened, Page, Paired, PairedInstallation, PairingCode, Personal, Profile,
    ProfileInput, Removed, Session, UserPin, UserSettings, Users,
};
pub use service::webhooks;
pub use service::{
    Answers, Claimed, ClearedLines, ClearingLine, ClearingSettings, FileId, IssuedCard, KeptAnswer,
    ListedControl, ListedKey, ListedLine, NewCard, NewProgramme, NewTransfer, OpenedTokens,
    PartnerKeySettings, PartnerKeys, ReconciliationSettings, SentTransfer, Services, reencrypt_pan,
};
