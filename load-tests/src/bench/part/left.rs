//! What a bench leaves behind: the switch stopped, and its books audited by a process of their own,
//! as an operator would after such a day. A finding is a bound that was missed.

use anyhow::{Result, bail};

use super::switch::Stage;
use crate::bench::arguments::Arguments;
use crate::bench::bounds::Bound;
use crate::bench::report::Report;
use crate::bench::subject::switch::Starting;

/// Messages up to which what they left is audited. Nothing is cleared in a bench, and an audit
/// holds every open authorization twice, from the tables and from the journal: about a gigabyte a
/// million.
const MOST: u64 = 4_000_000;

/// Stops the switch, and says what an audit finds.
///
/// # Errors
/// The switch does not stop, or there is no audit.
pub(crate) fn stop_and_audit(
    arguments: &Arguments,
    stage: Stage,
    report: &mut Report,
) -> Result<Vec<Bound>> {
    stage.switch.stop()?;
    if stage.next > MOST {
        println!(
            "not audited: {} messages left more open authorizations than an audit holds here \
             ({MOST}); a shorter run is (--quick)",
            stage.next
        );
        return Ok(Vec::new());
    }
    let starting = Starting {
        binary: arguments.switch.as_deref(),
        directory: &arguments.dir.join("switch"),
        database: &stage.database,
        settings: &[],
        take_over: false,
    };
    let audit = starting.audit()?;
    if audit.records == 0 {
        bail!("the audit found no journal: {:?}", audit.findings);
    }
    println!(
        "audit: books {}, {} records replayed, {} authorizations open",
        audit.books, audit.records, audit.open_authorizations
    );
    audit.findings.iter().for_each(|finding| println!("  {finding}"));
    report.set("audit", &audit)?;
    let findings = audit.findings.len() as f64 + 1.0;
    Ok(vec![Bound::at_most("findings of the audit (and one)", findings, 1.0)])
}
