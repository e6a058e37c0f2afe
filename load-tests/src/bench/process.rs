//! What processes cost, read from the system's own account of them (`/proc`). Must count a process
//! with everything that it started, and what has ended meanwhile.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// The system counts processor time in hundredths of a second for readers of `/proc`, always.
const TICK: Duration = Duration::from_millis(10);
/// A page of memory on the machines that this runs on.
const PAGE_BYTES: u64 = 4096;

/// Processor time of a process and all its descendants, ended ones that were waited for included.
pub(crate) fn cpu_of_tree(root: u32) -> Result<Duration> {
    let mut all = Vec::new();
    for entry in fs::read_dir("/proc").context("reading /proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // One that has just ended is in its parent's account.
        if let Some(line) = read_stat(pid) {
            all.push((pid, line));
        }
    }
    let mut tree = vec![root];
    let mut next = 0;
    while let Some(parent) = tree.get(next).copied() {
        tree.extend(all.iter().filter(|(_, line)| line.parent == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    let ticks = all.iter().filter(|(pid, _)| tree.contains(pid)).map(|(_, line)| line.ticks).sum();
    Ok(of_ticks(ticks))
}

/// The process that started this one.
pub(crate) fn parent_of(pid: u32) -> Result<u32> {
    Ok(read_stat(pid).with_context(|| format!("process {pid} is gone"))?.parent)
}

/// Memory that a process holds, in bytes.
pub(crate) fn resident_bytes(pid: u32) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/statm")).context("reading statm")?;
    let pages: u64 = text.split_whitespace().nth(1).context("statm is short")?.parse()?;
    Ok(pages * PAGE_BYTES)
}

/// Time that the processors were wanted here and given to other machines on the same host.
pub(crate) fn stolen() -> Duration {
    of_ticks(parse_stolen(&fs::read_to_string("/proc/stat").unwrap_or_default()).unwrap_or(0))
}

/// The eighth figure of the first line, which is of all processors.
fn parse_stolen(stat: &str) -> Option<u32> {
    stat.lines().next()?.split_whitespace().nth(8)?.parse().ok()
}

/// Processor time of the calling thread so far.
pub(crate) fn cpu_of_this_thread() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split_whitespace().next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or_default())
}

struct StatLine {
    parent: u32,
    /// In user mode and in the kernel, its own and that of children that were waited for.
    ticks: u32,
}

fn read_stat(pid: u32) -> Option<StatLine> {
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The name in the second field may hold anything, blanks and brackets too: fields are counted from
/// its last bracket.
fn parse_stat(line: &str) -> Option<StatLine> {
    let (_, rest) = line.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u32>().ok();
    let ticks = [11, 12, 13, 14].into_iter().map(number).sum::<Option<u32>>()?;
    Some(StatLine { parent: number(1)?, ticks })
}

fn of_ticks(ticks: u32) -> Duration {
    TICK * ticks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_counted_from_the_end_of_the_name() {
        let line = "71 (a (b) c) S 12 71 71 0 -1 4194560 1 2 3 4 100 20 3 4 20 0 1 0 5 6 7";
        let parsed = parse_stat(line).unwrap();
        assert_eq!((parsed.parent, parsed.ticks), (12, 127));
        assert!(parse_stat("71 (cut) S 12 71").is_none());
        assert_eq!(of_ticks(127), Duration::from_millis(1270));
    }

    #[test]
    fn stolen_time_is_of_all_processors() {
        let stat = "cpu  10 20 30 40 50 60 70 80 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\n";
        assert_eq!(parse_stolen(stat), Some(80));
        assert_eq!(parse_stolen("cpu 1 2"), None);
    }

    #[test]
    fn this_process_is_known_and_has_a_parent() {
        let own = std::process::id();
        assert!(parent_of(own).unwrap() > 0);
        assert!(resident_bytes(own).unwrap() > 0);
        assert!(cpu_of_tree(own).is_ok());
    }
}
