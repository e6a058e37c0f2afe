//! Partial approval over real links, in every shipped dialect, from a real database: the approved
//! amount and the one that was asked for where the edition has them, the acquirer's fee, a repeat
//! before and after a restart, and what is given back.

use codecs::framing::{Framing, LengthHeader};
use codecs::iso8583::{Dialect, Version};
use switch_domain::MinorUnits;
use switch_server::config::Link;
use switch_store::private_postgres::DatabaseUrl;

use crate::speaker::{Draft, Said, Speaker, Value};
use crate::stage::{Issued, Stage, key, text};

fn framing() -> Framing {
    Framing::new(LengthHeader::Binary2)
}

/// One link for each dialect; a partner that approves in part from 5.00 on.
async fn stage() -> (Stage, Issued) {
    let stage = Stage::configured(|config| {
        config.links.clear();
        for (id, dialect) in (1..).zip(Dialect::shipped_names()) {
            let (dialect, framing) = (dialect.to_owned(), framing());
            let mut link = Link { id, dialect: dialect.clone(), framing, ..Link::default() };
            link.listen = Some(([127, 0, 0, 1], 0).into());
            config.links.insert(dialect, link);
        }
    })
    .await;
    let issued = stage.issue(10_000_000, 4_000).await;
    let control = stage.services().node().control();
    let (partner, currency) = {
        let programme = control.programmes.values().next().expect("a programme");
        (programme.partner, programme.currency)
    };
    stage
        .services()
        .set_partial_minimum(key("minimum"), text("test"), partner, currency, Some(MinorUnits(500)))
        .await
        .expect("a minimum");
    (stage, issued)
}

async fn speaker(stage: &Stage, name: &str) -> Speaker {
    let links = &stage.app.addresses().links;
    let (_, address) = links.iter().find(|(link, _)| link == name).expect("a link");
    Speaker::connect(*address, Dialect::shipped(name).expect("shipped"), framing()).await
}

/// What the terminal of a purchase says that can go on with less.
fn capable(name: &str) -> (u8, Value) {
    let (field, said) = match name {
        "base1-like" => (60, "000000000001"),
        "mip-like" => (48, "R610510000"),
        _ => (63, "PARTIAL"),
    };
    (field, Value::Text(said.to_owned()))
}

/// A fee of 1.50 from the cardholder.
fn fee(speaker: &Speaker) -> (u8, Value) {
    let (field, said) = match speaker.version() {
        Version::V1987 => (28, "D00000150"),
        Version::V1993 => (46, "00978D0000015000000000D00000000978"),
        Version::V2003 => (46, "009782D00000150000000009782D00000000"),
    };
    (field, Value::Text(said.to_owned()))
}

/// Action code, amount, and where the edition has it the amount that was asked for, in cents.
fn told(speaker: &Speaker, said: &Said) -> (String, i64, Option<i64>) {
    let cents = |text: String| text[text.len() - 12..].parse::<i64>().expect("digits");
    let amount = speaker.text(said, 4).map(cents).expect("the amount is echoed or replaced");
    let asked = match speaker.version() {
        Version::V1987 => {
            let amounts = Some(said.amounts.clone()).filter(|amounts| !amounts.is_empty());
            amounts.inspect(|amounts| assert!(amounts.starts_with("0057978C"))).map(cents)
        }
        Version::V1993 => speaker.text(said, 30).map(|text| cents(text[..12].to_owned())),
        Version::V2003 => speaker.text(said, 30).map(|text| cents(text[..16].to_owned())),
    };
    (said.action.clone(), amount, asked)
}

const APPROVED: usize = 0;
const IN_PART: usize = 1;
const SHORT: usize = 2;

fn code(speaker: &Speaker, what: usize) -> String {
    let codes = match speaker.version() {
        Version::V1987 => ["00", "10", "51"],
        Version::V1993 => ["000", "002", "116"],
        Version::V2003 => ["0000", "0002", "1016"],
    };
    codes[what].to_owned()
}

