//! `report.json`: the figures that others read, with everything behind them, the machine and the
//! date. Must hold a figure only if it was measured in this run.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// A report in the making.
pub(crate) struct Report(Map<String, Value>);

impl Report {
    /// With the machine, the date and PostgreSQL's settings.
    pub(crate) fn new(settings: &[(String, String)]) -> Report {
        let settings: Map<String, Value> =
            settings.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
        let mut report = Map::new();
        report.insert("date".into(), jiff::Timestamp::now().to_string().into());
        report.insert("machine".into(), machine());
        report.insert("postgres_settings".into(), settings.into());
        Report(report)
    }

    /// One more member.
    pub(crate) fn set(&mut self, name: &str, value: impl Serialize) -> Result<()> {
        self.0.insert(name.to_owned(), serde_json::to_value(value)?);
        Ok(())
    }

    /// Writes it.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        fs::write(path, serde_json::to_string_pretty(&self.0)? + "\n")
            .with_context(|| format!("writing {}", path.display()))
    }

    /// The machine, the date and the load that others put on it, in one line.
    pub(crate) fn machine_line(&self) -> String {
        let machine = &self.0["machine"];
        let text = |name: &str| machine[name].as_str().unwrap_or("?").to_owned();
        let (processor, memory) = (text("processor"), &machine["memory_gib"]);
        format!(
            "{} x {processor}, {memory} GiB, {}, load average {}, {}",
            machine["processors"],
            text("kernel"),
            text("load_average"),
            self.0["date"].as_str().unwrap_or("?")
        )
    }
}

fn machine() -> Value {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let after = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        let value = line.and_then(|line| line.split_once(':'));
        value.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let kib = after(&read("/proc/meminfo"), "MemTotal");
    let kib: u64 = kib.trim_end_matches(" kB").parse().unwrap_or_default();
    let loads = read("/proc/loadavg");
    json!({
        "processors": std::thread::available_parallelism().map_or(0, usize::from),
        "processor": after(&read("/proc/cpuinfo"), "model name"),
        "memory_gib": kib / (1024 * 1024),
        "kernel": format!("Linux {}", read("/proc/sys/kernel/osrelease").trim()),
        "load_average": loads.split(' ').next().unwrap_or_default(),
    })
}
