//! What is no text, by its beginning: finding nothing in it would be taken for good news.

use super::{Log, Trouble};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Bytes of a log's beginning that are looked at.
pub(crate) const LOOK: usize = 4 << 10;
/// A line is no text where more than one in so many of its bytes is none that a line has…
const ODD: usize = 20;
/// …and where more than one in so many is such a byte or no UTF-8. Of random bytes it is every second one; where
/// fields end in a control byte (FIX), or in encodings of 8 bits, it is not both.
const WRONG: usize = 4;
/// What goes on so long without a line's end has to be UTF-8.
const LONG: usize = 1 << 10;
/// Text, where at least one in so many bytes stands in lines that are: packets and other junk may stand between them.
const TEXT: usize = 4;

/// What a file is that is no log, by its first bytes; and what to do with it. It is not searched.
pub(crate) fn foreign(start: &[u8]) -> Option<(&'static str, &'static str)> {
    const UNPACK: &str = "unpack it, and name what was in it";
    const TEXT: &str = "make UTF-8 of it: iconv -f UTF-16 -t UTF-8";
    const PICTURE: &str = "leave it out, or name the logs themselves";
    const PROGRAM: &str = "leave it out; strings writes the texts in it";
    const DOCUMENT: &str = "make text of it: pdftotext, or the program that wrote it";
    Some(match start {
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => ("a zip archive", UNPACK),
        [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => ("a 7z archive", UNPACK),
        [b'R', b'a', b'r', b'!', 0x1a, 7, ..] => ("a rar archive", UNPACK),
        [b'M', b'S', b'C', b'F', 0, ..] => ("a cabinet archive", UNPACK),
        [0x04, 0x22, 0x4d, 0x18, ..] => ("lz4 data", UNPACK),
        [0x1f, 0x9d, ..] => ("data of compress (.Z)", UNPACK),
        [b'L', b'Z', b'I', b'P', 1, ..] => ("lzip data", UNPACK),
        [b'E', b'l', b'f', b'F', b'i', b'l', b'e', 0, ..] => {
            ("a Windows event log", "write it as text first: wevtutil qe FILE /lf:true /f:text")
        }
        [b'L', b'P', b'K', b'S', b'H', b'H', b'R', b'H', ..] => {
            ("a journal of systemd", "write it as text first: journalctl -o short-iso --file FILE")
        }
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => ("text in UTF-16", TEXT),
        // Without a mark: every other byte of what Windows writes is nothing.
        [a, 0, b, 0, c, 0, ..] | [0, a, 0, b, 0, c, ..] if [a, b, c].iter().all(|byte| byte.is_ascii_graphic()) => {
            ("text in UTF-16", TEXT)
        }
        [0xd4, 0xc3, 0xb2, 0xa1, ..]
        | [0xa1, 0xb2, 0xc3, 0xd4, ..]
        | [0x4d, 0x3c, 0xb2, 0xa1, ..]
        | [0xa1, 0xb2, 0x3c, 0x4d, ..]
        | [0x0a, 0x0d, 0x0d, 0x0a, ..] => ("a capture of packets", "make text of it: tshark, zeek or suricata"),
        [b'S', b'Q', b'L', b'i', b't', b'e', b' ', ..] => ("a SQLite database", "write its rows as text first"),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..]
        | [0xff, 0xd8, 0xff, ..]
        | [0, 0, 1 | 2, 0, 1..=255, 0, ..] => ("a picture", PICTURE),
        // Letters alone may begin a text.
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', rest @ ..] if rest.iter().take(LOOK).any(|b| is_odd(*b)) => {
            ("a picture", PICTURE)
        }
        [b'%', b'P', b'D', b'F', b'-', b'1'..=b'9', b'.', ..] => ("a PDF document", DOCUMENT),
        [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, ..] => ("a document or installer of Windows", DOCUMENT),
        [0x7f, b'E', b'L', b'F', ..] => ("a program", PROGRAM),
        [b'M', b'Z', rest @ ..] if rest.iter().take(LOOK).any(|b| *b == 0) => ("a program of Windows", PROGRAM),
        _ => return None,
    })
}

/// What a file seems to be that may be searched and yet hide what is looked for, by its beginning; and what to do.
fn doubtful(start: &[u8]) -> Option<(&'static str, &'static str)> {
    if start.get(257..262) == Some(b"ustar") {
        return Some(("a tar archive", "what is packed in it was not: unpack it, and name what was in it"));
    }
    (!is_text(start)).then_some(("no text, or in an encoding that is not known", "if it is a log, make UTF-8 of it"))
}

/// Says so of what is searched all the same. `size`: of a file whose end can be looked at: one that was cut while its
/// writer went on begins with nothing.
pub(crate) fn doubt(log: &Log, start: &[u8], file: Option<(&File, u64)>) -> Option<Trouble> {
    let mut end = [0; LOOK];
    let mut look = start;
    if let Some((file, size)) = file
        && !start.is_empty()
        && start.iter().all(|b| *b == 0)
        && let Ok(got) = file.read_at(&mut end, size.saturating_sub(LOOK as u64))
    {
        look = &end[..got];
    }
    let (what, mend) = doubtful(look)?;
    Some(Trouble::Doubtful { name: log.name.to_string(), what, mend })
}

