//! Partners and programmes as the issuer's people set them up over `/admin`, by the real binary:
//! in force without a restart, one version at a time, with who changed what in the audit.

use serde_json::{Value, json};

use super::cards::rig::{Known, Reader, keyed_platform};
use super::client::{Answer, Client};
use super::platform::{Partner, Platform, euros};
use super::pools::operator;
use crate::stage::{peer, purchase};

const PARTNERS: &str = "/admin/partners";
const PROGRAMMES: &str = "/admin/programmes";

/// A platform with an administrator and a manager, and nothing else.
struct Desk {
    platform: Platform,
    ada: Client,
    mia: Client,
    reader: Reader,
}

/// So much is reloaded by one alone.
fn four_eyes() -> (&'static str, String) {
    ("CARDSWITCH_API__POOLS__FOUR_EYES_ABOVE", "{ EUR = \"100000\" }".to_owned())
}

/// A partner that was made over the API, and its system.
struct Made {
    id: i64,
    pool: String,
    client: Client,
}

impl Desk {
    async fn start(more: Vec<(&'static str, String)>) -> Self {
        Self::at(keyed_platform([four_eyes()].into_iter().chain(more).collect()).await)
    }

    fn at(platform: Platform) -> Self {
        let [ada, mia] = [("ada", "admin"), ("mia", "manager")]
            .map(|(name, role)| operator(&platform, name, role));
        Self { platform, ada, mia, reader: Reader::new() }
    }

    /// A partner with a credit pool of a thousand euros.
    fn partner(&self, name: &str) -> Made {
        let made = self.mia.post(PARTNERS, &format!("make {name}"), &json!({ "name": name }));
        let made = made.done(201);
        let id = made.json()["partnerId"].as_i64().expect("a number");
        assert_eq!(made.header("location"), Some(format!("{PARTNERS}/{id}").as_str()));
        let new = json!({ "partnerId": id, "kind": "CREDIT", "currency": "EUR" });
        let opened = self.ada.post("/admin/pools", &format!("pool {name}"), &new).done(201);
        let pool = opened.json()["poolId"].as_str().expect("a number").to_owned();
        let reload = json!({ "amount": euros("1000.00"), "reference": "transfer 1" });
        let path = format!("/admin/pools/{pool}/reloads");
        let booked = self.mia.post(&path, &format!("reload {name}"), &reload).done(201);
        assert_eq!(booked.json()["state"], "DONE");
        let client = self.platform.system_of(&id.to_string(), name);
        Made { id, pool, client }
    }

    fn programme(&self, key: &str, new: &Value) -> Answer {
        self.mia.post(PROGRAMMES, key, new)
    }

    /// Changes something, of which this version was seen.
    fn puts(&self, by: &Client, path: &str, seen: Option<&str>, to: &Value) -> Answer {
        let headers: Vec<_> = seen.map(|seen| ("If-Match", seen)).into_iter().collect();
        by.send("PUT", path, &headers, Some(to))
    }

    /// Buys something for ten euros with a card that ends with this month, over TCP.
    async fn buys(&self, (pan, month): (&str, &str), stan: u32) -> String {
        let (month, year) = month.split_once('/').expect("MM/YY");
        let mut acquirer = peer(self.platform.served.link, 1).await;
        let asked = purchase(pan, stan, 1_000).with(14, format!("{year}{month}"));
        let answer = acquirer.exchange(0, &asked.expect("a month")).await.expect("an answer");
        answer.text(39).expect("an action code").to_owned()
    }

    /// The version that stands there now.
    fn version(&self, path: &str) -> String {
        self.mia.get(path).done(200).header("etag").expect("a version").to_owned()
    }

    /// How often the audit has something done about what is called so.
    async fn audited(&self, object: &str) -> i64 {
        let sql = format!(
            "SELECT count(*) FROM audit_chain WHERE outcome = 'done' AND object LIKE '{object}'"
        );
        self.platform.count(&sql).await
    }
}

impl Made {
    /// What a programme is made of.
    fn wanted(&self, name: &str, bin: &str, digits: u8) -> Value {
        json!({
            "partnerId": self.id, "name": name, "currency": "EUR", "poolId": self.pool,
            "bins": { "low": bin, "high": bin, "panLength": digits }
        })
    }

