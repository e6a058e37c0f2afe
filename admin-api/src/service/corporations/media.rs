//! What a document is, by its own bytes (magic numbers). It owns which kinds are taken; what a
//! sender says of a file, and what the file is called, decides nothing.

/// What is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaType {
    /// A PDF.
    Pdf,
    /// A PNG.
    Png,
    /// A JPEG.
    Jpeg,
}

/// So near to its end a PDF says that it ends.
const TAIL: usize = 1_024;

impl MediaType {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Pdf, Self::Png, Self::Jpeg];

    /// As HTTP calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
        }
    }

    /// At the end of a file's name.
    #[must_use]
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Png => "png",
            Self::Jpeg => "jpg",
        }
    }

    /// The one with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|media| media.name() == name)
    }

    /// What these bytes are: what begins like one of them, and is not cut short where that shows.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let last = |end: &[u8]| {
            let from = bytes.len().saturating_sub(TAIL);
            bytes.get(from..).unwrap_or_default().windows(end.len()).any(|part| part == end)
        };
        if bytes.starts_with(b"%PDF-") {
            return last(b"%%EOF").then_some(Self::Pdf);
        }
        if bytes.starts_with(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR") {
            return last(b"IEND").then_some(Self::Png);
        }
        if bytes.starts_with(b"\xFF\xD8\xFF") {
            return last(b"\xFF\xD9").then_some(Self::Jpeg);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // covers: SR-150
    #[test]
    fn a_document_is_what_its_bytes_are_and_nothing_else_is_taken() {
        let png: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR....IEND\xAE\x42\x60\x82";
        for (bytes, media) in [
            (&b"%PDF-1.7\n1 0 obj\n%%EOF\n"[..], MediaType::Pdf),
            (png, MediaType::Png),
            (b"\xFF\xD8\xFF\xE0..JFIF..\xFF\xD9", MediaType::Jpeg),
        ] {
            assert_eq!(MediaType::of(bytes), Some(media));
            assert_eq!(MediaType::of(&bytes[..bytes.len() / 2]), None, "{media:?}, cut short");
            assert_eq!(MediaType::of(&bytes[1..]), None, "{media:?}, without its beginning");
            assert_eq!(MediaType::named(media.name()), Some(media));
        }
        for bytes in [
            &b""[..],
            b"<html><script>alert(1)</script></html>",
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            b"PK\x03\x04docx",
            b"MZ",
            b" %PDF-1.7 %%EOF",
            b"GIF89a",
            b"\x89PNG",
            b"\xFF\xD8",
        ] {
            assert_eq!(MediaType::of(bytes), None, "{bytes:?}");
        }
        assert_eq!(MediaType::named("text/html"), None);
    }
}