async fn held(stage: &Stage, issued: &Issued) -> (i64, i64) {
    let balance = stage.services().node().balance(issued.balance).await.expect("it is there");
    let pool = stage.services().node().pool(issued.pool).await;
    (balance.held.0, pool.held.0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_is_approved_in_every_dialect() {
    let (mut stage, issued) = stage().await;
    let pan = &issued.pan;
    let mut answers: Vec<(&str, Draft, Said)> = Vec::new();
    for (number, name) in (1_u32..).zip(Dialect::shipped_names()) {
        let mut speaker = speaker(&stage, name).await;
        let stan = number * 100;
        let wanted = |what, amount, asked| (code(&speaker, what), amount, asked);
        let (whole, short) = (wanted(APPROVED, 1_000, None), wanted(SHORT, 10_000, None));
        let (part, cut) =
            (wanted(IN_PART, 4_000, Some(10_000)), wanted(IN_PART, 3_850, Some(10_000)));
        // The networks whose amount has the fee in it answer with that.
        let cut = if matches!(name, "base1-like" | "mip-like") { part.clone() } else { cut };

        let draft = speaker.purchase(pan, stan, 10_000);
        let said = speaker.ask("100", &draft).await;
        assert_eq!(told(&speaker, &said), short, "{name}: the terminal says nothing");
        let with = |mut draft: Draft, more: &[(u8, Value)]| {
            draft.extend(more.iter().cloned());
            draft
        };
        let draft = with(speaker.purchase(pan, stan + 1, 10_000), &[capable(name)]);
        let said = speaker.ask("100", &draft).await;
        assert_eq!(told(&speaker, &said), part, "{name}");
        assert!(!said.approval.is_empty(), "{name}");
        let again = speaker.ask("101", &draft).await;
        assert_eq!(again.body, said.body, "{name}: a repeat");
        assert_eq!(held(&stage, &issued).await, (4_000, 4_000), "{name}");
        // A whole reversal, by the amount that was asked for, or by the one that was approved.
        let original = [10_000, 4_000][stan as usize / 100 % 2];
        let reversal = speaker.reversal(pan, stan + 2, stan + 1, original);
        speaker.ask("400", &reversal).await;
        assert_eq!(held(&stage, &issued).await, (0, 0), "{name}");

        let terms = [capable(name), fee(&speaker)];
        let draft = with(speaker.purchase(pan, stan + 3, 10_000), &terms);
        let said = speaker.ask("100", &draft).await;
        assert_eq!(told(&speaker, &said), cut, "{name}: with the fee");
        assert_eq!(held(&stage, &issued).await, (4_000, 4_000), "{name}");
        answers.push((name, draft, said));
        speaker.ask("400", &speaker.reversal(pan, stan + 4, stan + 3, 10_000)).await;
        let draft = with(speaker.purchase(pan, stan + 5, 1_000), &terms[..1]);
        let said = speaker.ask("100", &draft).await;
        assert_eq!(told(&speaker, &said), whole, "{name}: all is there");
        speaker.ask("400", &speaker.reversal(pan, stan + 6, stan + 5, 1_000)).await;
        assert_eq!(held(&stage, &issued).await, (0, 0), "{name}");
    }
    stage = stage.restart().await;
    for (name, draft, said) in &answers {
        let mut speaker = speaker(&stage, name).await;
        let again = speaker.ask("101", draft).await;
        assert_eq!(again.body, said.body, "{name}: a repeat after a restart");
    }
    stage.end().await;
}

/// What a peer is asked to pay and what its books say: settled in part, summed up by field 4.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_settled_in_part_stands_in_the_tables() {
    let (stage, issued) = stage().await;
    for (stan, name) in [(10, "iso87-ascii"), (20, "iso93-binary"), (30, "iso2003-binary")] {
        let mut speaker = speaker(&stage, name).await;
        let mut draft = speaker.financial(&issued.pan, stan, 10_000, "000000");
        draft.extend([capable(name), fee(&speaker)]);
        let said = speaker.ask("200", &draft).await;
        let wanted = (code(&speaker, IN_PART), 3_850, Some(10_000));
        assert_eq!(told(&speaker, &said), wanted, "{name}");
        speaker.ask("400", &speaker.refunded(&issued.pan, stan + 1, stan, 10_000)).await;
    }
    let balance = stage.services().node().balance(issued.balance).await.expect("it is there");
    assert_eq!((balance.ledger, balance.held), (MinorUnits(4_000), MinorUnits(0)));
    let stage = stage.restart().await;
    let url = DatabaseUrl::parse(stage.database.url().expose()).expect("a URL");
    let pool = sqlx::PgPool::connect_with(url.connect_options()).await.expect("connected");
    let all = "SELECT requested, approved, fee, reason FROM card_authorization ORDER BY id";
    let rows: Vec<(i64, Option<i64>, Option<i64>, String)> =
        sqlx::query_as(all).fetch_all(&pool).await.expect("rows");
    pool.close().await;
    let row = (10_000, Some(3_850), Some(150), "approved_partially".to_owned());
    assert_eq!(rows, [row.clone(), row.clone(), row]);
    stage.end().await;
}
