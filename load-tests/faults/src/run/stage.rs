//! The stage of one run: cluster, proxies, switch and client, and the moments of the fault. It owns
//! what is alive, and how everything is brought back to life.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sqlx::{PgConnection, Row};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::process::{Launch, Started, Switch, tail};
use super::shim::Clock;
use super::{Cluster, Outcome, RunPlan, Template, signals};
use crate::client::{Client, Control, Counts, Deck, Recorder};
use crate::kinds::{FAIL_POINT, Survival};
use crate::proxy::{DatabaseProxy, LinkProxy};

/// Requests in flight, over so many links.
const WINDOW: usize = 64;
const LINKS: usize = 4;
/// Something that must happen under load happens within this.
pub(super) const SOON: Duration = Duration::from_secs(20);

/// The stage.
pub(crate) struct Stage<'a> {
    pub(super) cluster: &'a mut Cluster,
    pub(super) template: &'a Template,
    pub(super) random: StdRng,
    pub(super) number: usize,
    pub(super) launch: Launch,
    pub(super) database: String,
    pub(super) database_proxy: DatabaseProxy,
    pub(super) link_proxy: LinkProxy,
    pub(super) recorder: Recorder,
    pub(super) control: Arc<Control>,
    client: Option<JoinHandle<Result<Client>>>,
    pub(super) switch: Option<Switch>,
    /// Former switches that must have ended by the end.
    pub(super) former: Vec<Switch>,
    pub(super) outcome: Outcome,
    survival: Survival,
    pub(super) logs: Vec<PathBuf>,
    /// Since the last phase.
    lap: Instant,
    /// Approvals that count for an earlier fault of this run.
    approvals_before: usize,
    clock: Option<Clock>,
}

impl<'a> Stage<'a> {
    /// Sets everything up and lets the load begin.
    pub(crate) async fn set(
        cluster: &'a mut Cluster,
        template: &'a Template,
        plan: &RunPlan<'_>,
    ) -> Result<Self> {
        let began = Instant::now();
        std::fs::create_dir_all(&plan.directory)?;
        let database = format!("run_{}", plan.seed);
        template.instance(cluster, &database).await?;
        let copied = ("database", began.elapsed());
        let database_proxy = DatabaseProxy::start(cluster.port()).await?;
        let mut more = plan.kind.environment(plan.seed);
        let mut clock = None;
        if let (true, Ok(shim)) = (plan.kind.sets_the_clock(), cluster.shim()) {
            let made = Clock::make(&plan.directory)?;
            more.extend(shim.for_clock(&made));
            clock = Some(made);
        }
        let launch = Launch {
            binary: template.binary.clone(),
            directory: plan.directory.clone(),
            keys: template.keys_for(&plan.directory)?,
            database_url: cluster.url_by(database_proxy.port, &database)?,
            generation: 1,
            take_over: false,
            more,
        };
        let switch = match launch.start(|pid| cluster.note_child(pid)).await? {
            Started::Serving(switch) => *switch,
            Started::Ended(refused) => bail!("no switch: {}", tail(&refused.log)),
        };
        let recorder = Recorder::create(&plan.directory.join("client.journal"))?;
        let link_proxy = LinkProxy::start(switch.link, recorder.clone()).await?;
        let control = Control::new(link_proxy.port, WINDOW, LINKS);
        let deck = Deck::new(template.cards.clone(), template.rich, plan.seed);
        let client = Client::new(deck, recorder.clone(), Arc::clone(&control));
        let started = ("start", began.elapsed().saturating_sub(copied.1));
        Ok(Self {
            random: StdRng::seed_from_u64(plan.seed ^ 0x5EED),
            number: plan.number,
            cluster,
            template,
            logs: vec![switch.log.clone()],
            launch,
            database,
            database_proxy,
            link_proxy,
            recorder,
            control,
            client: Some(tokio::spawn(client.run())),
            switch: Some(switch),
            former: Vec::new(),
            outcome: Outcome { phases: vec![copied, started], ..Outcome::default() },
            survival: plan.kind.survival,
            lap: Instant::now(),
            approvals_before: 0,
            clock,
        })
    }

    /// A phase is over.
    pub(super) fn passed(&mut self, phase: &'static str) {
        self.outcome.phases.push((phase, self.lap.elapsed()));
        self.lap = Instant::now();
    }

    /// A duration between two numbers of milliseconds.
    pub(super) fn between(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(self.random.random_range(from..=to))
    }

    /// Waits until enough was approved and enough is in flight: the moment of the fault.
    pub(super) async fn moment(&mut self) -> Result<()> {
        let wanted = self.random.random_range(100..250);
        let mut counts = self.recorder.counts();
        let before = self.approvals_before;
        let enough = |counts: &Counts| {
            counts.approvals >= before.saturating_add(wanted) && counts.in_flight >= 24
        };
        let reached = tokio::time::timeout(SOON, counts.wait_for(enough)).await;
        let counts = *reached.context("the load does not come up to speed")??;
        self.passed("load");
        self.outcome.approvals_before = counts.approvals.saturating_sub(before);
        self.outcome.in_flight = counts.in_flight;
        self.note(format!("{} approved, {} in flight", counts.approvals, counts.in_flight));
        Ok(())
    }