    fn with(&self, programme: &Answer) -> Partner {
        let programme = programme.json()["programmeId"].as_i64().expect("a number");
        Partner { id: self.id.to_string(), programme, client: self.client.clone() }
    }
}

/// Somebody verified, with an account that has fifty euros; customer and account.
fn somebody(partner: &Partner, reference: &str) -> (String, String) {
    let customer = partner.registers(reference);
    partner.verifies(&customer);
    let account = partner.opens(&customer, &format!("open {reference}"));
    let amount = json!({ "amount": euros("50.00"), "reference": "top-up" });
    let key = format!("top up {reference}");
    partner.client.post(&format!("{account}/reload"), &key, &amount).done(200);
    let account = account.rsplit('/').next().expect("a name").to_owned();
    (customer, account)
}

fn passes_luhn(number: &str) -> bool {
    let digits = number.bytes().rev().map(|byte| u32::from(byte - b'0'));
    let sum: u32 = digits
        .enumerate()
        .map(|(at, digit)| match (at % 2, digit * 2) {
            (0, _) => digit,
            (_, twice) => twice % 10 + twice / 10,
        })
        .sum();
    sum.is_multiple_of(10)
}

// covers: SR-001, SR-012, SR-025, SR-039, SR-263
#[tokio::test(flavor = "multi_thread")]
async fn a_partner_and_programmes_of_14_and_19_digits_are_set_up_and_spend_without_a_restart() {
    let desk = Desk::start(Vec::new()).await;
    let acme = desk.partner("Acme");
    let mut stan = 0;
    for (name, bin, digits) in [("Short", "99999931", 14), ("Long", "99999932", 19)] {
        let made = desk.programme(name, &acme.wanted(name, bin, digits)).done(201);
        let shown = made.json();
        assert_eq!((&shown["name"], &shown["bins"]["panLength"]), (&name.into(), &digits.into()));
        assert_eq!(shown["funding"]["kind"], "CREDIT");
        assert_eq!(shown["funding"]["custody"], "PLATFORM");
        assert_eq!(shown["configurationId"], shown["programmeId"].to_string());
        let partner = acme.with(&made);
        let (customer, account) = somebody(&partner, name);
        let wanted = json!({ "balanceId": account, "holderName": "ADA LOVELACE" });
        let path = format!("/secure/customers/{customer}/cards/virtual");
        let issued = desk.reader.post(&acme.client, &path, name, &wanted).done(201);
        let opened = desk.reader.opens(&issued);
        let pan = opened["cardNo"].as_str().expect("a number");
        assert_eq!(pan.len(), usize::from(digits));
        assert!(pan.starts_with(bin) && passes_luhn(pan), "{pan}");
        let card = (pan, opened["card"]["expiry"].as_str().expect("a month"));
        stan += 1;
        assert_eq!(desk.buys(card, stan).await, "00");

        // The partner is suspended at the panel, and its next purchase declined; and resumed.
        for (state, approved) in [("SUSPENDED", false), ("ACTIVE", true)] {
            let path = format!("{PARTNERS}/{}", acme.id);
            let to = json!({ "name": "Acme", "state": state });
            desk.puts(&desk.mia, &path, Some(&desk.version(&path)), &to).done(200);
            stan += 1;
            assert_eq!(desk.buys(card, stan).await == "00", approved, "{state}");
        }
    }

    // No number is of two programmes, and no pool funds another partner's.
    let overlapping = json!({
        "partnerId": acme.id, "name": "Wide", "currency": "EUR", "poolId": acme.pool,
        "bins": { "low": "99999930", "high": "99999931", "panLength": 16 }
    });
    assert_eq!(desk.programme("wide", &overlapping).refused(), (409, "CONFLICT".into()));
    let other = desk.partner("Other");
    let mut foreign = other.wanted("Foreign", "99999933", 16);
    foreign["poolId"] = acme.pool.clone().into();
    assert_eq!(desk.programme("foreign", &foreign).refused(), (404, "NOT_FOUND".into()));
    let mut dollars = other.wanted("Dollars", "99999933", 16);
    dollars["currency"] = "USD".into();
    assert_eq!(desk.programme("dollars", &dollars).refused(), (409, "CONFLICT".into()));
    for (member, wrong, field) in [
        (
            "bins",
            json!({ "low": "99999933", "high": "99999933", "panLength": 13 }),
            "bins.panLength",
        ),
        (
            "bins",
            json!({ "low": "99999933", "high": "99999933", "panLength": 20 }),
            "bins.panLength",
        ),
        ("bins", json!({ "low": "9999993", "high": "99999933", "panLength": 16 }), "bins.low"),
        ("bins", json!({ "low": "99999934", "high": "99999933", "panLength": 16 }), "bins.high"),
        ("name", json!(" Gold"), "name"),
        ("homeCountry", json!("XX"), "homeCountry"),
        ("terminal", json!("T 1"), "terminal"),
        ("configurationId", json!("7"), "configurationId"),
    ] {
        let mut new = other.wanted("Wrong", "99999933", 16);
        new[member] = wrong;
        let refused = desk.programme(&format!("wrong {member} {field}"), &new);
        assert_eq!((refused.refused().0, &refused.json()["field"]), (400, &field.into()));
    }
    desk.platform.close().await;
}

// covers: SR-263
#[tokio::test(flavor = "multi_thread")]
async fn two_people_do_not_undo_each_others_work_and_the_audit_has_every_change() {
    let desk = Desk::start(Vec::new()).await;
    let acme = desk.partner("Acme");
    let path = format!("{PARTNERS}/{}", acme.id);
    let seen = desk.version(&path);
    let contact = json!({ "name": "Grace Hopper", "email": "grace@acme.example" });
    let to = json!({
        "name": "Acme Cards", "contact": contact, "kycMode": "MANUAL",
        "partialMinimums": [euros("5.00")]
    });
    assert_eq!(desk.puts(&desk.mia, &path, None, &to).refused().0, 428);
    let changed = desk.puts(&desk.mia, &path, Some(&seen), &to).done(200);
    assert_eq!(changed.json()["contact"], contact);
    let listed = desk.mia.get(PARTNERS).done(200);
    assert!(!listed.text.contains("Hopper"), "lists say nothing of people");
    // Who looked before that does not change it, whoever they are.
    let late = desk.puts(&desk.ada, &path, Some(&seen), &json!({ "name": "Acme" }));
    assert_eq!(late.refused(), (412, "PRECONDITION_FAILED".into()));
    // A change by command is one too.
    let seen = changed.header("etag").expect("a version").to_owned();
    let command = ["partner", "suspend", &acme.id.to_string()];
    desk.platform.served.command(&command).expect("suspended");
    let late = desk.puts(&desk.ada, &path, Some(&seen), &to);
    assert_eq!(late.refused().0, 412);
    // What is not said of the state stays; what is there already is no change.
    let again = desk.puts(&desk.ada, &path, Some(&desk.version(&path)), &to).done(200);
    assert_eq!(again.json()["state"], "SUSPENDED");
    let to = json!({ "name": "Acme Cards", "state": "ACTIVE", "kycMode": "MANUAL" });
    desk.puts(&desk.ada, &path, Some(&desk.version(&path)), &to).done(200);

    // Before and after, by whom; whom to call is nobody's to read here.
    let listed = desk.mia.get(&format!("{path}/changes")).done(200);
    assert!(!listed.text.contains("Hopper") && !listed.text.contains("grace@"));
    let items = listed.json()["items"].clone();
    assert_eq!(items.as_array().map(Vec::len), Some(3), "{items}");
    let [last, first, made] = [0, 1, 2].map(|at| items[at].clone());
    assert_eq!(made["before"], Value::Null);
    assert_eq!(
        (&made["after"]["name"], &first["before"]["name"]),
        (&"Acme".into(), &"Acme".into())
    );
    assert_eq!(
        (&first["after"]["name"], &first["after"]["kycMode"]),
        (&"Acme Cards".into(), &"manual".into())
    );
    assert_eq!(first["after"]["contactChanged"], true);
    assert_eq!(first["after"]["partialMinimums"]["EUR"], "5.00");
    assert_eq!(
        (&last["before"]["state"], &last["after"]["state"]),
        (&"SUSPENDED".into(), &"ACTIVE".into())
    );
    assert_ne!(first["changedBy"], last["changedBy"]);
    // The chain of the audit has the digest of each.
    for change in [&made, &first, &last] {
        let (id, digest) = (&change["changeId"], change["digest"].as_str().expect("a digest"));
        let object = format!("{path}/changes/{id} sha256:{digest}");
        assert_eq!(desk.audited(&object).await, 1, "{object}");
    }
    let first_page = desk.mia.get(&format!("{path}/changes?limit=2")).done(200).json();
    let cursor = first_page["nextCursor"].as_str().expect("there is more").to_owned();
    let next = desk.mia.get(&format!("{path}/changes?limit=2&cursor={cursor}")).done(200).json();
    assert_eq!(
        (next["items"].as_array().map(Vec::len), &next["nextCursor"]),
        (Some(1), &Value::Null)
    );
    // A row that somebody altered is not shown as if it were what happened.
    desk.platform.sql("UPDATE setup_change SET after = replace(after, 'Cards', 'Carts')").await;
    assert_eq!(desk.mia.get(&format!("{path}/changes")).refused(), (500, "INTERNAL".into()));
    desk.platform.close().await;
}

// covers: SR-025, SR-161, SR-163, SR-039
#[tokio::test(flavor = "multi_thread")]
async fn cards_are_ordered_by_configuration_id_and_a_partner_sees_its_own_programmes_alone() {
    // With a bureau, which makes nothing meanwhile.
    let desk = Desk::at(super::plastic::platform_with("60000", vec![four_eyes()]).await);
    let (acme, other) = (desk.partner("Acme"), desk.partner("Other"));
    let mut gold = acme.wanted("Gold", "99999931", 16);
    for (member, value) in
        [("configurationId", "gold-eur"), ("terminal", "T-0001"), ("homeCountry", "AT")]
    {
        gold[member] = value.into();
    }
    gold["keys"] = json!({ "cvk": "cvk", "cvk2": ["cvk2"], "pvk": "pvk", "imkAc": "imk" });
    let gold = desk.programme("gold", &gold).done(201);
    assert_eq!(
        (&gold.json()["terminal"], &gold.json()["homeCountry"]),
        (&"T-0001".into(), &"AT".into())
    );
    let plain = desk.programme("plain", &acme.wanted("Plain", "99999932", 16)).done(201);
    let mut twice = acme.wanted("Twice", "99999933", 16);
    twice["configurationId"] = "gold-eur".into();
    assert_eq!(desk.programme("twice", &twice).refused(), (409, "CONFLICT".into()));
    // Another partner may call its own so.
    let mut theirs = other.wanted("Theirs", "99999934", 16);
    theirs["configurationId"] = "gold-eur".into();
    let theirs = desk.programme("theirs", &theirs).done(201).json()["programmeId"].clone();

    let (in_gold, in_plain) = (acme.with(&gold), acme.with(&plain));
    let number = in_gold.programme.to_string();
    for (partner, said, is_its) in [
        (&in_gold, "gold-eur", true),
        (&in_gold, number.as_str(), false),
        (&in_gold, "silver-eur", false),
        (&in_plain, "gold-eur", false),
        (&in_plain, &in_plain.programme.to_string(), true),
    ] {
        let reference = format!("{} {said}", partner.programme).replace(' ', "-");
        let (customer, account) = somebody(partner, &reference);
        let card = json!({ "balanceId": account, "configurationId": said });
        let mut plastic = super::plastic::wanted(&account);
        plastic["configurationId"] = said.into();
        for (end, wanted) in [("virtual", card), ("physical", plastic)] {
            let path = format!("/secure/customers/{customer}/cards/{end}");
            let answer =
                desk.reader.post(&acme.client, &path, &format!("{reference} {end}"), &wanted);
            if is_its {
                answer.done(201);
            } else {
                // What was refused is told encrypted as well, where that was asked for.
                assert_eq!(answer.status, 400, "{said}: {answer:?}");
            }
        }
    }

    // A partner reads its own, without keys and without who makes its cards.
    let listed = acme.client.get("/secure/programmes").done(200).json();
    let names: Vec<_> = listed["items"].as_array().expect("items").iter().collect();
    assert_eq!(names.iter().map(|one| &one["name"]).collect::<Vec<_>>(), ["Gold", "Plain"]);
    assert!(names.iter().all(|one| one["processor"].is_null() && one["keys"].is_null()));
    let own = acme.client.get(&format!("/secure/programmes/{number}")).done(200).json();
    assert_eq!(own["configurationId"], "gold-eur");
    let foreign = acme.client.get(&format!("/secure/programmes/{theirs}"));
    assert_eq!(foreign.refused(), (404, "NOT_FOUND".into()));
    let own = acme.client.get("/secure/partner").done(200).json();
    assert_eq!((&own["name"], &own["kycMode"]), (&"Acme".into(), &"OWN".into()));

    // Operators find them by partner and currency, page by page.
    let of = |query: &str| desk.mia.get(&format!("{PROGRAMMES}?{query}")).done(200).json();
    let first = of(&format!("partnerId={}&limit=1", acme.id));
    assert_eq!(first["items"][0]["name"], "Gold");
    assert_eq!(first["items"][0]["processor"]["name"], "in-process");
    let cursor = first["nextCursor"].as_str().expect("there is more");
    let next = of(&format!("partnerId={}&limit=1&cursor={cursor}", acme.id));
    assert_eq!((&next["items"][0]["name"], &next["nextCursor"]), (&"Plain".into(), &Value::Null));
    assert_eq!(of("currency=USD")["items"], json!([]));
    let partners = desk.mia.get(&format!("{PARTNERS}?name=CM&state=ACTIVE")).done(200).json();
    assert_eq!(partners["items"][0]["name"], "Acme");
    assert_eq!(partners["items"].as_array().map(Vec::len), Some(1));
    desk.platform.close().await;
}

// covers: SR-040, SR-263
#[tokio::test(flavor = "multi_thread")]
async fn what_may_change_of_a_programme_changes_for_the_next_card_and_the_rest_never_does() {
    let desk = Desk::start(Vec::new()).await;
    let acme = desk.partner("Acme");
    let made = desk.programme("gold", &acme.wanted("Gold", "99999931", 16)).done(201);
    let partner = acme.with(&made);
    let path = format!("{PROGRAMMES}/{}", partner.programme);
    let (customer, account) = somebody(&partner, "u-1");
    let issue = |key: &str| {
        let path = format!("/secure/customers/{customer}/cards/virtual");
        let wanted = json!({ "balanceId": account });
        desk.reader.opens(&desk.reader.post(&acme.client, &path, key, &wanted).done(201))
    };
    assert!(issue("before")["cvv"].is_null(), "without keys there is no code");

    // Keys by their names: there, and for what they are to be for.
    let mut seen = made.header("etag").expect("a version").to_owned();
    for (keys, field) in [
        (json!({ "cvk": "nobody" }), "keys.cvk"),
        (json!({ "cvk": "pvk" }), "keys.cvk"),
        (json!({ "cvk2": ["cvk2", "zpk"] }), "keys.cvk2"),
        (json!({ "imkAc": "cvk" }), "keys.imkAc"),
    ] {
        let to = json!({ "name": "Gold", "keys": keys });
        let refused = desk.puts(&desk.mia, &path, Some(&seen), &to);
        assert_eq!((refused.refused().0, &refused.json()["field"]), (400, &field.into()));
    }
    let keys = json!({ "cvk": "cvk", "cvk2": ["cvk2", "cvk2-b"], "pvk": "pvk" });
    let to = json!({ "name": "Gold Card", "configurationId": "gold", "keys": keys });
    let changed = desk.puts(&desk.mia, &path, Some(&seen), &to).done(200);
    let shown = changed.json();
    let named: Vec<_> = shown["keys"].as_array().expect("keys").iter().collect();
    let roles: Vec<_> = named.iter().map(|key| &key["role"]).collect();
    assert_eq!(roles, ["cvk", "cvk2", "cvk2", "pvk"]);
    let is_check_value = |key: &&Value| {
        let digits = key["checkValue"].as_str().unwrap_or_default();
        digits.len() >= 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    assert!(named.iter().all(is_check_value), "{shown}");
    let card = Known::of(&issue("after"));
    assert_eq!(card.cvv2.len(), 3, "the next card has a code");
    let heard = String::from_utf8_lossy(&desk.platform.heard.all()).to_uppercase();
    let secret = crate::issuer::test_keys();
    for key in [&secret.card_values, &secret.card_codes, &secret.pin_values] {
        let digits = key.digits().to_uppercase();
        assert!(!heard.contains(&digits[..16]), "a key's value was told");
    }

    // Who makes its cards has to be in the configuration.
    seen = changed.header("etag").expect("a version").to_owned();
    let elsewhere = json!({ "name": "Gold Card", "processor": "elsewhere" });
    let refused = desk.puts(&desk.mia, &path, Some(&seen), &elsewhere);
    assert_eq!(refused.refused(), (409, "CONFLICT".into()));
    // Numbers, currency and funding are no members of a change.
    for member in ["bins", "currency", "poolId", "partnerId"] {
        let mut to = json!({ "name": "Gold Card" });
        to[member] = made.json()[member].clone();
        let refused = desk.puts(&desk.mia, &path, Some(&seen), &to);
        assert_eq!(refused.refused(), (400, "INVALID_REQUEST".into()), "{member}");
    }
    // Its keys stay where they are not said; what else is not said is no more.
    let to = json!({ "name": "Gold Card" });
    let bare = desk.puts(&desk.mia, &path, Some(&seen), &to).done(200).json();
    assert_eq!(bare["keys"].as_array().map(Vec::len), Some(4));
    assert_eq!(bare["configurationId"], partner.programme.to_string());
    desk.platform.close().await;
}

// covers: SR-263
#[tokio::test(flavor = "multi_thread")]
async fn limits_of_a_programme_are_set_at_the_panel_and_are_met_by_the_next_purchase() {
    let desk = Desk::start(Vec::new()).await;
    let acme = desk.partner("Acme");
    let made = desk.programme("gold", &acme.wanted("Gold", "99999931", 16)).done(201);
    let partner = acme.with(&made);
    let (_, account) = somebody(&partner, "u-1");
    let (_, pan) = desk.platform.card_for(&account).await;
    let path = format!("{PROGRAMMES}/{}/controls", partner.programme);
    let limit = |most: &str| json!({ "name": "one", "rule": "AMOUNT", "amount": euros(most) });
    assert_eq!(desk.platform.buys(&pan, 1, 1_000).await, "00");
    let set = desk.mia.post(&path, "limit", &limit("5.00")).done(201);
    let one = set.header("location").expect("a place").to_owned();
    assert_eq!(desk.mia.get(&path).done(200).json()["controls"][0]["name"], "one");
    assert_ne!(desk.platform.buys(&pan, 2, 1_000).await, "00");
    desk.mia.send("PUT", &one, &[], Some(&limit("10.00"))).done(200);
    assert_eq!(desk.platform.buys(&pan, 3, 1_000).await, "00");
    assert_ne!(desk.platform.buys(&pan, 4, 1_001).await, "00");
    desk.mia.send("DELETE", &one, &[], None).done(204);
    assert_eq!(desk.platform.buys(&pan, 5, 1_001).await, "00");
    desk.platform.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_cut_off_is_made_once_and_there_are_as_many_as_the_configuration_says() {
    let limits = [
        ("CARDSWITCH_API__PROGRAMMES__PARTNERS", "1"),
        ("CARDSWITCH_API__PROGRAMMES__OF_PARTNER", "1"),
        ("CARDSWITCH_API__PROGRAMMES__CHANGES", "2"),
    ];
    let desk = Desk::start(limits.map(|(name, value)| (name, value.to_owned())).into()).await;
    let acme = desk.partner("Acme");
    let gold = acme.wanted("Gold", "99999931", 16);
    let made = desk.programme("gold", &gold).done(201);
    // As if it had ended between the shard's record and its own rows, and was asked again.
    let cut = "DELETE FROM idempotent_answer; DELETE FROM programme_profile; \
               DELETE FROM setup_change WHERE subject = 'PROGRAMME'";
    desk.platform.sql(cut).await;
    let again = desk.programme("gold", &gold).done(201);
    assert_eq!(again.json()["programmeId"], made.json()["programmeId"]);
    let all = desk.mia.get(PROGRAMMES).done(200).json();
    assert_eq!(all["items"].as_array().map(Vec::len), Some(1));
    let path = format!("{PROGRAMMES}/{}", made.json()["programmeId"]);
    let changes = || desk.mia.get(&format!("{path}/changes")).done(200).json()["items"].clone();
    assert_eq!(changes().as_array().map(Vec::len), Some(1));

    let more = desk.programme("silver", &acme.wanted("Silver", "99999932", 16));
    assert_eq!(more.refused(), (409, "EXHAUSTED".into()));
    let more = desk.mia.post(PARTNERS, "another", &json!({ "name": "Another" }));
    assert_eq!(more.refused(), (409, "EXHAUSTED".into()));
    let again = desk.mia.post(PARTNERS, "make Acme", &json!({ "name": "Acme" })).done(201);
    assert_eq!(again.json()["partnerId"], acme.id);

    // Of changes the latest are kept.
    for name in ["First", "Second", "Third"] {
        let to = json!({ "name": name });
        desk.puts(&desk.mia, &path, Some(&desk.version(&path)), &to).done(200);
    }
    let kept: Vec<_> = changes().as_array().expect("changes").clone();
    let kept: Vec<_> = kept.iter().map(|change| change["after"]["name"].clone()).collect();
    assert_eq!(kept, ["Third", "Second"]);
    desk.platform.close().await;
}

// covers: SR-263
#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_shows_and_changes_the_same() {
    let desk = Desk::start(Vec::new()).await;
    let acme = desk.partner("Acme");
    let made = desk.programme("gold", &acme.wanted("Gold", "99999931", 16)).done(201);
    let (partner, programme) =
        (acme.id.to_string(), made.json()["programmeId"].as_i64().expect("a number").to_string());
    let command = |words: &[&str]| desk.platform.served.command(words);
    let renamed = command(&["partner", "rename", &partner, "--name", "Apex"]).expect("renamed");
    assert_eq!((&renamed["partner"], &renamed["name"]), (&acme.id.into(), &"Apex".into()));
    assert_eq!(command(&["partner", "show", &partner]).expect("shown")["kycMode"], "own");
    assert_eq!(command(&["partner", "list"]).expect("a list")[0]["name"], "Apex");
    let set = ["programme", "set", "--programme", &programme, "--terminal", "T-7"];
    let set = [&set[..], &["--configuration-id", "gold", "--home-country", "AT"]].concat();
    command(&set).expect("set");
    let unset = ["programme", "set", "--programme", &programme, "--terminal", ""];
    let shown = command(&[&unset[..], &["--name", "Gold Card"]].concat()).expect("set");
    assert_eq!(shown, command(&["programme", "show", &programme]).expect("shown"));
    let of_partner = command(&["programme", "list", "--partner", &partner]).expect("a list");
    assert_eq!(of_partner, json!([shown]));
    let path = format!("{PROGRAMMES}/{programme}");
    let seen = desk.mia.get(&path).done(200).json();
    assert_eq!((&seen["name"], &seen["configurationId"]), (&"Gold Card".into(), &"gold".into()));
    assert_eq!((&seen["homeCountry"], &seen["terminal"]), (&"AT".into(), &Value::Null));
    let changes = desk.mia.get(&format!("{path}/changes")).done(200).json();
    assert!(changes["items"][0]["changedBy"].as_str().expect("a name").starts_with("uid:"));
    for (words, code) in [
        (vec!["programme", "show", "777"], "NOT_FOUND"),
        (vec!["partner", "rename", "777", "--name", "Nobody"], "NOT_FOUND"),
        (vec!["programme", "set", "--programme", &programme, "--home-country", "XX"], "INVALID"),
    ] {
        let refused = command(&words).expect_err("refused");
        assert!(refused.contains(code), "{refused}");
    }
    desk.platform.close().await;
}

/// An answer that was lost is given again as things are by then: what was changed since stays.
// covers: SR-263
#[tokio::test(flavor = "multi_thread")]
async fn asked_again_long_after_nothing_that_was_changed_since_is_undone() {
    let desk = Desk::start(Vec::new()).await;
    let acme = desk.partner("Acme");
    let mut gold = acme.wanted("Gold", "99999931", 16);
    gold["configurationId"] = "gold".into();
    let made = desk.programme("gold", &gold).done(201);
    let partner = acme.with(&made);
    let (of_partner, of_programme) =
        (format!("{PARTNERS}/{}", acme.id), format!("{PROGRAMMES}/{}", partner.programme));
    // An account that is opened by the configuration id, and an order of a card.
    let open = json!({ "dcCorporationId": uuid::Uuid::new_v4(), "configurationId": "a\u{0}" });
    let refused = acme.client.post("/secure/balances", "no name", &open);
    assert!(matches!(refused.status, 400 | 404), "{refused:?}");
    let (customer, account) = somebody(&partner, "u-1");
    let cards = format!("/secure/customers/{customer}/cards/virtual");
    let card = json!({ "balanceId": account, "configurationId": "gold" });
    let ordered =
        desk.reader.opens(&desk.reader.post(&acme.client, &cards, "card", &card).done(201));

    let seen = desk.version(&of_partner);
    let suspended = json!({ "name": "Acme Cards", "state": "SUSPENDED" });
    desk.puts(&desk.ada, &of_partner, Some(&seen), &suspended).done(200);
    let keys = json!({ "cvk": "cvk", "cvk2": ["cvk2"] });
    let to = json!({ "name": "Gold 2", "configurationId": "gold-2", "keys": keys });
    let seen = desk.version(&of_programme);
    let changed = desk.puts(&desk.mia, &of_programme, Some(&seen), &to).done(200).json();
    // A key that the terms need by now stays; who makes the cards does where it is not said.
    let fewer = json!({ "name": "Gold 2", "configurationId": "gold-2", "keys": { "cvk": "cvk" } });
    let seen = desk.version(&of_programme);
    let refused = desk.puts(&desk.mia, &of_programme, Some(&seen), &fewer);
    assert_eq!((refused.refused().0, &refused.json()["field"]), (400, &"keys.cvk2".into()));

    desk.platform.sql("DELETE FROM idempotent_answer").await;
    let wanted = json!({ "name": "Acme" });
    let again = desk.mia.post(PARTNERS, "make Acme", &wanted).done(201).json();
    assert_eq!(again["partnerId"], acme.id);
    assert_eq!((&again["name"], &again["state"]), (&"Acme Cards".into(), &"SUSPENDED".into()));
    let again = desk.programme("gold", &gold).done(201).json();
    assert_eq!(again["programmeId"], partner.programme);
    assert_eq!((&again["name"], &again["keys"]), (&changed["name"], &changed["keys"]));
    for path in [&of_partner, &of_programme] {
        let noted = desk.mia.get(&format!("{path}/changes")).done(200).json();
        let made = noted["items"].as_array().expect("items").iter();
        assert_eq!(made.filter(|one| one["before"].is_null()).count(), 1, "{noted}");
    }
    let same = desk.reader.opens(&desk.reader.post(&acme.client, &cards, "card", &card).done(201));
    assert_eq!(same["card"]["cardId"], ordered["card"]["cardId"]);

    // Many readers at once wait for connections, and not for each other.
    let readers = (0..24).map(|_| {
        let client = acme.client.clone();
        std::thread::spawn(move || {
            (0..5).all(|_| {
                ["/secure/programmes", "/secure/partner"]
                    .iter()
                    .all(|path| client.get(path).status == 200)
            })
        })
    });
    let readers: Vec<_> = readers.collect();
    assert!(readers.into_iter().all(|one| one.join().expect("a reader")));
    desk.platform.close().await;
}
