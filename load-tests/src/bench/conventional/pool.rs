//! The pool: so many connections to PostgreSQL, each with a worker that takes the next message
//! that waits. A message that PostgreSQL fails on is answered with 96; its fate is known to the
//! database.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::BytesMut;
use codecs::iso8583::{Dialect, Encoder, Fields, Message, Mti};
use sqlx::PgConnection;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::UnboundedSender;

use super::answer::{self, Saying};
use super::{Form, apart, one_trip, request};

/// A message that waits for a connection.
pub(crate) struct Job {
    pub(crate) body: Vec<u8>,
    /// Where its framed answer goes.
    pub(crate) answer: UnboundedSender<BytesMut>,
}

/// What waits.
#[derive(Clone)]
pub(crate) struct Queue {
    jobs: Arc<Mutex<VecDeque<Job>>>,
    waiting: Arc<Semaphore>,
}

impl Queue {
    pub(crate) fn new() -> Queue {
        Queue { jobs: Arc::default(), waiting: Arc::new(Semaphore::new(0)) }
    }

    pub(crate) fn put(&self, job: Job) {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).push_back(job);
        self.waiting.add_permits(1);
    }

    async fn next(&self) -> Option<Job> {
        self.waiting.acquire().await.ok()?.forget();
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

/// One connection's worker.
pub(crate) struct Worker {
    pub(crate) connection: PgConnection,
    pub(crate) form: Form,
    pub(crate) dialect: Arc<Dialect>,
    /// Makes approval codes: the worker's own number and a count.
    pub(crate) approvals: u64,
}

impl Worker {
    /// Works until the process ends.
    pub(crate) async fn run(mut self, queue: Queue) {
        let (mut encoder, mut fields) = (Encoder::new(), Fields::new());
        let dialect = Arc::clone(&self.dialect);
        while let Some(job) = queue.next().await {
            let readable = dialect.decode(&job.body, &mut fields).is_ok();
            let message = dialect.view(&job.body, &fields);
            let saying = if readable { self.decide(&message).await } else { Saying::plain("30") };
            if let Ok(Some(answer)) = answer::write(&mut encoder, &message, &saying) {
                // A peer that has gone needs no answer.
                let _ = job.answer.send(answer);
            }
        }
    }

    /// What a message is answered with.
    pub(crate) async fn decide(&mut self, message: &Message<'_>) -> Saying {
        let mti = message.mti().map(Mti::without_repeat);
        let said = if mti == Some(Mti::AUTHORIZATION_REQUEST) {
            let Ok(asked) = request::authorization(message) else { return Saying::plain("30") };
            self.approvals = (self.approvals + 1) % 1_000_000;
            let approval = format!("{:06}", self.approvals);
            match self.form {
                Form::Statements => apart::authorize(&mut self.connection, &asked, &approval).await,
                Form::Function => {
                    one_trip::authorize(&mut self.connection, &asked, &approval).await
                }
            }
        } else if mti == Some(Mti::REVERSAL_REQUEST) {
            let Ok(reversal) = request::reversal(message) else { return Saying::plain("30") };
            one_trip::reverse(&mut self.connection, &reversal).await
        } else {
            return Saying::plain("12");
        };
        said.unwrap_or_else(|error| {
            eprintln!("conventional server: {error}");
            Saying::plain("96")
        })
    }
}
