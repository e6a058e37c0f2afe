//! An operator as the panel sees one: a name, a password, and an authenticator application.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha1::Sha1;

use super::client::{Answer, Client};

/// Somebody, and what they have.
#[derive(Clone)]
pub(super) struct Person {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) password: String,
    secret: Vec<u8>,
    /// The latest step whose code was used: the next one is later.
    step: i64,
}

impl Person {
    /// Of what `operator add` printed, or the panel answered.
    pub(super) fn of(given: &Value) -> Self {
        let text = |names: [&str; 2]| {
            let found = names.iter().find_map(|name| given[*name].as_str());
            found.unwrap_or_else(|| panic!("{names:?} of {given}")).to_owned()
        };
        let uri = text(["otpauth", "otpauthUri"]);
        let secret = uri.split("secret=").nth(1).expect("one").split('&').next().expect("text");
        Self {
            id: text(["operator", "operatorId"]),
            name: given["name"].as_str().expect("a name").to_owned(),
            password: text(["one_time_password", "oneTimePassword"]),
            secret: unbase32(secret),
            step: 0,
        }
    }

    /// A code that was not used: of this step, or of one that is taken beside it.
    pub(super) fn code(&mut self) -> String {
        let now = jiff::Timestamp::now().as_second().div_euclid(30);
        self.step = (now - 1).max(self.step + 1);
        assert!(self.step <= now + 1, "no more codes are taken now");
        self.code_of(self.step)
    }

    /// The one before again.
    pub(super) fn used_code(&self) -> String {
        self.code_of(self.step)
    }

    fn code_of(&self, step: i64) -> String {
        let mut mac = Hmac::<Sha1>::new_from_slice(&self.secret).expect("any length");
        mac.update(&step.to_be_bytes());
        let tag = mac.finalize().into_bytes();
        let at = usize::from(tag[19] & 15);
        let number = u32::from_be_bytes(tag[at..at + 4].try_into().expect("four")) & 0x7FFF_FFFF;
        format!("{:06}", number % 1_000_000)
    }

    pub(super) fn signs_in(&mut self, panel: &Client) -> Answer {
        let code = self.code();
        tries(panel, &self.name, &self.password, &code)
    }

    /// Signs in for the first time, and chooses a password; the token.
    pub(super) fn begins(&mut self, panel: &Client) -> String {
        let opened = self.signs_in(panel).done(201).json();
        assert_eq!(opened["mustChangePassword"], true);
        let first = opened["token"].as_str().expect("a token");
        let early = as_operator(panel, first, "GET", "/admin/customers?partnerId=1", None);
        assert_eq!(early.refused(), (403, "PASSWORD_CHANGE_REQUIRED".into()));
        let digits: String = self.id.chars().filter(char::is_ascii_digit).collect();
        let chosen = format!("correct horse {digits}");
        let change = json!({ "currentPassword": self.password, "newPassword": chosen });
        let changed = as_operator(panel, first, "POST", "/admin/password", Some(&change));
        let changed = changed.done(200).json();
        assert_eq!(changed["mustChangePassword"], false);
        let gone = as_operator(panel, first, "GET", "/admin/sessions/current", None);
        assert_eq!(gone.refused(), (401, "UNAUTHENTICATED".into()));
        self.password = chosen;
        changed["token"].as_str().expect("a token").to_owned()
    }
}

pub(super) fn tries(panel: &Client, name: &str, password: &str, code: &str) -> Answer {
    let credentials = json!({ "name": name, "password": password, "code": code });
    panel.send("POST", "/admin/sessions", &[], Some(&credentials))
}

pub(super) fn as_operator(
    panel: &Client,
    token: &str,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> Answer {
    let bearer = format!("Bearer {token}");
    panel.send(method, path, &[("Authorization", &bearer)], body)
}

fn unbase32(text: &str) -> Vec<u8> {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let (mut bytes, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    for letter in text.bytes() {
        let five = letters.iter().position(|known| *known == letter).expect("base 32");
        held = (held << 5 | u32::try_from(five).expect("small")) & 0xFFFF;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xFF).expect("a byte"));
        }
    }
    bytes
}
