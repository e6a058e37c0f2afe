//! Which operations need encryption (SR-073): one table over all channels. It owns that card data,
//! and a PIN that is on its way here, never go in clear; whoever forgets an operation here is
//! refused by the layer where its answer has card data in it.

use crate::http::NeedsEncryption;
use crate::jwe::Requirement;

macro_rules! table {
    ($($method:literal $path:literal $requirement:ident;)*) => {
        &[$(NeedsEncryption {
            method: $method, path: $path, requirement: Requirement::$requirement,
        },)*]
    };
}

/// The seed's rows that say "Y".
pub(super) const TABLE: &[NeedsEncryption] = table! {
    "POST" "/customers/me/cards/virtual" Response;
    "POST" "/secure/customers/{customerId}/cards/virtual" Response;
    "POST" "/admin/customers/{customerId}/cards/virtual" Response;
    "POST" "/secure/cards/virtual" Response;
    "POST" "/secure/cards/physical" Response;
    "POST" "/secure/cards/physical_with_pin" RequestAndResponse;
    "POST" "/customers/me/cards/physical" Response;
    "POST" "/secure/customers/{customerId}/cards/physical" Response;
    "POST" "/admin/customers/{customerId}/cards/physical" Response;
    "POST" "/customers/me/cards/physical_with_pin" RequestAndResponse;
    "POST" "/secure/customers/{customerId}/cards/physical_with_pin" RequestAndResponse;
    "POST" "/customers/me/cards/{cardId}/replace" Response;
    "POST" "/secure/customers/{customerId}/cards/{cardId}/replace" Response;
    "POST" "/admin/cards/{cardId}/replace" Response;
    "POST" "/customers/me/cards/{cardId}/renew" Response;
    "POST" "/secure/customers/{customerId}/cards/{cardId}/renew" Response;
    "POST" "/admin/cards/{cardId}/renew" Response;
    "POST" "/customers/me/cards/{cardId}/cvv" Response;
    "POST" "/admin/cards/{cardId}/cvv" Response;
    "POST" "/customers/me/cards/{cardId}/pin" RequestAndResponse;
    "GET" "/customers/me/cards/{cardId}" Response;
    "GET" "/secure/customers/{customerId}/cards/{cardId}" Response;
};
