//! A mail relay for tests: SMTP as far as one letter goes, in clear, on loopback. It owns what it
//! answers to `RCPT`, and keeps what it took.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A letter, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mail {
    /// Whom `MAIL FROM` names.
    pub(super) from: String,
    /// Whom `RCPT TO` names.
    pub(super) to: String,
    /// Headers and text.
    pub(super) data: String,
}

impl Mail {
    /// A header's value.
    pub(super) fn header(&self, name: &str) -> &str {
        let line = self.data.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }
}

/// What it took, and what it answers next.
#[derive(Default)]
struct Shared {
    came: Mutex<Vec<Mail>>,
    answers: Mutex<VecDeque<&'static str>>,
}

/// A relay. It takes everything, until it is told otherwise.
pub(super) struct Relay {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Relay {
    pub(super) fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared::default());
        let with = Arc::clone(&shared);
        // It ends with the process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let with = Arc::clone(&with);
                std::thread::spawn(move || with.talk(stream));
            }
        });
        Self { address, shared }
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    /// What the next recipients are answered.
    pub(super) fn answers(&self, answers: &[&'static str]) {
        locked(&self.shared.answers).extend(answers);
    }

    pub(super) fn came(&self) -> Vec<Mail> {
        locked(&self.shared.came).clone()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// One connection; what is cut off is forgotten.
    fn talk(&self, stream: TcpStream) -> Option<()> {
        let mut lines = BufReader::new(stream.try_clone().ok()?);
        let say = |text: &str| (&stream).write_all(format!("{text}\r\n").as_bytes()).ok();
        let (mut from, mut to) = (String::new(), String::new());
        say("220 relay ready")?;
        loop {
            let line = line_of(&mut lines)?;
            let inside = || {
                let inside = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
                inside.map(|(address, _)| address.to_owned())
            };
            match line.split([' ', ':']).next()? {
                "EHLO" => say("250-relay\r\n250 8BITMIME")?,
                "MAIL" => {
                    from = inside()?;
                    say("250 ok")?;
                }
                "RCPT" => {
                    to = inside()?;
                    say(locked(&self.answers).pop_front().unwrap_or("250 ok"))?;
                }
                "DATA" => {
                    say("354 go on")?;
                    let mut data = String::new();
                    loop {
                        match line_of(&mut lines)?.as_str() {
                            "." => break,
                            line => data.push_str(&format!("{line}\n")),
                        }
                    }
                    let mail = Mail { from: from.clone(), to: to.clone(), data };
                    locked(&self.came).push(mail);
                    say("250 taken")?;
                }
                "QUIT" => return say("221 bye"),
                _ => say("250 ok")?,
            }
        }
    }
}

fn line_of(lines: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    let read = lines.read_line(&mut line).ok()?;
    (read > 0).then(|| line.trim_end().to_owned())
}
