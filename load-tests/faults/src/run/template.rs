//! The database that every run starts from: migrated, with a partner, a deposit, a programme,
//! balances and cards. It is made once by a clean life of the switch, through its own commands.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde_json::Value;
use simulators::demo_file::{TestCard, TestPan};

use super::Cluster;
use super::process::{Launch, Started, Switch, tail};

/// Cards with funds for everything, and then those that run out.
const RICH: usize = 10;
const POOR: usize = 2;
/// What is on the balances of either, and in the deposit, in minor units.
const RICH_LEDGER: i64 = 50_000_000;
const POOR_LEDGER: i64 = 4_000;
const DEPOSIT: i64 = 1_000_000_000;
/// In the cluster.
const NAME: &str = "template_of_runs";

/// What runs share.
pub(crate) struct Template {
    pub(crate) binary: PathBuf,
    pub(crate) keys: PathBuf,
    pub(crate) cards: Vec<TestCard>,
    /// The balance of each card, and what is on it.
    pub(crate) balances: Vec<(i64, i64)>,
    /// The deposit behind them, and what is in it.
    pub(crate) pool: (i64, i64),
    pub(crate) rich: usize,
}

impl Template {
    /// Makes it, with a directory for the switch's own files.
    pub(crate) async fn make(cluster: &Cluster, binary: &Path, directory: &Path) -> Result<Self> {
        std::fs::create_dir_all(directory)?;
        cluster.administer(format!("CREATE DATABASE {NAME} TEMPLATE template0")).await?;
        let launch = Launch {
            binary: binary.into(),
            directory: directory.into(),
            keys: directory.join("pan.key"),
            database_url: cluster.url(NAME)?.expose().to_owned(),
            generation: 0,
            take_over: false,
            more: Vec::new(),
        };
        let mut switch = match launch.start(|pid| cluster.note_child(pid)).await? {
            Started::Serving(switch) => switch,
            Started::Ended(refused) => bail!("no switch: {}", tail(&refused.log)),
        };
        let template = seed(&launch, &switch).await?;
        switch.terminate().await?;
        Ok(template)
    }

    /// A database for one run.
    pub(crate) async fn instance(&self, cluster: &Cluster, name: &str) -> Result<()> {
        cluster.administer(format!("CREATE DATABASE {name} TEMPLATE {NAME}")).await
    }

    /// Its key files again, for a run that may change them.
    pub(crate) fn keys_for(&self, directory: &Path) -> Result<PathBuf> {
        let own = directory.join("pan.key");
        // The keys of card numbers, and the components of what they lie under.
        for end in ["", ".lmk-1", ".lmk-2"] {
            let named = |path: &Path| {
                let mut name = path.as_os_str().to_owned();
                name.push(end);
                name
            };
            std::fs::copy(named(&self.keys), named(&own))?;
        }
        Ok(own)
    }

    pub(crate) fn pans(&self) -> Vec<String> {
        self.cards.iter().map(|card| card.pan.digits().to_owned()).collect()
    }
}

async fn seed(launch: &Launch, switch: &Switch) -> Result<Template> {
    let maker = Maker { launch, switch };
    let partner = maker.make("partner", &["partner", "create", "--name", "Acme"]).await?;
    let open = ["pool", "open", "--partner", &partner, "--kind", "deposit", "--currency", "EUR"];
    let pool = maker.make("pool", &open).await?;
    let amount = (DEPOSIT / 100).to_string();
    let reload = ["pool", "reload", "--pool", &pool, "--amount", &amount];
    maker.make("done", &[&reload[..], &["--reference", "first transfer"]].concat()).await?;
    let create = ["programme", "create", "--partner", &partner, "--name", "Euro"];
    let bins = ["--bin-low", "99999912", "--currency", "EUR", "--pool", &pool];
    let programme = maker.make("programme", &[&create[..], &bins].concat()).await?;
    let (mut cards, mut balances) = (Vec::new(), Vec::new());
    for number in 0..RICH + POOR {
        let reference = format!("customer {number}");
        let customer = ["customer", "create", "--partner", &partner, "--reference", &reference];
        let customer = maker.make("customer", &customer).await?;
        let open = ["balance", "open", "--programme", &programme, "--customer", &customer];
        let balance = maker.make("balance", &open).await?;
        let ledger = if number < RICH { RICH_LEDGER } else { POOR_LEDGER };
        let amount = (ledger / 100).to_string();
        let credit = ["balance", "credit", "--balance", &balance, "--amount", &amount];
        maker.make("done", &[&credit[..], &["--reference", "welcome"]].concat()).await?;
        let issue = ["card", "issue", "--balance", &balance, "--expiry", "4912"];
        let pan = maker.make("pan", &[&issue[..], &["--reveal-test-pan"]].concat()).await?;
        balances.push((balance.parse()?, ledger));
        cards.push(TestCard {
            pan: TestPan::new(pan),
            expiry: "4912".into(),
            state: "good".into(),
            expect: "00".into(),
        });
    }
    let (binary, keys) = (launch.binary.clone(), launch.keys.clone());
    let pool = (pool.parse()?, DEPOSIT);
    Ok(Template { binary, keys, cards, balances, pool, rich: RICH })
}

struct Maker<'a> {
    launch: &'a Launch,
    switch: &'a Switch,
}

impl Maker<'_> {
    async fn make(&self, member: &str, arguments: &[&str]) -> Result<String> {
        let made = self.switch.command(self.launch, arguments).await?;
        Ok(match &made[member] {
            Value::String(text) => text.clone(),
            Value::Null => bail!("{arguments:?} made no {member}"),
            other => other.to_string(),
        })
    }
}
