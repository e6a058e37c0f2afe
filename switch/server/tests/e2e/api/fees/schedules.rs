//! How fees are set, by whom, and what is told of them.

use serde_json::{Value, json};

use super::Rig;
use crate::api::client::Client;
use crate::api::platform::euros;

fn gold() -> Value {
    json!({
        "chargedBy": "PLATFORM", "homeCountry": "AT", "region": ["DE", "IT"],
        "monthlyWaivedFrom": "1000.00",
        "rules": [
            { "event": "card_monthly", "fixed": "1.99", "rate": 0, "taken": "AT_ONCE" },
            { "event": "pos_domestic_authorized", "fixed": "0.30", "rate": 150,
              "taken": "AT_ONCE" },
            { "event": "pos_world_authorized", "form": "VIRTUAL", "rate": 199, "least": "0.20",
              "most": "7.50", "taken": "AT_ONCE" },
            { "event": "pos_world_cleared", "fixed": "0.10", "rate": 0, "taken": "INVOICED" },
            { "event": "conversion_authorized", "rate": 200, "taken": "AT_ONCE" },
            { "event": "other:paper_statement", "fixed": "3.00", "rate": 0, "taken": "INVOICED" }
        ]
    })
}

// covers: SR-248, SR-250, SR-251
#[tokio::test(flavor = "multi_thread")]
async fn fees_are_set_whole_by_managers_one_version_at_a_time_and_the_audit_has_every_change() {
    let rig = Rig::start().await;
    let read = rig.eve.get(&rig.path()).done(200);
    assert_eq!(
        (&read.json()["rules"], &read.json()["chargedBy"]),
        (&json!([]), &"PLATFORM".into())
    );
    let first = read.header("etag").expect("a version").to_owned();
    assert_eq!(rig.puts(&rig.eve, Some(&first), &gold()).refused(), (403, "FORBIDDEN".into()));
    assert_eq!(rig.puts(&rig.mia, None, &gold()).refused().0, 428);
    let set = rig.puts(&rig.mia, Some(&first), &gold()).done(200);
    for member in ["homeCountry", "region", "monthlyWaivedFrom", "rules"] {
        assert_eq!(set.json()[member], gold()[member], "{member}");
    }
    assert_eq!(set.json()["currency"], "EUR");
    let late = rig.puts(&rig.mia, Some(&first), &gold());
    assert_eq!(late.refused(), (412, "PRECONDITION_FAILED".into()));
    // The same again is no change.
    let again = rig.puts(&rig.mia, Some(&rig.version()), &gold()).done(200);
    assert_eq!(again.header("etag"), set.header("etag"));
    // Who charges by itself is charged nothing here.
    let mut by_partner = gold();
    by_partner["chargedBy"] = "PARTNER".into();
    rig.charges_of(&by_partner);

    let programme = format!("/admin/programmes/{}", rig.acme.programme);
    let changes = rig.mia.get(&format!("{programme}/changes")).done(200).json();
    let items = changes["items"].as_array().expect("items");
    let [last, made] = [0, 1].map(|at: usize| items[at].clone());
    assert_eq!(made["before"], json!({ "fees": null }));
    assert_eq!(made["after"]["fees"]["rules"][0]["fixed"], "1.99");
    assert_eq!(
        (&last["before"]["fees"]["chargedBy"], &last["after"]["fees"]["chargedBy"]),
        (&"PLATFORM".into(), &"PARTNER".into())
    );
    for change in [&made, &last] {
        let (id, digest) = (&change["changeId"], change["digest"].as_str().expect("a digest"));
        let object = format!("{programme}/changes/{id} sha256:{digest}");
        let sql = format!("SELECT count(*) FROM audit_chain WHERE object = '{object}'");
        assert_eq!(rig.platform.count(&sql).await, 1, "{object}");
    }

    // A partner reads its own, and no other's.
    let listed = rig.acme.client.get("/secure/fees").done(200).json();
    assert_eq!(listed["items"][0]["programmeId"], rig.acme.programme);
    assert_eq!(listed["items"][0]["rules"], gold()["rules"]);
    let other = rig.platform.partner("Other", "99999913");
    let listed = other.client.get("/secure/fees?limit=1").done(200).json();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(listed["items"][0]["programmeId"], other.programme);
    let what = json!({ "events": ["card_monthly"], "form": "VIRTUAL" });
    let asked = json!({ "programmeId": rig.acme.programme, "what": what });
    let refused = other.client.post("/secure/fees/preview", "foreign", &asked);
    assert_eq!(refused.refused(), (404, "NOT_FOUND".into()));

    // By command it is the same schedule, and the same history.
    let id = rig.acme.programme.to_string();
    let command = |word: &str, more: &[&str]| {
        let words = [&["programme", "fees", word, &id], more].concat();
        rig.platform.served.command(&words).expect(word)
    };
    assert_eq!(command("show", &[])["schedule"]["monthly_waived_from"], "1000.00");
    let file = rig.platform.directory.path().join("fees.toml");
    let rule = "[[fee]]\nevent = \"card_daily\"\nfixed = \"0.05\"\n";
    std::fs::write(&file, rule).expect("written");
    command("set", &["--file", file.to_str().expect("a path")]);
    let set = rig.mia.get(&rig.path()).done(200).json();
    assert_eq!(set["rules"][0]["event"], "card_daily");
    let changes = rig.mia.get(&format!("{programme}/changes")).done(200).json();
    assert_eq!(changes["items"][0]["after"]["fees"]["rules"][0]["fixed"], "0.05");
    command("clear", &[]);
    assert_eq!(rig.mia.get(&rig.path()).done(200).json()["rules"], json!([]));
    rig.platform.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_schedule_is_refused_and_the_member_is_named() {
    let rig = Rig::start().await;
    let seen = rig.version();
    let rule = |member: &str, value: Value| {
        let mut fees = gold();
        fees["rules"][0][member] = value;
        fees
    };
    let of = |member: &str, value: Value| {
        let mut fees = gold();
        fees[member] = value;
        fees
    };
    let many: Vec<_> = (0..129)
        .map(|number| json!({ "event": format!("other:n{number}"), "taken": "INVOICED" }))
        .collect();
    for (fees, field) in [
        (rule("event", "card_yearly".into()), "rules[0].event"),
        (rule("event", "other:No".into()), "rules[0].event"),
        (rule("fixed", "1.999".into()), "rules[0].fixed"),
        (rule("fixed", "-1.00".into()), "rules[0]"),
        (rule("least", "x".into()), "rules[0].least"),
        (rule("rate", 10_001.into()), "rules[0].rate"),
        (rule("most", "9999999999999.00".into()), "rules[0]"),
        (rule("event", "other:paper_statement".into()), "rules[5]"),
        (of("homeCountry", "XX".into()), "homeCountry"),
        (of("region", json!(["DE", "AT"])), "region"),
        (of("region", json!(["DE", "DE"])), "region"),
        (of("monthlyWaivedFrom", "0".into()), "monthlyWaivedFrom"),
        (of("rules", many.into()), "rules"),
    ] {
        let refused = rig.puts(&rig.mia, Some(&seen), &fees);
        assert_eq!((refused.refused().0, &refused.json()["field"]), (400, &field.into()));
    }
    assert_eq!(rig.version(), seen, "nothing was set");
    let nowhere = rig.mia.get("/admin/programmes/777/fees");
    assert_eq!(nowhere.refused(), (404, "NOT_FOUND".into()));
    rig.platform.close().await;
}

/// What something would cost: at once, by invoice, in all; and the rules that go.
fn quote(client: &Client, path: &str, body: &Value) -> ([Value; 3], Vec<(u64, String, String)>) {
    let quoted = client.post(path, &body.to_string(), body).done(200).json();
    let sums = ["atOnce", "invoiced", "inAll"].map(|member| quoted[member].clone());
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let fees = quoted["fees"].as_array().expect("fees").iter();
    let rule = |one: &Value| {
        let number = one["rule"].as_u64().expect("a number");
        (number, text(&one["event"]), text(&one["fee"]["value"]))
    };
    (sums, fees.map(rule).collect())
}

// covers: SR-243
#[tokio::test(flavor = "multi_thread")]
async fn what_something_would_cost_is_told_rule_by_rule_and_nothing_is_charged() {
    let rig = Rig::start().await;
    rig.charges_of(&gold());
    let path = format!("{}/preview", rig.path());
    let bought = |channel: &str, country: Option<&str>, converted: bool, form: &str| {
        let mut usage = json!({ "channel": channel, "converted": converted });
        if let Some(country) = country {
            usage["country"] = country.into();
        }
        json!({ "use": usage, "form": form, "amount": "20.00" })
    };
    let rule = |number, event: &str, fee: &str| (number, event.to_owned(), fee.to_owned());
    let sums = |at_once, invoiced, in_all| [at_once, invoiced, in_all].map(euros);
    for (asked, costs, rules) in [
        (
            bought("POS", None, false, "VIRTUAL"),
            sums("0.60", "0.00", "20.60"),
            vec![rule(1, "pos_domestic_authorized", "0.60")],
        ),
        (
            bought("POS", Some("US"), true, "VIRTUAL"),
            sums("0.80", "0.10", "20.80"),
            vec![
                rule(2, "pos_world_authorized", "0.40"),
                rule(4, "conversion_authorized", "0.40"),
                rule(3, "pos_world_cleared", "0.10"),
            ],
        ),
        // The rule is for virtual cards, and Germany is of the region.
        (
            bought("POS", Some("US"), false, "PHYSICAL"),
            sums("0.00", "0.10", "20.00"),
            vec![rule(3, "pos_world_cleared", "0.10")],
        ),
        (bought("POS", Some("DE"), false, "VIRTUAL"), sums("0.00", "0.00", "20.00"), vec![]),
        (
            json!({ "events": ["card_monthly", "other:paper_statement"], "form": "VIRTUAL" }),
            sums("1.99", "3.00", "1.99"),
            vec![rule(0, "card_monthly", "1.99"), rule(5, "other:paper_statement", "3.00")],
        ),
    ] {
        assert_eq!(quote(&rig.eve, &path, &asked), (costs.clone(), rules.clone()), "{asked}");
        // To the partner it is the same.
        let own = json!({ "programmeId": rig.acme.programme, "what": asked });
        assert_eq!(quote(&rig.acme.client, "/secure/fees/preview", &own), (costs, rules));
    }
    for (asked, field) in [
        (json!({ "form": "VIRTUAL" }), "events"),
        (json!({ "events": [], "form": "VIRTUAL" }), "events"),
        (json!({ "events": ["none"], "form": "VIRTUAL" }), "events[0]"),
        (json!({ "use": { "channel": "POS" }, "form": "VIRTUAL" }), "amount"),
        (json!({ "events": ["transfer"], "form": "VIRTUAL", "amount": "1.234" }), "amount"),
        (json!({ "events": ["transfer"], "form": "VIRTUAL", "amount": "-1" }), "amount"),
        (
            json!({
                "use": { "channel": "POS", "country": "xx" }, "form": "VIRTUAL", "amount": "1"
            }),
            "use.country",
        ),
    ] {
        let refused = rig.eve.post(&path, &asked.to_string(), &asked);
        assert_eq!((refused.refused().0, &refused.json()["field"]), (400, &field.into()));
    }
    let mut by_partner = gold();
    by_partner["chargedBy"] = "PARTNER".into();
    rig.charges_of(&by_partner);
    let asked = bought("POS", None, true, "VIRTUAL");
    let (costs, rules) = quote(&rig.mia, &path, &asked);
    assert_eq!((costs, rules.len()), (sums("0.00", "0.00", "20.00"), 0));
    assert_eq!(rig.platform.count("SELECT count(*) FROM fees_charged").await, 0);
    rig.platform.close().await;
}
