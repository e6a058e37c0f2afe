//! The page on which the API is tried, in a real browser: it lists the operations of every channel,
//! and asks nobody but the switch.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::platform::Platform;

const IN_CLEAR: &str = "CARDSWITCH_API__OPEN__IN_CLEAR";

/// What a browser makes of a page once it is quiet, and the addresses that the page asked
/// meanwhile: those with an origin. The browser's own wishes have none, and reach nobody.
fn shown(at: &Path, address: &str) -> (String, Vec<String>) {
    let program = std::env::var("CARDSWITCH_TEST_CHROMIUM");
    let log = at.join("net.json");
    let output = Command::new(program.unwrap_or_else(|_| "chromium".to_owned()))
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--disable-default-apps", "--disable-extensions", "--no-proxy-server"])
        .arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
        .arg(format!("--user-data-dir={}", at.join("browser").display()))
        .arg(format!("--log-net-log={}", log.display()))
        .args(["--virtual-time-budget=60000", "--dump-dom", address])
        .output()
        .expect("a browser: see `make setup-chromium`");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let log = std::fs::read_to_string(log).expect("what it asked");
    let log: Value = serde_json::from_str(&log).expect("JSON");
    let events = log["events"].as_array().expect("events");
    let mut asked: Vec<String> = events
        .iter()
        .map(|event| &event["params"])
        .filter(|asked| asked["initiator"].as_str().is_some_and(|from| from.contains("://")))
        .filter_map(|asked| asked["url"].as_str())
        .map(str::to_owned)
        .collect();
    asked.sort();
    asked.dedup();
    (String::from_utf8(output.stdout).expect("text"), asked)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_lists_the_operations_and_asks_nobody_else() {
    let platform = Platform::start_with(vec![(IN_CLEAR, "true".into())]).await;
    let own = format!("http://{}", platform.served.api("open"));
    let (page, asked) = shown(platform.directory.path(), &format!("{own}/docs/"));
    for said in ["/lifecycle/v1/customers", "Open an account for a customer", "Register a customer"]
    {
        let at: String = page.chars().take(2_000).collect();
        assert!(page.contains(said), "{said:?} is not on the page: {at}");
    }
    println!("{asked:#?}");
    assert!(asked.iter().any(|url| url.ends_with("/docs/openapi/secure.json")), "{asked:?}");
    let others: Vec<_> = asked.iter().filter(|url| !url.starts_with(&own)).collect();
    assert!(others.is_empty(), "it asked elsewhere: {others:?}");
    platform.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_shown_where_it_was_asked_for() {
    let hidden = ("CARDSWITCH_API__DOCUMENTS", "false".into());
    let platform = Platform::start_with(vec![hidden]).await;
    let acme = platform.partner("Acme", "99999912");
    assert_eq!(acme.client.get("/docs/").refused(), (404, "NOT_FOUND".into()));
    platform.close().await;

    let platform = Platform::start().await;
    let acme = platform.partner("Acme", "99999912");
    let page = acme.client.get("/docs/").done(200);
    let rules = page.header("content-security-policy").expect("rules");
    assert!(rules.starts_with("default-src 'none'; script-src 'self';"), "{rules}");
    assert!(!page.text.contains("http"), "{}", page.text);
    let document = acme.client.get("/docs/openapi/whole.json").done(200).json();
    assert!(document["paths"]["/lifecycle/v1/customers"].is_object());
    assert_eq!(acme.client.get("/docs/openapi/other.json").status, 404);
    assert_eq!(acme.client.get("/docs/..%2f..%2fetc%2fpasswd").status, 404);
    platform.close().await;
}
