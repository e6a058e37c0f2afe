//! Loopback without a database: a server that answers the same frames with approvals that it knows
//! by heart. No switch can carry more messages between the same generator and itself.

use std::net::TcpListener;

use anyhow::Result;
use rustix::event::{PollFd, PollFlags, poll};

use crate::bench::generator::Link;

/// What stands in front of DE38 and DE39 in every answer, and what comes after.
const CODES: &[u8] = b"00000000";

/// The echoed fields of our own requests, by their places behind MTI and bitmap: up to DE37,
/// without DE14. Every request has the same fields, so nothing is looked for.
const UP_TO_DATE: usize = 18 + 6 + 12 + 10 + 6 + 6 + 4;
const EXPIRY: usize = 4;
const UP_TO_RRN: usize = 4 + 3 + 2 + 8 + 12;
const REST: usize = 8 + 15 + 3;

/// Serves until the process ends; says where on standard output.
pub(crate) fn serve() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", serde_json::json!({ "address": listener.local_addr()?.to_string() }));
    serve_on(&listener)
}

/// Serves whoever connects, until something fails.
pub(crate) fn serve_on(listener: &TcpListener) -> Result<()> {
    listener.set_nonblocking(true)?;
    let mut links: Vec<Link> = Vec::new();
    loop {
        let mut watched: Vec<PollFd<'_>> = links.iter().map(watch).collect();
        watched.push(PollFd::new(listener, PollFlags::IN));
        match poll(&mut watched, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let ready: Vec<bool> = watched.iter().map(|link| !link.revents().is_empty()).collect();
        for (link, _) in links.iter_mut().zip(&ready).filter(|(_, ready)| **ready) {
            exchange(link);
        }
        links.retain(|link| link.open);
        if ready.last() == Some(&true) {
            while let Ok((stream, _)) = listener.accept() {
                links.push(Link::over(stream)?);
            }
        }
    }
}

fn watch(link: &Link) -> PollFd<'_> {
    let writing = if link.wants_to_write() { PollFlags::OUT } else { PollFlags::empty() };
    PollFd::new(&link.stream, PollFlags::IN | writing)
}

/// Reads what is there and answers it.
fn exchange(link: &mut Link) {
    let mut output = std::mem::take(&mut link.output);
    link.read(|message| append_answer(message, &mut output));
    link.output = output;
    link.write();
}

/// Appends the approval of one of our own requests; one of another kind gets no answer.
fn append_answer(request: &[u8], out: &mut Vec<u8>) {
    let wide = if request.get(4).is_some_and(|digit| *digit >= b'8') { 32 } else { 16 };
    let part = |start: usize, size: usize| request.get(start..start + size);
    let front = 4 + wide;
    let after = front + UP_TO_DATE + EXPIRY;
    let parts = (part(0, 4), part(front, UP_TO_DATE), part(after, UP_TO_RRN));
    let rest =
        part(after + UP_TO_RRN, REST + request.len().saturating_sub(after + UP_TO_RRN + REST));
    let (Some(mti), Some(first), Some(second), Some(rest)) = (parts.0, parts.1, parts.2, rest)
    else {
        return;
    };
    let size = 4 + wide + UP_TO_DATE + UP_TO_RRN + CODES.len() + rest.len();
    out.extend_from_slice(&u16::try_from(size).unwrap_or(u16::MAX).to_be_bytes());
    out.extend_from_slice(&[mti[0], mti[1], b'1', b'0']);
    out.extend_from_slice(bitmap(wide));
    out.extend_from_slice(first);
    out.extend_from_slice(second);
    out.extend_from_slice(CODES);
    out.extend_from_slice(rest);
}

/// DE2, 3, 4, 7, 11, 12, 13, 18, 22, 25, 32, 37, 38, 39, 41, 42, 49, and 90 where there is one.
const fn bitmap(wide: usize) -> &'static [u8] {
    if wide == 16 { b"723844810EC08000" } else { b"F23844810EC080000000004000000000" }
}

#[cfg(test)]
mod tests {
    use codecs::iso8583::{Dialect, Fields};

    use super::*;
    use crate::bench::wire::answer::{self, APPROVED};
    use crate::bench::wire::first_frame;
    use crate::bench::wire::request::{Digits, LocalTime, Template, TestPan};

    #[test]
    fn our_requests_get_answers_that_the_codecs_and_the_generator_read() {
        let at = LocalTime { date: "1123".into(), time: "091500".into() };
        let pan = TestPan::new("9999991212345674").unwrap();
        let dialect = Dialect::shipped("iso87-ascii").unwrap();
        for (template, mti) in
            [(Template::purchase(&at, 1), b"0110"), (Template::reversal(&at, 1), b"0410")]
        {
            let (mut request, mut out) = (Vec::new(), Vec::new());
            let digits = Digits { pan: &pan, stan: 42, rrn: 77, original: 41, repeat: false };
            template.append(&digits, &mut request);
            append_answer(first_frame(&request).unwrap().0, &mut out);
            let (body, size) = first_frame(&out).expect("one frame");
            assert_eq!(size, out.len());
            let mut fields = Fields::new();
            dialect.decode(body, &mut fields).expect("a message of the dialect");
            let read = answer::read(body).expect("an answer");
            assert_eq!((&read.mti, read.stan, read.rrn, read.code), (mti, 42, 77, APPROVED));
        }
    }
}
