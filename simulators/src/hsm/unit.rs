//! A simulated HSM on a TCP port: it listens, dies and lives again when told to. Must tell
//! everybody who waits whenever a count changes.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use switch_security::{Key, KeyCipher, KeyUsage};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::connection::Connection;
use super::fault::{Fault, Plan};
use super::fields::Fields;
use super::keys::Keys;
use super::settings::Settings;
use super::tally::Tally;
use super::{card_value, clear_pin, emv, health, key_commands, mac, pin, script};
use crate::network::Handshake;
use crate::port::Port;

/// What the connections of a unit have in common.
pub(super) struct Shared {
    settings: Settings,
    keys: Keys,
    plan: Mutex<Option<Plan>>,
    tally: watch::Sender<Tally>,
}

impl Shared {
    pub(super) const fn header_length(&self) -> usize {
        self.settings.header_length
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut Tally)) {
        self.tally.send_modify(change);
    }

    pub(super) fn count_command(&self, letters: [u8; 2]) {
        let letters = String::from_utf8_lossy(&letters).into_owned();
        self.count(|tally| *tally.commands.entry(letters).or_default() += 1);
    }

    pub(super) fn count_answer(&self, error: [u8; 2]) {
        let error = String::from_utf8_lossy(&error).into_owned();
        self.count(|tally| *tally.answers.entry(error).or_default() += 1);
    }

    fn plan(&self) -> MutexGuard<'_, Option<Plan>> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What goes wrong with this command.
    pub(super) fn strikes(&self, letters: [u8; 2]) -> Option<Fault> {
        let mut plan = self.plan();
        let fault = plan.as_mut().and_then(|plan| plan.strikes(letters).then_some(plan.fault));
        drop(plan);
        if fault.is_some() {
            self.count(|tally| tally.faults += 1);
        }
        fault
    }

    /// What a command is answered with: an error code, and data.
    pub(super) fn answer(&self, letters: [u8; 2], data: &[u8]) -> ([u8; 2], Vec<u8>) {
        let (keys, fields) = (&self.keys, Fields::new(data));
        let answered = match &letters {
            b"NO" => health::status(&self.settings, data),
            b"NC" => health::diagnostics(&self.settings, &keys.check_value(), data),
            b"B2" => health::echo(data),
            b"CW" => card_value::generate(keys, fields),
            b"CY" => card_value::verify(keys, fields),
            b"EC" | b"DC" => pin::verify_pvv(keys, fields),
            b"EA" | b"DA" => pin::verify_offset(keys, fields),
            b"FW" => pin::generate_pvv(keys, fields, false),
            b"DG" => pin::generate_pvv(keys, fields, true),
            b"BK" => pin::generate_offset(keys, fields, false),
            b"DE" => pin::generate_offset(keys, fields, true),
            b"CC" | b"CA" => pin::translate(keys, fields),
            b"JE" | b"JC" => pin::to_lmk(keys, fields),
            b"BA" if self.settings.clear_pins => clear_pin::encrypt(&self.settings, keys, fields),
            b"BA" => Err(*b"17"), // not authorized
            b"JG" => clear_pin::from_lmk(keys, fields),
            b"KQ" => emv::verify_first_ways(keys, fields),
            b"KW" => emv::verify_common(keys, fields),
            b"KU" | b"KY" => script::protect(keys, fields, letters),
            b"M6" => mac::generate(keys, fields),
            b"M8" => mac::verify(keys, fields),
            b"A0" => key_commands::generate(keys, fields),
            b"A6" => key_commands::import(keys, fields),
            b"A8" => key_commands::export(keys, fields),
            b"BU" => key_commands::check_value(keys, fields),
            _ => Err(*b"68"), // the command is not there
        };
        answered.map_or_else(|code| (code, Vec::new()), |data| (*b"00", data))
    }
}

/// A unit.
pub struct HsmUnit {
    shared: Arc<Shared>,
    port: Port,
}

impl HsmUnit {
    /// Listens.
    ///
    /// # Errors
    /// The port cannot be opened.
    pub async fn listen(address: SocketAddr, settings: Settings) -> Result<Self> {
        let (tally, _) = watch::channel(Tally::default());
        let keys = Keys::new(settings.lmk)?;
        let handshake = Handshake::accepting(settings.tls.as_ref())?;
        let shared = Arc::new(Shared { settings, keys, plan: Mutex::new(None), tally });
        let of_all = Arc::clone(&shared);
        let serving = move |stream: TcpStream, alive| {
            let (shared, handshake) = (Arc::clone(&of_all), handshake.clone());
            async move {
                let _ = stream.set_nodelay(true);
                match handshake.shake(stream).await {
                    Ok(wire) => Connection::new(shared, wire).serve(alive).await,
                    Err(_) => shared.count(|tally| tally.refused_handshakes += 1),
                }
            }
        };
        Ok(Self { shared, port: Port::open(address, serving).await? })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// Check value of its local master key, six hexadecimal digits.
    #[must_use]
    pub fn check_value(&self) -> String {
        self.shared.keys.check_value()
    }

    /// A key under its local master key, as a host is to name it.
    ///
    /// # Errors
    /// The key may not leave, or is stronger than the master key.
    pub fn wrap_key(&self, key: &Key) -> Result<String> {
        Ok(self.shared.keys.wrap(key)?)
    }

    /// A new key for this use under its local master key.
    ///
    /// # Errors
    /// No key of triple DES is for this use.
    pub fn make_key(&self, usage: KeyUsage) -> Result<String> {
        self.wrap_key(&Key::generate(usage, KeyCipher::Tdes, 16)??)
    }

    /// From now on this goes wrong, or nothing.
    pub fn fail(&self, plan: Option<Plan>) {
        *self.shared.plan() = plan;
    }

    /// Goes out: it listens no more, and every connection is reset.
    pub fn die(&self) {
        self.port.die();
    }

    /// Is there again, on the same port.
    ///
    /// # Errors
    /// The port cannot be opened.
    pub async fn revive(&self) -> Result<()> {
        self.port.revive().await
    }

    /// What it counted.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.shared.tally.borrow().clone()
    }

    /// Waits until the counts are so.
    pub async fn until(&self, reached: impl FnMut(&Tally) -> bool) {
        let mut tally = self.shared.tally.subscribe();
        let _ = tally.wait_for(reached).await; // its sender lives as long as this
    }
}
