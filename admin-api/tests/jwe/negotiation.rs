//! What is asked for, over the whole product of headers, methods, bodies, requirements and rules of
//! partners (A-08..A-12, SR-064..073, J-07).

use std::collections::BTreeMap;
use std::sync::Arc;

use admin_api::jwe::{
    Asked, EncryptionProblem, Negotiated, PartnerKey, PartnerRule, RequestBody, Requirement,
    ResponseBody, negotiate, token_of,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::stage::partner;

const FLAGS: [Option<&str>; 7] =
    [None, Some("true"), Some("false"), Some("True"), Some(""), Some("1"), Some("true,true")];
const METHODS: [&str; 6] = ["GET", "HEAD", "DELETE", "POST", "PUT", "PATCH"];
const REQUIREMENTS: [Requirement; 3] =
    [Requirement::Optional, Requirement::Response, Requirement::RequestAndResponse];

/// What the tables below say: the code of an error, or what is done with both bodies.
fn outcome(result: Result<Negotiated, EncryptionProblem>, keys: &[Arc<PartnerKey>]) -> String {
    match result {
        Err(problem) => problem.code().to_owned(),
        Ok(Negotiated { request, response }) => {
            let request = if request == RequestBody::Encrypted { "open" } else { "take" };
            let response = match response {
                ResponseBody::Plain => "plain".to_owned(),
                ResponseBody::Encrypted(key) => {
                    let which = keys.iter().position(|one| *one == key).expect("a known key");
                    format!("to key {which}")
                }
            };
            format!("{request}, {response}")
        }
    }
}

/// One row of the seed's and our own rules, in the order in which they are looked at: the first
/// that fits decides.
fn by_the_table(
    (request, response): (Option<&str>, Option<&str>),
    (method, body): (&str, bool),
    requirement: Requirement,
    (rule, key): (&str, &str),
) -> String {
    let odd = |flag: Option<&str>| !matches!(flag, None | Some("true" | "false"));
    let (both, only) = (request == Some("true"), response == Some("true"));
    let writes = ["POST", "PUT", "PATCH"].contains(&method);
    let sensitive = requirement == Requirement::RequestAndResponse;
    let rows = [
        (odd(request) || odd(response), "INVALID_PAYLOAD"),
        (requirement != Requirement::Optional && !both && !only, "ENCRYPTION_REQUIRED"),
        (sensitive && writes && body && !both, "ENCRYPTION_REQUIRED"),
        (!both && !only, "take, plain"),
        (key == "bad", "INVALID_PUBLIC_KEY"),
        (rule == "in request" && key == "none", "INVALID_PUBLIC_KEY"),
        (rule == "none registered", "INVALID_PUBLIC_KEY"),
        (rule == "key 0 registered" && key == "key 1", "INVALID_PUBLIC_KEY"),
    ];
    if let Some((_, code)) = rows.iter().find(|(fits, _)| *fits) {
        return (*code).to_owned();
    }
    let what = if both && writes && body { "open" } else { "take" };
    let named = ["in request", "both registered"].contains(&rule) && key == "key 1";
    let whose = if named { 1 } else { 0 };
    format!("{what}, to key {whose}")
}

// covers: A-08, A-09, SR-064, SR-065, SR-066, SR-068, SR-073
#[test]
fn every_case_of_the_product_is_as_the_table_says() {
    let known = [Arc::new(partner("rsa2048-a")), Arc::new(partner("rsa4096-a"))];
    let texts = [STANDARD.encode(known[0].der()), STANDARD.encode(known[1].der())];
    let keys = [
        ("none", None),
        ("key 0", Some(texts[0].as_str())),
        ("key 1", Some(texts[1].as_str())),
        ("bad", Some("AAAA")),
    ];
    let rules = [
        ("in request", PartnerRule::KeyInRequest),
        ("key 0 registered", PartnerRule::RegisteredOnly(vec![known[0].clone()])),
        ("both registered", PartnerRule::RegisteredOnly(known.to_vec())),
        ("none registered", PartnerRule::RegisteredOnly(Vec::new())),
    ];
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for flags in FLAGS.iter().flat_map(|one| FLAGS.iter().map(|other| (*one, *other))) {
        for (method, body) in METHODS.iter().flat_map(|one| [(*one, false), (*one, true)]) {
            for requirement in REQUIREMENTS {
                for ((rule_name, rule), (key_name, public_key)) in
                    rules.iter().flat_map(|rule| keys.iter().map(move |key| (rule, key)))
                {
                    let asked = Asked {
                        encrypted_request: flags.0,
                        encrypt_response: flags.1,
                        public_key: *public_key,
                        method,
                        has_body: body,
                    };
                    let found = outcome(negotiate(&asked, requirement, rule), &known);
                    let rule_and_key = (*rule_name, *key_name);
                    let wanted = by_the_table(flags, (method, body), requirement, rule_and_key);
                    assert_eq!(found, wanted, "{asked:?} {requirement:?} {rule_name}");
                    *counts.entry(found).or_default() += 1;
                }
            }
        }
    }
    for (found, count) in &counts {
        println!("{count:6} {found}");
    }
    assert_eq!(counts.values().sum::<usize>(), 7 * 7 * 6 * 2 * 3 * 4 * 4);
    assert_eq!(counts.len(), 8, "all outcomes that there are");
}

// covers: A-09, SR-065, SR-068, SR-073
#[test]
fn scenarios_of_the_seed() {
    let known = [Arc::new(partner("rsa2048-a"))];
    let key = STANDARD.encode(known[0].der());
    let (yes, no) = (Some("true"), Some("false"));
    let rows = [
        // A-09: a plain request with an encrypted answer is enough on "Y"...
        (None, yes, "POST", true, Requirement::Response, "take, to key 0"),
        // ...unless the body is sensitive itself.
        (None, yes, "POST", true, Requirement::RequestAndResponse, "ENCRYPTION_REQUIRED"),
        (yes, None, "POST", true, Requirement::RequestAndResponse, "open, to key 0"),
        // SR-065: an encrypted request is answered encrypted, whatever else is said.
        (yes, no, "POST", true, Requirement::Optional, "open, to key 0"),
        // SR-068: on a GET, and without a body, headers alone.
        (None, yes, "GET", false, Requirement::Response, "take, to key 0"),
        (yes, None, "GET", false, Requirement::Response, "take, to key 0"),
        (yes, None, "POST", false, Requirement::Response, "take, to key 0"),
        // SR-073: neither asked for.
        (None, None, "GET", false, Requirement::Response, "ENCRYPTION_REQUIRED"),
        (no, no, "GET", false, Requirement::Response, "ENCRYPTION_REQUIRED"),
        // "N" is served as it is asked for.
        (None, None, "POST", true, Requirement::Optional, "take, plain"),
        (None, yes, "GET", false, Requirement::Optional, "take, to key 0"),
    ];
    for (encrypted_request, encrypt_response, method, has_body, requirement, wanted) in rows {
        let public_key = Some(key.as_str());
        let asked = Asked { encrypted_request, encrypt_response, public_key, method, has_body };
        let found = outcome(negotiate(&asked, requirement, &PartnerRule::KeyInRequest), &known);
        assert_eq!(found, wanted, "{asked:?}");
    }
}

// covers: SR-069, SR-070, SR-071
#[test]
fn successes_with_a_body_alone_are_encrypted() {
    let key = Arc::new(partner("rsa2048-a"));
    let response = ResponseBody::Encrypted(key.clone());
    let encrypted: Vec<u16> =
        (100..600).filter(|status| response.key_for(*status).is_some()).collect();
    assert_eq!(encrypted, [200, 201, 202, 203, 206, 207, 208, 209]);
    assert!((100..600).all(|status| ResponseBody::Plain.key_for(status).is_none()));
}

// covers: SR-072, A-11, A-12
#[test]
fn the_four_errors_have_their_statuses_and_the_envelope_one_form() {
    let statuses = [
        (EncryptionProblem::EncryptionRequired, "ENCRYPTION_REQUIRED", 403),
        (EncryptionProblem::InvalidPublicKey, "INVALID_PUBLIC_KEY", 400),
        (EncryptionProblem::InvalidPayload, "INVALID_PAYLOAD", 400),
        (EncryptionProblem::CantDecryptPayload, "CANT_DECRYPT_PAYLOAD", 400),
    ];
    for (problem, code, status) in statuses {
        assert_eq!((problem.code(), problem.status()), (code, status));
        println!("{status} {code}: {problem}");
    }
    assert_eq!(token_of(br#"{"payload":"a.b.c.d.e"}"#), Ok("a.b.c.d.e".to_owned()));
    let bad: [&[u8]; 9] = [
        b"",
        b"a.b.c.d.e",
        br#""a.b.c.d.e""#,
        br#"{}"#,
        br#"{"payload":null}"#,
        br#"{"payload":["a"]}"#,
        br#"{"payload":"a","payload":"b"}"#,
        br#"{"payload":"a","pin":"1"}"#,
        br#"{"payload":"a"} x"#,
    ];
    for body in bad {
        assert_eq!(token_of(body), Err(EncryptionProblem::InvalidPayload));
    }
}
