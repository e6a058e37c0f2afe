//! A link on a free port, the switch behind it as a script, and peers that connect to it.

mod draft;
mod log;
mod module;
mod peer;
mod pki;
mod script;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use codecs::framing::{Framing, LengthHeader};
use codecs::iso8583::Dialect;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use switch_domain::LinkId;
use switch_network::{LinkConfig, LinkHandle, OpenLink};
use switch_security::{MacKeys, PanKeys, SecurityModule, SoftwareModule};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) use self::draft::{Draft, file_action, request, reversal};
pub(crate) use self::log::Log;
pub(crate) use self::module::{
    CRYPTOGRAM, Keys, Module, NEW_PIN, PIN_BLOCK, Pace, SCRIPT, TOLD, VALUE,
};
pub(crate) use self::peer::{Answer, Peer, header};
pub(crate) use self::pki::{Authority, Issued, client, server};
pub(crate) use self::script::{Script, approved, approved_in_part, declined};

/// Both dialects that are shipped.
pub(crate) const DIALECTS: [&str; 2] = ["iso87-ascii", "iso87-bcd"];

const KEYS: &str = "\
key_id = 0102030405060708
encryption = 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
fingerprint = 404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f
";

static STARTED: AtomicU32 = AtomicU32::new(0);

/// A running link.
pub(crate) struct Rig {
    name: String,
    pub(crate) address: SocketAddr,
    pub(crate) dialect: Arc<Dialect>,
    pub(crate) framing: Framing,
    pub(crate) script: Script,
    pub(crate) handle: LinkHandle,
    pub(crate) shutdown: CancellationToken,
    pub(crate) running: JoinHandle<()>,
    metrics: PrometheusHandle,
    // Tests run on one thread, so a recorder of this thread sees the whole link.
    _recorder: metrics::LocalRecorderGuard<'static>,
}

/// One key for each algorithm.
const MAC_KEYS: &str = "\
cbc = M1 T 08D7B4 0123456789ABCDEFFEDCBA9876543210
retail = M3 T 08D7B4 0123456789ABCDEFFEDCBA9876543210
cmac = M6 A 08793E 3F419E1CB7079442AA37474C2EFBF8B8
";

pub(crate) fn security() -> Arc<dyn SecurityModule> {
    let keys = PanKeys::parse(KEYS).expect("keys");
    let mac_keys = MacKeys::parse(MAC_KEYS).expect("keys");
    let ring = mac_keys.into_ring().expect("a ring");
    Arc::new(SoftwareModule::new(&keys).expect("module").with_keys(ring))
}

impl Rig {
    /// A link with the usual limits.
    pub(crate) fn start(dialect: &str) -> Self {
        Self::with(dialect, |_| {})
    }

    /// A link with settings of its own.
    pub(crate) fn with(dialect: &str, adjust: impl FnOnce(&mut LinkConfig)) -> Self {
        Self::over(security(), dialect, adjust)
    }

    /// The same over a security module of its own.
    pub(crate) fn over(
        security: Arc<dyn SecurityModule>,
        dialect: &str,
        adjust: impl FnOnce(&mut LinkConfig),
    ) -> Self {
        Log::of_this_process();
        let recorder = Box::leak(Box::new(PrometheusBuilder::new().build_recorder()));
        let metrics = recorder.handle();
        let guard = metrics::set_default_local_recorder(recorder);
        let dialect = Arc::new(Dialect::shipped(dialect).expect("shipped"));
        let framing = Framing::new(LengthHeader::Binary2);
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        // A name of its own: a link of an earlier rig may still be ending, and counts as well.
        let name = format!("test{}", STARTED.fetch_add(1, Ordering::Relaxed));
        let mut config =
            LinkConfig::new(name.clone(), LinkId(7), listen, framing, Arc::clone(&dialect));
        adjust(&mut config);
        let framing = config.framing;
        let script = Script::new();
        let link = OpenLink::open(config, script.clone(), security).expect("open");
        let address = link.local_addr().unwrap_or(listen);
        let handle = link.handle();
        let shutdown = CancellationToken::new();
        let running = tokio::spawn(link.run(shutdown.clone()));
        let _recorder = guard;
        Self {
            name,
            address,
            dialect,
            framing,
            script,
            handle,
            shutdown,
            running,
            metrics,
            _recorder,
        }
    }

    pub(crate) async fn connect(&self) -> Peer {
        Peer::connect(self.address, Arc::clone(&self.dialect), self.framing).await
    }

    /// The next connection that the link makes to a peer that listens here.
    pub(crate) async fn accept(&self, listener: &TcpListener) -> Peer {
        Peer::accept(listener, Arc::clone(&self.dialect), self.framing).await
    }

    /// A peer over any stream.
    pub(crate) fn peer<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) -> Peer<S> {
        Peer::over(stream, Arc::clone(&self.dialect), self.framing)
    }

    /// Lets the link work until this is so.
    pub(crate) async fn until(&self, so: impl Fn(&Self) -> bool) {
        while !so(self) {
            tokio::task::yield_now().await;
        }
    }

    /// A message of this link's dialect.
    pub(crate) fn draft(&self, mti: &str) -> Draft {
        Draft::new(self.dialect.name(), mti)
    }

    /// A purchase that is in order.
    pub(crate) fn request(&self, stan: u32) -> Draft {
        request(self.dialect.name(), stan)
    }

    /// The advice that such a purchase got this action code in our stead.
    pub(crate) fn advice(&self, stan: u32, action: &str) -> Draft {
        let ascii = self.dialect.name() == "iso87-ascii";
        let mti = if ascii { &b"0120"[..] } else { &[0x01, 0x20] };
        self.request(stan).raw_mti(mti).set(38, "A1B2C3").set(39, action)
    }

    /// A full reversal of that purchase.
    pub(crate) fn reversal(&self, stan: u32, original: u32) -> Draft {
        reversal(self.dialect.name(), stan, original)
    }

    /// 0302: file update code and record.
    pub(crate) fn file_action(&self, stan: u32, code: &str, record: &str) -> Draft {
        file_action(self.dialect.name(), stan, code, record)
    }

    /// 0800 with DE70.
    pub(crate) fn network(&self, stan: u32, code: &str) -> Draft {
        let stan = format!("{stan:06}");
        self.draft("0800").set(7, "1123091500").set(11, &stan).set(70, code)
    }

    /// The value of a counter or gauge; 0 where it was never recorded.
    pub(crate) fn metric(&self, name: &str, label: &str) -> f64 {
        let text = self.metrics.render();
        let link = format!("link=\"{}\"", self.name);
        let ours = |line: &&str| line.starts_with(name) && line.contains(&link);
        let line = text.lines().filter(ours).find(|line| line.contains(label));
        line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(0.0)
    }
}
