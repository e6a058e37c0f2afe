//! Connections of the sandbox: one line in, one line out. Must bound how long a line is and how
//! long it takes, and end a connection that keeps to neither.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::desk::Desk;

/// Bytes of a line, its end included.
const LINE_MOST: u64 = 8_192;
/// For a line to come, and for an answer to go.
const PATIENCE: Duration = Duration::from_secs(10);

/// Serves one until it ends.
pub(super) async fn serve(desk: &Arc<Desk>, stream: TcpStream) {
    let Ok(_room) = desk.room().try_acquire() else { return };
    let (reading, mut writing) = stream.into_split();
    let mut reading = BufReader::new(reading);
    loop {
        let mut line = Vec::new();
        let mut bounded = (&mut reading).take(LINE_MOST);
        let read = timeout(PATIENCE, bounded.read_until(b'\n', &mut line)).await;
        if !matches!(read, Ok(Ok(_))) || line.pop() != Some(b'\n') {
            return;
        }
        let Ok(mut answer) = serde_json::to_vec(&desk.told(&line).await) else { return };
        answer.push(b'\n');
        if !matches!(timeout(PATIENCE, writing.write_all(&answer)).await, Ok(Ok(()))) {
            return;
        }
    }
}