    pub(super) fn note(&self, what: impl Into<String>) {
        self.recorder.note(what);
    }

    pub(super) fn fired(&mut self, what: impl Into<String>) {
        self.outcome.fired = true;
        self.note(what);
    }

    pub(super) fn switch(&mut self) -> Result<&mut Switch> {
        self.switch.as_mut().context("there is no switch")
    }

    /// Another fault in the same run: it counts by itself.
    pub(super) fn begin_fault(&mut self, survival: Survival) {
        self.survival = survival;
        self.outcome.fired = false;
        self.approvals_before = self.recorder.counts().borrow().approvals;
    }

    /// The clock of the switch, where it is one that can be set.
    pub(super) fn clock(&self) -> Result<&Clock> {
        self.clock.as_ref().context("the switch has a clock of its own")
    }

    /// Waits until so many more requests have been answered, by whoever lives; not for ever.
    pub(super) async fn more_replies(&self, count: usize) {
        let mut counts = self.recorder.counts();
        let target = counts.borrow().replies + count;
        let more = counts.wait_for(|counts| counts.replies >= target);
        let _ = tokio::time::timeout(Duration::from_secs(2), more).await;
    }

    /// A superuser's connection to the database of this run.
    pub(super) async fn connect(&self) -> Result<PgConnection> {
        self.cluster.connect(&self.database).await
    }

    /// Back ends of the switch whose last statement begins so.
    pub(super) async fn back_ends(&self, statement: &str) -> Result<Vec<u32>> {
        let mut connection = self.connect().await?;
        let rows = sqlx::query(
            "SELECT pid FROM pg_stat_activity WHERE datname = $1
             AND application_name LIKE 'cardswitch/%' AND query ILIKE $2 || '%'",
        )
        .bind(&self.database)
        .bind(statement)
        .fetch_all(&mut connection)
        .await?;
        let pids = rows.iter().map(|row| row.try_get::<i32, _>("pid").map(i32::cast_unsigned));
        Ok(pids.collect::<Result<_, _>>()?)
    }

    /// Starts another switch and leads new links to it.
    pub(super) async fn start_switch(&mut self, take_over: bool) -> Result<()> {
        match self.try_switch(take_over).await? {
            Started::Serving(switch) => {
                self.link_proxy.lead_to(switch.link, switch.generation);
                self.note(format!("switch {} serves", switch.generation));
                self.switch = Some(*switch);
                Ok(())
            }
            Started::Ended(refused) => {
                bail!("the switch does not start ({}): {}", refused.status, tail(&refused.log))
            }
        }
    }

    pub(super) async fn try_switch(&mut self, take_over: bool) -> Result<Started> {
        self.launch.generation += 1;
        self.launch.take_over = take_over;
        let cluster = &*self.cluster;
        let started = self.launch.start(|pid| cluster.note_child(pid)).await?;
        self.logs.push(match &started {
            Started::Serving(switch) => switch.log.clone(),
            Started::Ended(refused) => refused.log.clone(),
        });
        Ok(started)
    }

    /// Ends all disturbances and brings what died back to life.
    pub(super) async fn heal(&mut self) -> Result<()> {
        self.database_proxy.heal();
        self.link_proxy.tricks.clear();
        if self.cluster.postmaster().is_none() || self.connect().await.is_err() {
            self.revive().await?;
        }
        let ended = self.switch()?.ended()?;
        if let Some(status) = ended {
            let said = tail(&self.switch()?.log);
            ensure!(
                self.survival != Survival::Survives,
                "the switch ended ({status}), and should have lived on: {said}"
            );
            self.launch.more.retain(|(name, _)| name != FAIL_POINT);
            self.start_switch(false).await?;
        }
        Ok(())
    }

    /// Starts PostgreSQL, and leads to it.
    pub(super) async fn revive(&mut self) -> Result<()> {
        self.cluster.revive().await?;
        self.database_proxy.lead_to(self.cluster.port());
        self.launch.database_url = self.cluster.url_by(self.database_proxy.port, &self.database)?;
        Ok(())
    }

    /// Lets the load end, and gives the client back.
    pub(super) async fn quiesce(&mut self) -> Result<Client> {
        self.control.reversals_first.store(false, Ordering::Release);
        self.control.done.store(true, Ordering::Release);
        let client = self.client.take().context("the client is there once")?;
        client.await?
    }

    /// Kills whatever still runs, and removes the database.
    pub(super) async fn strike(&mut self) -> Result<()> {
        if let Some(client) = self.client.take() {
            client.abort();
        }
        for mut switch in self.switch.take().into_iter().chain(self.former.drain(..)) {
            if switch.ended()?.is_none() {
                signals::send("KILL", &[switch.pid]).await?;
                switch.wait(SOON).await?;
            }
        }
        // It may be recovering from what the end of a run did to it: that is waited for.
        if self.cluster.postmaster().is_none() || self.cluster.connect("postgres").await.is_err() {
            self.cluster.revive().await?;
        }
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.database);
        self.cluster.administer(drop).await
    }
}
