//! The results as people read them. Must show with every figure how far its runs were apart.

use super::measure::Series;
use super::statistics::Spread;

/// The head of the table of loads.
pub(crate) const HEAD: &str = "load                            per second [least-most]        \
    p50 ms   p99 ms p99.9 ms   cpu us/authorization: server  postgres generator   WAL B     lag \
    stolen %";

/// One line of it.
pub(crate) fn line(series: &Series) -> String {
    let Series { name, per_second, p50_ms, p99_ms, p999_ms, faults, .. } = series;
    let Spread { median, least, most, .. } = per_second;
    let faults = if faults.total() == 0 { String::new() } else { format!("  FAULTS: {faults}") };
    format!(
        "{name:30} {median:9.0} [{least:.0}-{most:.0}]{:pad$} {:8.2} {:8.2} {:8.2} {:28.1} {:9.1} \
         {:9.1} {:7.0} {:7.0} {:8.1}{faults}",
        "",
        p50_ms.median,
        p99_ms.median,
        p999_ms.median,
        series.cpu_us_subject.median,
        series.cpu_us_postgres.median,
        series.cpu_us_generator.median,
        series.wal_bytes.median,
        series.lag.most,
        series.stolen_percent.median,
        pad = 17usize.saturating_sub(format!("{least:.0}-{most:.0}").len()),
    )
}

/// A line with a rate alone.
pub(crate) fn plain_line(name: &str, per_second: &Spread) -> String {
    let Spread { median, least, most, .. } = per_second;
    format!("{name:30} {median:9.0} [{least:.0}-{most:.0}]")
}
