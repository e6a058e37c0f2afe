//! The switch's own figures, read from its `/metrics`. Must be read seldom, for reading them is
//! work for the switch; and only under load, for some of them stand still without it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// Records that are in the journal and not in the tables, over all shards.
pub(crate) fn projection_lag(http: SocketAddr) -> Result<f64> {
    Ok(sum(&fetch(http)?, "cardswitch_projection_lag"))
}

fn fetch(http: SocketAddr) -> Result<String> {
    let mut stream = TcpStream::connect(http).context("connecting to /metrics")?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    match text.split_once("\r\n\r\n") {
        Some((head, _)) if head.starts_with("HTTP/1.1 200") => Ok(text),
        _ => bail!("/metrics did not answer 200"),
    }
}

/// The sum of a metric over its labels.
fn sum(text: &str, name: &str) -> f64 {
    let lines = text.lines().filter_map(|line| line.strip_prefix(name));
    let values = lines.filter(|rest| rest.starts_with(['{', ' ']));
    values.filter_map(|rest| rest.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_summed_over_its_labels() {
        let text =
            "# TYPE lag gauge\nlag{shard=\"0\"} 3\nlag{shard=\"1\"} 4.5\nlag_more 9\nlag 1\n";
        assert_eq!(sum(text, "lag"), 8.5);
        assert_eq!(sum(text, "none"), 0.0);
    }
}
