//! An invoice as people take it: CSV for programs, and a page to be printed. It owns both forms;
//! the page has no script, asks for nothing from anywhere, and every text in it is escaped.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use switch_domain::{Amount, Taken};

use super::{Invoice, InvoiceLine};
use crate::operation::decimal;
use crate::service::csv::Csv;

const COLUMNS: [&str; 10] = [
    "partner",
    "month",
    "programme",
    "programme name",
    "event",
    "taken",
    "charged",
    "given back",
    "amount",
    "currency",
];

/// How the page looks, on paper as well.
const STYLE: &str = "\
body{font-family:sans-serif;margin:2em;color:#000;background:#fff}\
table{border-collapse:collapse;margin:1em 0}\
th,td{border-bottom:1px solid #999;padding:.3em .8em;text-align:left}\
td.n,th.n{text-align:right}\
@media print{body{margin:0}thead{display:table-header-group}tr{break-inside:avoid}}";

const fn words(taken: Taken) -> &'static str {
    match taken {
        Taken::AtOnce => "at once",
        Taken::Invoiced => "invoiced",
    }
}

fn major(amount: Amount) -> String {
    decimal(amount.minor, amount.currency)
}

impl Invoice {
    /// For programs: a line for each programme, kind and way of taking, without totals.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut csv = Csv::with_columns(&COLUMNS);
        for line in &self.lines {
            csv.line(&[
                self.partner.0.to_string(),
                self.month.name(),
                line.programme.0.to_string(),
                line.programme_name.clone(),
                line.event.clone(),
                words(line.taken).to_owned(),
                line.charged.to_string(),
                line.given_back.to_string(),
                major(line.amount),
                line.amount.currency.to_string(),
            ]);
        }
        csv.text()
    }

    /// To be printed.
    #[must_use]
    pub fn html(&self) -> String {
        let (month, name) = (self.month.name(), escaped(&self.partner_name));
        let made = jiff::Timestamp::from_microsecond(self.made.0);
        let made = made.map(|at| at.strftime("%Y-%m-%d %H:%M UTC").to_string());
        let so_far = if self.is_whole { "" } else { "<p>The month is not over.</p>" };
        let lines: String = self.lines.iter().map(row).collect();
        let totals: String = [Taken::AtOnce, Taken::Invoiced]
            .into_iter()
            .flat_map(|taken| self.totals(taken).into_iter().map(move |sum| total(taken, sum)))
            .collect();
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <title>Fees {month}, {name}</title><style>{STYLE}</style></head>\n<body>\
             <h1>Fees {month}</h1><p>{name} (partner {})</p>{so_far}\n\
             <table><thead><tr><th>Programme</th><th>Fee</th><th>Taken</th>\
             <th class=\"n\">Charged</th><th class=\"n\">Given back</th><th class=\"n\">Amount</th>\
             </tr></thead>\n<tbody>\n{lines}</tbody></table>\n\
             <h2>In all</h2>\n<table><tbody>\n{totals}</tbody></table>\n\
             <p>What was taken at once came out of the accounts; what is invoiced is the \
             partner&#39;s to pay.</p><p>Made {}.</p></body></html>\n",
            self.partner.0,
            made.unwrap_or_default(),
        )
    }
}

/// What a browser may do with the page: show it in its own style, and nothing else.
#[must_use]
pub fn policy_of_page() -> String {
    let hash = STANDARD.encode(digest(&SHA256, STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; frame-ancestors 'none'; base-uri 'none'; \
         form-action 'none'"
    )
}

fn row(line: &InvoiceLine) -> String {
    format!(
        "<tr><td>{} ({})</td><td>{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>\
         <td class=\"n\">{} {}</td></tr>\n",
        escaped(&line.programme_name),
        line.programme.0,
        escaped(&line.event),
        words(line.taken),
        line.charged,
        line.given_back,
        major(line.amount),
        line.amount.currency,
    )
}

fn total(taken: Taken, sum: Amount) -> String {
    let (words, amount) = (words(taken), major(sum));
    format!("<tr><th>{words}</th><td class=\"n\">{amount} {}</td></tr>\n", sum.currency)
}

/// A text in a page.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use switch_domain::{Currency, MinorUnits, PartnerId, ProgrammeId, Timestamp};

    use super::*;
    use crate::service::fees::InvoiceMonth;

    fn invoice(partner: &str, programme: &str) -> Invoice {
        let currency = Currency::from_alphabetic("EUR").expect("a currency");
        let line = |taken, minor| InvoiceLine {
            programme: ProgrammeId(7),
            programme_name: programme.to_owned(),
            event: "card_monthly".to_owned(),
            taken,
            charged: 3,
            given_back: 1,
            amount: Amount { minor: MinorUnits(minor), currency },
        };
        Invoice {
            partner: PartnerId(1),
            partner_name: partner.to_owned(),
            month: InvoiceMonth::named("2026-11").expect("a month"),
            is_whole: false,
            made: Timestamp(1_795_780_800_000_000),
            lines: vec![line(Taken::AtOnce, 398), line(Taken::Invoiced, -199)],
        }
    }

    #[test]
    fn a_page_has_no_script_and_every_text_is_escaped() {
        let page = invoice("<script>alert(1)</script>", "\"Gold\" & 'Co'").html();
        assert!(!page.contains("<script") && page.contains("&lt;script&gt;"), "{page}");
        assert!(page.contains("&quot;Gold&quot; &amp; &#39;Co&#39; (7)"), "{page}");
        assert!(page.contains("<th>at once</th><td class=\"n\">3.98 EUR</td>"), "{page}");
        assert!(page.contains("<th>invoiced</th><td class=\"n\">-1.99 EUR</td>"), "{page}");
        assert!(page.contains("not over"), "{page}");
    }

    #[test]
    fn a_name_is_no_formula_in_the_table() {
        let table = invoice("Acme", "=1+1").csv();
        let lines: Vec<_> = table.split("\r\n").collect();
        assert_eq!(lines[1], "1,2026-11,7,\"'=1+1\",card_monthly,at once,3,1,3.98,EUR");
        assert_eq!(lines[2], "1,2026-11,7,\"'=1+1\",card_monthly,invoiced,3,1,-1.99,EUR");
    }
}
