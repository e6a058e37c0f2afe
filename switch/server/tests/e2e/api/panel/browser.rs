//! A real browser, driven from a test: Chromium, by playwright-core in Node (`driver.mjs`).

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

pub(super) struct Browser {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
    /// Where the panel is.
    origin: String,
}

/// Somebody at the browser, with cookies of their own.
#[derive(Clone, Copy)]
pub(super) struct Who(pub(super) &'static str);

fn setting(name: &str, otherwise: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| otherwise.to_owned())
}

/// Where pictures go: beside what is built.
pub(super) fn pictures() -> PathBuf {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_cardswitch"));
    let target = program.parent().and_then(Path::parent).expect("the folder of what is built");
    let pictures = target.join("panel");
    std::fs::create_dir_all(&pictures).expect("a folder");
    pictures
}

impl Browser {
    pub(super) fn open(origin: &str) -> Self {
        let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/api/panel/driver.mjs");
        let packages = std::env::var("CARDSWITCH_TEST_NODE_PACKAGES");
        let packages = packages.expect("CARDSWITCH_TEST_NODE_PACKAGES: see `make setup-node`");
        let mut child = Command::new("node")
            .arg(driver)
            .env("PACKAGES", packages)
            .env("CHROMIUM", chromium())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Node: see `make setup-node`");
        let to = child.stdin.take();
        let from = BufReader::new(child.stdout.take().expect("its output"));
        Self { child, to, from, origin: origin.to_owned() }
    }

    fn asks(&mut self, who: Who, act: &str, mut rest: Value) -> Value {
        rest["act"] = act.into();
        rest["who"] = who.0.into();
        let to = self.to.as_mut().expect("open");
        writeln!(to, "{rest}").expect("taken");
        to.flush().expect("sent");
        let mut line = String::new();
        self.from.read_line(&mut line).expect("an answer");
        let answer: Value = serde_json::from_str(&line).expect("JSON of the driver");
        assert!(answer["failed"].is_null(), "{answer:#}");
        answer
    }

    /// Opens a page of the panel; the status.
    pub(super) fn goes(&mut self, who: Who, path: &str) -> u64 {
        let url = format!("{}{path}", self.origin);
        self.asks(who, "goto", json!({ "url": url }))["status"].as_u64().expect("a status")
    }

    pub(super) fn fills(&mut self, who: Who, label: &str, value: &str) {
        self.asks(who, "fill", json!({ "label": label, "value": value }));
    }

    pub(super) fn chooses(&mut self, who: Who, label: &str, value: &str) {
        self.asks(who, "choose", json!({ "label": label, "value": value }));
    }

    pub(super) fn clicks(&mut self, who: Who, role: &str, name: &str) {
        self.asks(who, "click", json!({ "role": role, "name": name }));
    }

    pub(super) fn presses(&mut self, who: Who, keys: &[&str]) {
        self.asks(who, "keys", json!({ "press": keys }));
    }

    /// Waits until one is there.
    pub(super) fn arrives(&mut self, who: Who, path: &str) {
        let url = format!("{}{path}", self.origin);
        self.asks(who, "arrives", json!({ "url": url }));
    }

    pub(super) fn focused(&mut self, who: Who) -> String {
        self.asks(who, "focused", json!({}))["focused"].as_str().expect("text").to_owned()
    }

    /// Where one is, and what is read there.
    pub(super) fn reads(&mut self, who: Who) -> (String, String) {
        let read = self.asks(who, "text", json!({}));
        let text = |name: &str| read[name].as_str().expect("text").to_owned();
        (text("url").replacen(&self.origin, "", 1), text("text"))
    }

    /// The file behind a link: its name, and what is in it.
    pub(super) fn downloads(&mut self, who: Who, link: &str) -> (String, String) {
        let file = self.asks(who, "download", json!({ "name": link }));
        let text = |name: &str| file[name].as_str().expect("text").to_owned();
        (text("name"), text("text"))
    }

    /// A form sent by something else than a page: status, and what was answered.
    pub(super) fn posts(&mut self, who: Who, path: &str, form: &Value, site: &str) -> u64 {
        let url = format!("{}{path}", self.origin);
        let headers = json!({ "Sec-Fetch-Site": site });
        let sent = json!({ "url": url, "form": form, "headers": headers });
        self.asks(who, "post", sent)["status"].as_u64().expect("a status")
    }

    pub(super) fn cookies(&mut self, who: Who) -> Vec<Value> {
        self.asks(who, "cookies", json!({}))["cookies"].as_array().expect("a list").clone()
    }

    /// Looks at a page as people do: at two widths, in light and dark; keeps pictures.
    pub(super) fn looks(&mut self, who: Who, path: &str, name: &str) {
        assert_eq!(self.goes(who, path), 200, "{path}");
        for (width, height) in [(360, 780), (1440, 900)] {
            self.asks(who, "size", json!({ "width": width, "height": height }));
            let over = self.asks(who, "overflow", json!({}))["by"].as_i64().expect("a number");
            assert!(over <= 0, "{path} is {over} pixels wider than {width}");
            for dark in [false, true] {
                self.asks(who, "scheme", json!({ "dark": dark }));
                let found = self.asks(who, "violations", json!({}));
                assert_eq!(found["found"], json!([]), "{path} at {width}, dark: {dark}");
            }
            self.asks(who, "scheme", json!({ "dark": false }));
            let picture = pictures().join(format!("{name}-{width}.png"));
            self.asks(who, "picture", json!({ "path": picture }));
        }
        let said = self.asks(who, "said", json!({}));
        assert_eq!(said["said"], json!([]), "the console at {path}");
    }

    pub(super) fn closes(mut self) {
        drop(self.to.take());
        let ended = self.child.wait().expect("it ended");
        assert!(ended.success(), "{ended}");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Without its input the driver closes the browser and ends.
        drop(self.to.take());
        let _ = self.child.wait();
    }
}

fn chromium() -> String {
    let given = setting("CARDSWITCH_TEST_CHROMIUM", "chromium");
    if Path::new(&given).is_absolute() {
        return given;
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|at| at.join(&given)).find(|at| at.is_file());
    found.expect("a browser: see `make setup-chromium`").display().to_string()
}
