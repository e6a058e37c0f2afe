//! What a run of all tokens leaves in the log and in the metrics: the stage at which each ended,
//! one line of one shape for every failure of decryption, and nothing that was in a token (J-03,
//! J-08).

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use admin_api::jwe::{Jwe, OpenPolicy, PoolSettings, RsaPool};
use metrics_exporter_prometheus::PrometheusBuilder;
use tracing::Level;
use tracing_subscriber::fmt::MakeWriter;

use crate::stage::{NOW, fresh_keys, parts};
use crate::vectors::all;

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn take(&self) -> String {
        let bytes = std::mem::take(&mut *self.0.lock().expect("no panic"));
        String::from_utf8(bytes).expect("text")
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Opens every token as an endpoint does; what was logged of each, and the metrics at the end.
fn run() -> (Vec<(&'static str, String)>, String) {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(Level::TRACE)
        .with_writer(log.clone())
        .with_ansi(false)
        .without_time()
        .finish();
    let recorder = PrometheusBuilder::new().build_recorder();
    let logged = tracing::subscriber::with_default(subscriber, || {
        metrics::with_local_recorder(&recorder, || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("made");
            runtime.block_on(async {
                let jwe = Jwe::new(fresh_keys(), RsaPool::new(PoolSettings::default()));
                let mut logged = Vec::new();
                for vector in all() {
                    drop(jwe.open(vector.token, &OpenPolicy::default(), NOW).await);
                    logged.push((vector.stage, log.take()));
                }
                logged
            })
        })
    });
    (logged, recorder.handle().render())
}

#[test]
fn log_and_metrics_tell_the_stage_and_nothing_of_a_token() {
    let (logged, metrics) = run();
    let mut shapes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (stage, line) in &logged {
        let shapes = shapes.entry(stage).or_default();
        if !shapes.contains(&line.as_str()) {
            shapes.push(line);
        }
    }
    assert_eq!(shapes["decrypt"].len(), 1, "one line for every cause: {shapes:?}");
    assert_eq!(shapes["decrypt"][0].lines().count(), 1);
    assert_eq!(shapes[""], [""], "what opens is not logged");
    print!("{}", shapes["decrypt"][0]);

    for (name, count) in [
        ("opened_total", 31),
        ("refused_total{stage=\"size\"}", 2),
        ("refused_total{stage=\"structure\"}", 14),
        ("refused_total{stage=\"header\"}", 46),
        ("refused_total{stage=\"key\"}", 3),
        ("refused_total{stage=\"decrypt\"}", 31),
        ("refused_total{stage=\"payload\"}", 23),
    ] {
        let line = format!("cardswitch_jwe_{name} {count}");
        assert!(metrics.lines().any(|one| one == line), "{line} in {metrics}");
        println!("{line}");
    }

    let outputs: String = logged.iter().map(|(_, line)| line.as_str()).chain([&*metrics]).collect();
    let mut looked_for = 0;
    for vector in all() {
        let plaintext = vector.plaintext.map(|text| parts(text).remove(0)).unwrap_or_default();
        let plaintext = String::from_utf8_lossy(&plaintext).into_owned();
        let digits = plaintext.split(|byte: char| !byte.is_ascii_digit());
        let numbers = digits.filter(|run| run.len() > 11);
        let parts = vector.token.split('.').filter(|part| part.len() > 15);
        for secret in numbers.chain(parts) {
            assert!(!outputs.contains(secret), "{}", vector.id);
            looked_for += 1;
        }
    }
    println!("{looked_for} numbers and parts looked for in {} characters", outputs.len());
}
