//! Webhooks through the services' own face: what is registered, what is made, what is sent, and
//! when. The clock is the test's; who is sent to is a list, but for the client's own tests.

mod delivered;
mod fed;
mod https;
mod outages;
mod registered;
mod shared;
mod stage;
