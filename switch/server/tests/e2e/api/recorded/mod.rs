//! Every operation of the API asked and answered by the real binary, as the OpenAPI documents show
//! it: the examples in them are these answers. What differs from run to run (identifiers, times,
//! keys) is replaced by what does not.
//!
//! `CARDSWITCH_TEST_WRITE_EXAMPLES=1` writes `admin-api/src/openapi/examples.json` anew; after it
//! the documents are to be written anew as well (`CARDSWITCH_TEST_WRITE_OPENAPI=1`).

mod admin;
mod authorizations;
mod cards;
mod controls;
mod corporations;
mod customer;
mod fees;
mod pools;
mod programmes;
mod recording;
mod sandbox;
mod secure;
mod surface;

use std::path::{Path, PathBuf};

use super::sandbox as playground;
use recording::Recording;

fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../admin-api/src/openapi/examples.json")
}

// covers: SR-015, SR-031, SR-033, SR-034, SR-067, SR-101, SR-102, SR-142, SR-145, SR-146, SR-147
// covers: SR-149, A-29
#[tokio::test(flavor = "multi_thread")]
async fn examples_of_the_documents_are_real_answers() {
    // Nothing is sent while it runs, and orders of plastic stay as they were made: what is read of
    // them is the same in every run.
    let more = [
        ("CARDSWITCH_API__WEBHOOKS__EVERY_MS", "60000"),
        ("CARDSWITCH_API__CARDS__PIN_KEY", "zpk"),
        ("CARDSWITCH_API__POOLS__FOUR_EYES_ABOVE", "{ EUR = \"10000\" }"),
        // Letters are written, and wait for a relay that is not asked meanwhile.
        ("CARDSWITCH_API__MAIL__HOST", "127.0.0.1"),
        ("CARDSWITCH_API__MAIL__FROM", "cards@bank.example"),
        ("CARDSWITCH_API__MAIL__TLS", "plain"),
        ("CARDSWITCH_API__MAIL__EVERY_MS", "60000"),
        ("CARDSWITCH_API__POOLS__EVERY_MS", "60000"),
        ("CARDSWITCH_API__FEES__EVERY_MS", "20"),
    ];
    let more = more.map(|(name, value)| (name, value.to_owned()));
    let (platform, _simulator) = playground::platform(more.into()).await;
    let mut recording = Recording::default();
    secure::walk(&platform, &mut recording).await;
    customer::walk(&platform, &mut recording).await;
    cards::walk(&platform, &mut recording).await;
    controls::walk(&platform, &mut recording);
    authorizations::walk(&platform, &mut recording).await;
    corporations::walk(&platform, &mut recording);
    admin::walk(&platform, &mut recording);
    pools::walk(&platform, &mut recording);
    programmes::walk(&platform, &mut recording);
    fees::walk(&platform, &mut recording).await;
    // Last: the bureau makes all that was ordered before.
    sandbox::walk(&platform, &mut recording);
    platform.close().await;
    let found = std::fs::read_to_string(committed()).unwrap_or_else(|_| "{}".to_owned());
    let found: serde_json::Value = serde_json::from_str(&found).expect("JSON");
    let made = recording.examples(&found);
    if std::env::var_os("CARDSWITCH_TEST_WRITE_EXAMPLES").is_some() {
        let mut text = serde_json::to_string_pretty(&made).expect("JSON");
        text.push('\n');
        std::fs::write(committed(), text).expect("written");
        return;
    }
    for (operation, recorded) in made.as_object().expect("operations") {
        assert_eq!(&found[operation], recorded, "{operation}: write the examples anew");
    }
    let operations = |value: &serde_json::Value| value.as_object().map_or(0, serde_json::Map::len);
    assert_eq!(operations(&found), operations(&made), "an example of what was not asked");
}
