//! The OpenAPI documents: one of each channel, and one of all. They are made of the routes; what
//! holds for every operation (headers, who may call, encrypted answers, examples) is put into them
//! here in one pass. The page on which they can be tried is served from here too; nothing is done
//! here that a caller could not do without it.

mod examples;
mod operations;
mod page;
mod shared;

use utoipa::Modify;
use utoipa::openapi::{Info, OpenApi, OpenApiBuilder};

use crate::routes::{admin_document, customer_document, secure_document};
use examples::Examples;
use operations::{Channel, Common};
use shared::share;

pub use page::try_it_page;

/// The document of all channels.
pub const WHOLE: &str = "whole";

/// The document of each channel, by its name.
#[must_use]
pub fn documents() -> Vec<(&'static str, OpenApi)> {
    let shared = |mut document| {
        share(&mut document);
        document
    };
    channels().into_iter().map(|(name, document)| (name, shared(document))).collect()
}

/// The same, with everything said where it belongs.
fn channels() -> Vec<(&'static str, OpenApi)> {
    let channels = [
        ("secure", secure_document(), Channel::Certificate),
        ("customer", customer_document(), Channel::Session),
        ("admin", admin_document(), Channel::Operator),
    ];
    channels.into_iter().map(|(name, document, who)| (name, finished(document, who))).collect()
}

/// All channels in one.
#[must_use]
pub fn whole() -> OpenApi {
    let info = Info::builder()
        .title("Cardswitch: management API")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("All channels. Each has a document of its own as well."))
        .build();
    let mut whole = OpenApiBuilder::new().info(info).build();
    for (_, document) in channels() {
        whole.merge(document);
    }
    share(&mut whole);
    whole
}

fn finished(mut document: OpenApi, who: Channel) -> OpenApi {
    document.info.version = env!("CARGO_PKG_VERSION").to_owned();
    Common(who).modify(&mut document);
    Examples::read().modify(&mut document);
    document
}
