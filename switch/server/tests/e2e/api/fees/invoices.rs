//! What a month comes to: as a table, as a page, and in the ledger.

use serde_json::json;

use super::{Rig, handle, month_on};

/// This month's name.
fn this_month() -> String {
    month_on(0)[..7].to_owned()
}

// covers: SR-240, SR-242
#[tokio::test(flavor = "multi_thread")]
async fn a_months_invoice_comes_to_what_accounts_were_charged_and_the_ledger_has() {
    let rig = Rig::start().await;
    let id = rig.acme.programme.to_string();
    let rename = ["programme", "set", "--programme", &id, "--name", "=1+1 <b>"];
    rig.platform.served.command(&rename).expect("renamed");
    rig.charges(&json!([
        { "event": "account_created", "fixed": "4.90", "taken": "INVOICED" },
        { "event": "card_monthly", "fixed": "1.99", "taken": "AT_ONCE" }
    ]));
    for number in 1..=3 {
        let (_, account) = rig.somebody(&format!("u-{number}"));
        rig.tops_up(&account, "10.00", &format!("first {number}"));
        rig.platform.card_for(handle(&account)).await;
    }
    rig.until("card", 3).await;
    rig.runs(&month_on(1));
    rig.until("fee_owed", 0).await;
    rig.until("fees_charged", 6).await;
    let month = this_month();
    let (partner, programme) = (&rig.acme.id, rig.acme.programme);
    let line = |event: &str, taken: &str, amount: &str| {
        let name = "\"'=1+1 <b>\"";
        format!("{partner},{month},{programme},{name},{event},{taken},3,0,{amount},EUR\r\n")
    };
    let columns = "partner,month,programme,programme name,event,taken,charged,given back,amount,\
                   currency\r\n";
    let expected = format!(
        "{columns}{}{}",
        line("card_monthly", "at once", "5.97"),
        line("account_created", "invoiced", "14.70")
    );
    let own = rig.acme.client.get(&format!("/secure/invoices/{month}.csv")).done(200);
    assert_eq!(own.text, expected);
    assert_eq!(own.header("content-type"), Some("text/csv; charset=utf-8"));
    assert!(own.header("content-disposition").is_some_and(|one| one.starts_with("attachment")));
    let path = format!("/admin/partners/{partner}/invoices/{month}");
    assert_eq!(rig.eve.get(&format!("{path}.csv")).done(200).text, expected);
    // What was taken at once is what the ledger has.
    let income = "SELECT sum(amount)::int8 FROM posting WHERE account = 'fee_income'";
    assert_eq!(rig.platform.count(income).await, 597);
    let charged = "SELECT sum(amount)::int8 FROM fees_charged";
    assert_eq!(rig.platform.count(charged).await, 597 + 1_470);

    let page = rig.eve.get(&format!("{path}.html")).done(200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(page.text.contains("=1+1 &lt;b&gt;") && !page.text.contains("<b>"), "{}", page.text);
    assert!(!page.text.contains("<script"), "{}", page.text);
    assert!(page.text.contains("5.97 EUR") && page.text.contains("14.70 EUR"));
    assert!(page.text.contains("The month is not over"));

    // By command the same.
    let command = ["fees", "invoice", partner, &month, "--csv"];
    let output = crate::stage::cardswitch(rig.platform.directory.path())
        .args(command)
        .env("CARDSWITCH_CONTROL__SOCKET", &rig.platform.served.socket)
        .output()
        .expect("it ends");
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);

    // Nobody has another's, and what is none is not there.
    let other = rig.platform.partner("Other", "99999913");
    let theirs = other.client.get(&format!("/secure/invoices/{month}.csv")).done(200);
    assert_eq!(theirs.text, columns);
    for wrong in ["2026-13.csv", "2026-1.csv", "2026-11.pdf", "2026-11", "9999-11.csv"] {
        let refused = rig.acme.client.get(&format!("/secure/invoices/{wrong}"));
        assert_eq!(refused.refused(), (404, "NOT_FOUND".into()), "{wrong}");
    }
    let nobody = rig.eve.get(&format!("/admin/partners/777/invoices/{month}.csv"));
    assert_eq!(nobody.refused(), (404, "NOT_FOUND".into()));
    rig.platform.close().await;
}
