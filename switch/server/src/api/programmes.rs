//! Partners and programmes of a running switch, as operators set them up. It owns how the service is
//! put together from the others.

use admin_api::cards::Cards;
use admin_api::programmes::Programmes;
use admin_api::{PartnerKeys, Services, Users};

use crate::config::Api;

/// The service.
pub(crate) fn service(
    config: &Api,
    services: &Services,
    (users, cards, keys): (&Users, &Cards, &PartnerKeys),
) -> Programmes {
    let beside = (users.clone(), cards.clone(), keys.clone());
    Programmes::new(services.clone(), beside, config.programmes.settings())
}