/// Says so of what is no log.
pub(crate) fn known(log: &Log, start: &[u8]) -> Result<(), Trouble> {
    match foreign(start) {
        None => Ok(()),
        Some((what, mend)) => Err(Trouble::Foreign { name: log.name.to_string(), what, mend }),
    }
}

/// Reads a file's beginning, as much as is looked at.
pub(crate) fn beginning(file: &File) -> io::Result<Vec<u8>> {
    let mut start = vec![0; LOOK];
    let got = file.read_at(&mut start, 0)?;
    start.truncate(got);
    Ok(start)
}

/// Whether lines of text are more than now and then in it. What was preallocated, or cut while it was written, has
/// zeros around them.
fn is_text(start: &[u8]) -> bool {
    let Some(from) = start.iter().position(|b| *b != 0) else { return start.is_empty() };
    let to = start.iter().rposition(|b| *b != 0).map_or(from, |at| at + 1);
    let text = &start[from..to];
    let good: usize = text.split_inclusive(|b| *b == b'\n').filter(|line| is_line(line)).map(<[u8]>::len).sum();
    good * TEXT >= text.len()
}

/// Whether these bytes may be a line of text, in UTF-8 or an encoding of 8 bits.
fn is_line(line: &[u8]) -> bool {
    let odd = line.iter().filter(|b| is_odd(**b)).count();
    let broken = || line.utf8_chunks().map(|chunk| chunk.invalid().len()).sum::<usize>();
    if odd * ODD > line.len() {
        return (odd + broken()) * WRONG <= line.len();
    }
    line.len() < LONG || broken() * WRONG <= line.len()
}

/// What lines don't have: control bytes, but for spaces, BEL and the escapes of terminals.
fn is_odd(b: u8) -> bool {
    matches!(b, 0..=6 | 0x0e..=0x1a | 0x1c..=0x1f | 0x7f)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes without order, the same each time.
    fn noise(length: usize) -> Vec<u8> {
        let mut state = 1_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        };
        (0..length).map(|_| next()).collect()
    }

    #[test]
    fn what_is_no_log_is_known_by_its_first_bytes() {
        for (start, what) in [
            (&b"PK\x03\x04\x14\0"[..], "zip"),
            (b"\xff\xfee\0v\0", "UTF-16"),
            (b"e\0v\0i\0l\0", "UTF-16"),
            (b"ElfFile\0\0\0", "Windows"),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "picture"),
            (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "picture"),
            (b"GIF89a\x40\0\x40\0", "picture"),
            (b"\0\0\x01\0\x03\0", "picture"),
            (b"%PDF-1.7\n", "PDF"),
            (b"\x7fELF\x02\x01\x01\0", "program"),
            (b"MZ\x90\0\x03\0", "program"),
            (b"LPKSHHRH\0\0", "journal"),
        ] {
            assert!(foreign(start).unwrap().0.contains(what), "{start:?}");
        }
        for text in [
            &b""[..],
            b"PK is how it starts",
            b"1.2.3.4 - -",
            b"\0\0\0\0\0\0\0\0",
            "é".as_bytes(),
            b"GIF89a is a format\n",
            b"MZ is how programs begin\n",
            b"%PDF-files were sent\n",
        ] {
            assert_eq!(foreign(text), None, "{text:?}");
        }
    }

    #[test]
    fn what_is_text_in_any_encoding_is_no_doubt() {
        let packet = noise(700).iter().map(|b| if *b == b'\n' { b'.' } else { *b }).collect::<Vec<u8>>();
        let lines = b"2026-01-02T03:04:05Z host sshd[7]: refused\n".repeat(20);
        let texts = [
            b"".to_vec(),
            b"one line".to_vec(),
            lines.clone(),
            // Arabic in Windows-1256, Cyrillic in KOI8-R, French in Latin-1.
            b"\xcd\xcf\xcb \xce\xd8\xc3 10.0.0.1\n".repeat(100),
            b"\xf3\xd4\xc1\xd4\xd8\xd1 10.0.0.1\r\n".repeat(100),
            b"refus\xe9e\n".repeat(100),
            "حدث خطأ".repeat(500).into_bytes(),
            "\u{1b}[31mred\u{1b}[0m\n".repeat(100).into_bytes(),
            b"8=FIX.4.2\x019=65\x0135=A\x0149=SERVER\x0156=CLIENT\x01\n".repeat(30),
            b"PATH=/usr/bin:/bin\0HOME=/root\0".repeat(40),
            [&lines[..], &packet, b"\n", &lines].concat(),
            [&[0; 3000][..], &lines].concat(),
            [&lines[..], &[0; 3000]].concat(),
        ];
        for text in texts {
            assert_eq!(doubtful(&text), None, "{:?}", String::from_utf8_lossy(&text));
        }
    }

    #[test]
    fn what_is_no_text_is_in_doubt() {
        let tar = [&b"a.log\0"[..], &[0; 251], b"ustar\0", &b"a line\n".repeat(100)].concat();
        let login = [&[7, 0, 0, 0, 42, 0, 0, 0][..], b"pts/0", &[0; 27], b"root", &[0; 60]].concat().repeat(40);
        for bytes in [noise(LOOK), noise(900), vec![0; LOOK], vec![0xff; LOOK], tar, login] {
            assert!(doubtful(&bytes).is_some(), "{:?}", &bytes[..20]);
        }
    }
}
