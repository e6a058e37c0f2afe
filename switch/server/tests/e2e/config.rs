//! `cardswitch config check`: what ships is good, and what is wrong is named with its line.

use std::path::Path;

use crate::stage::cardswitch;

/// Exit code and what was printed.
fn check(directory: &Path, file: &str, environment: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut command = cardswitch(directory);
    command.args(["config", "check", file]).envs(environment.iter().copied());
    let output = command.output().expect("the binary starts");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn the_shipped_configuration_is_good() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let (code, said) = check(root, "config/cardswitch.toml", &[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("1 link(s), 1 data shard(s)"), "{said}");
}

/// A file, what is said of it, and what is wrong with it.
type Fault = (&'static str, &'static str, &'static str);

/// Of the management API.
const API: [Fault; 11] = [
    (
        "[api.secure]\nlisten = \"127.0.0.1:1\"\n",
        "api.secure.certificate: set certificate and key",
        "no TLS",
    ),
    (
        "[api.secure]\nlisten = \"127.0.0.1:1\"\nin_clear = true\n",
        "line 3: api.secure.in_clear: false",
        "partners without certificates",
    ),
    (
        "[api.open]\nlisten = \"0.0.0.0:1\"\nin_clear = true\n",
        "line 3: api.open.in_clear: true for a developer alone",
        "clear text for everybody",
    ),
    (
        "[api.open]\nlisten = \"[::1]:1\"\nin_clear = true\nkey = \"k\"\ncertificate = \"c\"\n",
        "line 3: api.open.in_clear: true without certificate",
        "both ways at once",
    ),
    ("[api.open]\nlisten = \"1\"\n", "line 2", "no address"),
    ("[api.secure]\nkey = \"k\"\n", "api.secure.listen: where it listens", "nowhere"),
    (
        "[api.limits]\nhead_bytes = 1000\n",
        "line 2: api.limits.head_bytes: from 8192",
        "less room than any head needs",
    ),
    (
        "[api.operators]\ntries = 11\n",
        "line 2: api.operators.tries: from 1 to 10",
        "more tries than are allowed",
    ),
    (
        "[api.operators]\nidle_s = 901\n",
        "line 2: api.operators.idle_s: from 60 to 900",
        "sessions that nobody ends",
    ),
    (
        "[api.certificates]\nstale_ms = 5000\n",
        "line 2: api.certificates.stale_ms: longer than refresh_ms",
        "news that are old before they are read",
    ),
    (
        "[api.certificates]\ndays = 1000\n",
        "line 2: api.certificates.days: from 1 to 825",
        "a certificate for years",
    ),
];

/// Of how links present cards and holders.
const CARDS: [Fault; 11] = [
    (
        "[security]\nmodule = \"hardware\"\n[hsm]\nunits = [\"hsm:1500\"]\n[links.a]\nid = 1\n\
         pin = { key = \"p\" }\nkey_change = { key = \"p\", zone_key = \"z\" }\n",
        "line 8: links.a.key_change.key: the units have the PIN keys",
        "a PIN key for the key file",
    ),
    (
        "[hsm]\nunits = [\"hsm:1500\"]\n",
        "security.module (not set): \"hardware\" where hsm.units names units",
        "units that nobody asks",
    ),
    (
        "[security]\nmodule = \"hardware\"\n",
        "line 2: security.module: \"hardware\" where hsm.units names units",
        "nobody to ask",
    ),
    (
        "[security]\nmodule = \"hardware\"\n[hsm]\nunits = [\"hsm:1500\"]\nwait_ms = 900\n",
        "line 3: hsm.deadline_ms: no longer than wait_ms",
        "a call that takes longer than anybody waits",
    ),
    (
        "[security]\ntrack2_value_at = 0\n",
        "line 2: security.track2_value_at: from 1 to 40",
        "a place before the first",
    ),
    (
        "[links.a]\nid = 1\npin = { key = \"A key\" }\n",
        "line 3: links.a.pin: a name of 1 to 32",
        "a name that is none",
    ),
    (
        "[links.a]\nid = 1\npin = { key = \"a\", formats = [2] }\n",
        "line 3: links.a.pin: formats is of 0, 1, 3 and 4",
        "a format for chips alone",
    ),
    (
        "[links.a]\nid = 1\npin = { key = \"a\", formats = [0, 4] }\n",
        "line 3: links.a.pin: format 4 has 16 bytes, which field 52 cannot hold",
        "a block longer than its field",
    ),
    (
        "[links.a]\nid = 1\npin = { key = \"a\", keys = { \"2\" = \"b\" } }\n",
        "line 3: links.a.pin: keys is for a dialect whose messages say which",
        "keys that no message could name",
    ),
    (
        "[links.a]\nid = 1\nchip_tolerates = [\"colour\"]\n",
        "line 3: links.a.chip_tolerates: \"colour\" is none of amount, currency",
        "a difference that there is not",
    ),
    ("[links.a]\nid = 1\nunusable_chip = \"take\"\n", "line 3", "what nobody does with chip data"),
];

/// Of locks that links may set, of the life of holds, and of what is settled.
const LOCKS_AND_HOLDS: [Fault; 20] = [
    ("[links.a]\nid = 1\ncutover = \"25:00\"\n", "line 3", "a cut-over at no time of the day"),
    (
        "[reconciliation]\na_day = 0\n",
        "line 2: reconciliation.a_day: from 1 to 100000",
        "no room for reconciliations",
    ),
    (
        "[mini_statement]\ndays = 0\n",
        "line 2: mini_statement.days: from 1 to 3660",
        "nothing to be told",
    ),
    (
        "[controls]\nper_subject = 257\n",
        "line 2: controls.per_subject: from 1 to 256",
        "more controls than a purchase has time for",
    ),
    (
        "[controls]\nper_subject = 256\nlist = 1001\n",
        "line 3: controls.list: from 1 to 1000",
        "a list longer than a purchase has time for",
    ),
    (
        "[controls]\nbacktest_authorizations = 0\n",
        "line 2: controls.backtest_authorizations: from 1 to 10000000",
        "a back-test that holds nothing",
    ),
    (
        "[clearing]\nmax_line_bytes = 9000\n",
        "line 2: clearing.max_line_bytes: from 256 to 8192",
        "a line that no request has room for",
    ),
    (
        "[shards]\nreserved_queue = 8\n[clearing]\nin_flight = 9\n",
        "line 4: clearing.in_flight: from 1 to 4096, and at most reserved_queue",
        "more records than there is room for",
    ),
    (
        "[links.a]\nid = 1\nlock_bins = [\"99999\"]\nlock_codes = [7]\n",
        "line 3: links.a.lock_bins: \"99999\" is no BIN",
        "half a BIN",
    ),
    (
        "[links.a]\nid = 1\nlock_bins = [\"999999\"]\nlock_codes = [7, 9]\n",
        "line 4: links.a.lock_codes: 9 is no lock code",
        "a lock code that is reserved",
    ),
    (
        "[links.a]\nid = 1\nlock_codes = [7]\n",
        "line 3: links.a.lock_codes: locks nothing without lock_bins",
        "codes without cards",
    ),
    (
        "[links.a]\nid = 1\nlock_refusals_per_minute = 6001\n",
        "line 3: links.a.lock_refusals_per_minute: from 0 to 6000",
        "too many refusals on record",
    ),
    (
        "[tolerance]\nremote_percent = 1001\n",
        "line 2: tolerance.remote_percent: from 0 to 1000",
        "no tolerance any more",
    ),
    (
        "[[tolerance.rules]]\nlinks = [\"visa\"]\npercent = 5\n",
        "line 1: tolerance.rules: rule 1: there is no [links.visa]",
        "a tolerance for a link that is not there",
    ),
    (
        "[[tolerance.rules]]\npercent = 5\n",
        "line 1: tolerance.rules: rule 1 names neither links nor mcc",
        "a tolerance for everything",
    ),
    ("[holds]\nlife_s = 0\n", "line 2: holds.life_s: from 1 to 31622400", "no life"),
    (
        "[holds]\ntravel_mcc = [\"4411\", \"3299-3000\"]\n",
        "line 2",
        "categories the wrong way round",
    ),
    (
        "[holds]\nat_a_time = 129\n",
        "line 2: holds.at_a_time: from 1 to half of lookup_limit",
        "more ends than look-ups have room for",
    ),
    (
        "[[holds.rules]]\nlinks = [\"visa\"]\nlife_s = 5\n",
        "line 1: holds.rules: rule 1: there is no [links.visa]",
        "a rule for a link that is not there",
    ),
    (
        "[[holds.rules]]\nlife_s = 5\n",
        "line 1: holds.rules: rule 1 names neither links nor mcc",
        "a rule for everything",
    ),
];

#[test]
fn faults_are_named_with_their_line() {
    let directory = tempfile::tempdir().expect("a directory");
    let cases = [
        ("[http\n", "line 1", "a broken line"),
        ("\n[http]\nlisten = 5\n", "line 3", "a wrong type"),
        ("[http]\nlistn = \"127.0.0.1:1\"\n", "line 2", "an unknown key"),
        ("[shards]\ndata_shards = 0\n", "line 2: shards.data_shards: from 1 to 256", "a range"),
        ("[links.a]\nlisten = \"127.0.0.1:1\"\n", "line 1: links.a.id", "a missing number"),
        (
            "[links.a]\nid = 7\n[links.b]\nid = 7\n",
            "line 4: links.b.id: link a has number 7 already",
            "a number twice",
        ),
        (
            "[links.a]\nid = 1\ndialect = \"iso99\"\n",
            "line 3: links.a.dialect: no dialect \"iso99\" is shipped",
            "an unknown dialect",
        ),
        (
            "[links.a]\nid = 1\nframing = { length = \"ascii4\", max_frame = 10000 }\n",
            "line 3: links.a.framing",
            "an impossible framing",
        ),
        (
            "[links.a]\nid = 1\nlisten = \"127.0.0.1:1\"\ndial = [\"a:1\"]\n",
            "line 4: links.a.dial: a link listens or dials",
            "both sides",
        ),
        (
            "[links.a]\nid = 1\ndial = [\"a.example\"]\n",
            "line 3: links.a.dial: \"a.example\" is no address; write host:port",
            "no port",
        ),
        (
            "[links.a]\nid = 1\ntls = { key = \"a.key\" }\n",
            "line 3: links.a.tls: a link that listens shows a certificate",
            "half a pair",
        ),
        (
            "[links.a]\nid = 1\n[links.a.tls]\noldest = \"1.1\"\n",
            "line 4",
            "a version that is not spoken",
        ),
        (
            "[links.a]\nid = 1\ndial = [\"a:1\"]\nredial_longest_ms = 5\n",
            "line 4: links.a.redial_longest_ms: from redial_first_ms to",
            "a longest wait below the first",
        ),
        ("[links.a]\nid = 1\nechos = 1\n", "line 3", "an unknown key of a link"),
        (
            "[links.a]\nid = 1\nrequest_fields = { 33 = \"letters\" }\n",
            "line 3: links.a.request_fields: field 33",
            "a field that cannot be written",
        ),
        (
            "[links.a]\nid = 1\necho_interval_ms = 900000\n",
            "line 3: links.a.echo_interval_ms: 0 for none, or from 1000",
            "an echo after the connection is closed",
        ),
        (
            "[links.a]\nid = 1\nmac = { algorithm = \"algorithm-3\", key = \"a\" }\n",
            "line 3: links.a.mac.padding: 1 (zeros) or 2",
            "a padding that is not said",
        ),
        (
            "[links.a]\nid = 1\n[links.a.mac]\nalgorithm = \"cmac\"\npadding = 1\nkey = \"a\"\n",
            "line 5: links.a.mac.padding: leave it out",
            "a padding for what has its own",
        ),
        (
            "[links.a]\nid = 1\n[links.a.mac]\nalgorithm = \"cmac\"\nkey = \"A key\"\n",
            "line 5: links.a.mac.key: a name of 1 to 32",
            "a name that is none",
        ),
        (
            "[links.a]\nid = 1\n[links.a.mac]\nalgorithm = \"cmac\"\nkey = \"a\"\nbytes = 9\n",
            "line 6: links.a.mac.bytes: from 4",
            "a code longer than its field",
        ),
        ("[links.a.mac]\nalgorithm = \"md5\"\nkey = \"a\"\n", "line 2", "no such algorithm"),
        ("[database]\nurl = \"mysql://x\"\n", "line 2: database.url", "another database"),
    ];
    let more = LOCKS_AND_HOLDS.into_iter().chain(CARDS).chain(API);
    for (text, expected, name) in cases.into_iter().chain(more) {
        std::fs::write(directory.path().join("bad.toml"), text).expect("written");
        let (code, said) = check(directory.path(), "bad.toml", &[]);
        assert_eq!(code, Some(2), "{name}: {said}");
        assert!(said.contains(expected), "{name}: {said}");
    }
}

#[test]
fn the_environment_lies_over_the_file_and_is_named_when_wrong() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("good.toml"), "").expect("written");
    let cases = [
        ("CARDSWITCH_SHARDS__DATA_SHARDS", "0", "CARDSWITCH_SHARDS__DATA_SHARDS: shards.data_"),
        ("CARDSWITCH_SHARDS__DATA_SHARDS", "many", "CARDSWITCH_SHARDS__DATA_SHARDS: invalid type"),
        ("CARDSWITCH_HTTP__PORT", "1", "CARDSWITCH_HTTP__PORT: unknown field"),
        ("DATABASE_URL", "mysql://x", "DATABASE_URL: database.url"),
    ];
    for (variable, value, expected) in cases {
        let (code, said) = check(directory.path(), "good.toml", &[(variable, value)]);
        assert_eq!(code, Some(2), "{variable}={value}: {said}");
        assert!(said.contains(expected), "{variable}={value}: {said}");
    }
    let good = [("CARDSWITCH_SHARDS__DATA_SHARDS", "4")];
    let (code, said) = check(directory.path(), "good.toml", &good);
    assert!(code == Some(0) && said.contains("4 data shard(s)"), "{said}");
}
