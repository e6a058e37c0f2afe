//! As much of HTTP/1.1 as the answers of the API need. Must take for an answer nothing that is not
//! a whole one.

/// The first whole answer: its status, and how many bytes it is.
///
/// # Errors
/// It is none that this reads.
pub(super) fn first_answer(bytes: &[u8]) -> Result<Option<(u16, usize)>, &'static str> {
    let Some(head) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let text = std::str::from_utf8(&bytes[..head]).map_err(|_| "a head that is no text")?;
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 "));
    let status = status.and_then(|line| line.get(..3)?.parse::<u16>().ok());
    let status = status.ok_or("a first line that is none")?;
    let mut length = None;
    for line in lines {
        let Some((name, value)) = line.split_once(':') else { return Err("a header without a :") };
        if name.eq_ignore_ascii_case("content-length") {
            length = Some(value.trim().parse::<usize>().map_err(|_| "a length that is none")?);
        }
        if name.eq_ignore_ascii_case("transfer-encoding") {
            return Err("an answer in pieces");
        }
    }
    let length = match length {
        Some(length) => length,
        None if status == 204 => 0,
        None => return Err("an answer of no length"),
    };
    let whole = head + 4 + length;
    Ok((bytes.len() >= whole).then_some((status, whole)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_once_it_is_whole() {
        let answer = b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 3\r\na: b\r\n\r\n{}\nHTT";
        let whole = answer.len() - 3;
        assert_eq!(first_answer(answer), Ok(Some((429, whole))));
        for cut in 0..whole {
            assert_eq!(first_answer(&answer[..cut]), Ok(None), "{cut}");
        }
        assert_eq!(first_answer(b"HTTP/1.1 204 No Content\r\nx: y\r\n\r\n"), Ok(Some((204, 33))));
    }

    #[test]
    fn what_is_no_answer_is_none() {
        for wrong in [
            &b"SSH-2.0\r\n\r\n"[..],
            b"HTTP/1.1 2x0 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nnothing\r\n\r\n",
        ] {
            assert!(first_answer(wrong).is_err());
        }
    }
}
