//! Partners and programmes of a running switch, as operators set them up, and the keys that
//! partners have registered. It owns how the two services are put together from the others.

use admin_api::cards::Cards;
use admin_api::programmes::Programmes;
use admin_api::{PartnerKeys, Services, Users};

use crate::config::Api;

/// The services.
pub(crate) fn service(
    config: &Api,
    services: &Services,
    (users, cards): (&Users, &Cards),
) -> (Programmes, PartnerKeys) {
    let keys = PartnerKeys::new(services.clone(), config.encryption.partner_keys());
    let beside = (users.clone(), cards.clone(), keys.clone());
    let programmes = Programmes::new(services.clone(), beside, config.programmes.settings());
    (programmes, keys)
}
