//! The conventional server as a process: it listens, reads frames, and writes answers in as large
//! pieces as they come. Must add as little to PostgreSQL's work as a good server would.

use std::sync::Arc;

use anyhow::{Context, Result};
use bytes::{Buf, BytesMut};
use clap::Args;
use codecs::iso8583::Dialect;
use sqlx::ConnectOptions;
use switch_store::private_postgres::DatabaseUrl;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::Form;
use super::pool::{Job, Queue, Worker};
use crate::bench::wire::first_frame;

/// What it is told.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct ServeArguments {
    /// Connections to PostgreSQL
    #[arg(long)]
    pub(crate) pool: usize,
    /// How an authorization is put
    #[arg(long)]
    pub(crate) form: Form,
}

/// Serves until the process ends; says where on standard output. The database is in the
/// environment, where its password is not seen by everybody.
///
/// One thread: the work is PostgreSQL's, and a second one would cost wake-ups and win nothing on
/// the machine that both share.
pub(crate) fn serve(arguments: ServeArguments) -> Result<()> {
    let database = std::env::var("BENCH_DATABASE_URL").context("BENCH_DATABASE_URL is not set")?;
    let database = DatabaseUrl::parse(&database)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async move {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let queue = start_pool(&database, arguments).await?;
        println!("{}", serde_json::json!({ "address": listener.local_addr()?.to_string() }));
        loop {
            let (stream, _) = listener.accept().await?;
            take_connection(stream, queue.clone())?;
        }
    })
}

/// Opens the connections, each with its worker.
pub(crate) async fn start_pool(database: &DatabaseUrl, arguments: ServeArguments) -> Result<Queue> {
    let dialect = Arc::new(Dialect::shipped("iso87-ascii").context("the dialect is shipped")?);
    let queue = Queue::new();
    for index in 0..arguments.pool {
        let worker = Worker {
            connection: database.connect_options().connect().await?,
            form: arguments.form,
            dialect: Arc::clone(&dialect),
            approvals: index as u64 * 15_625,
        };
        tokio::spawn(worker.run(queue.clone()));
    }
    Ok(queue)
}

/// Reads and writes a connection until its peer has gone.
pub(crate) fn take_connection(stream: TcpStream, queue: Queue) -> Result<()> {
    stream.set_nodelay(true)?;
    let (reading, writing) = stream.into_split();
    let (answers, waiting) = unbounded_channel();
    tokio::spawn(write_answers(writing, waiting));
    tokio::spawn(async move {
        // An error is the peer's end, and ends only this connection.
        let _ = read_requests(reading, &queue, &answers).await;
    });
    Ok(())
}

async fn read_requests(
    mut stream: OwnedReadHalf,
    queue: &Queue,
    answers: &tokio::sync::mpsc::UnboundedSender<BytesMut>,
) -> std::io::Result<()> {
    let mut input = BytesMut::with_capacity(64 * 1024);
    while stream.read_buf(&mut input).await? > 0 {
        while let Some((body, size)) = first_frame(&input) {
            queue.put(Job { body: body.to_vec(), answer: answers.clone() });
            input.advance(size);
        }
    }
    Ok(())
}

async fn write_answers(mut stream: OwnedWriteHalf, mut answers: UnboundedReceiver<BytesMut>) {
    let mut output = BytesMut::new();
    while let Some(answer) = answers.recv().await {
        output.extend_from_slice(&answer);
        while let Ok(answer) = answers.try_recv() {
            output.extend_from_slice(&answer);
        }
        if stream.write_all(&output).await.is_err() {
            return;
        }
        output.clear();
    }
}
