//! Text lists as people publish them: maltrail, ipsum, hosts files, plain. `#`, `;` and `//` begin
//! comments; blank lines are part of the file.

use super::{Line, cut, draft, each_line};
use crate::{Input, ReadError};
use manara_model::observable::guess_listed;
use manara_model::record::{Found, PartDraft, Rejection, Sink, Slot};

/// Addresses that a hosts file sends bad names to; they are not bad themselves.
const SINKS: &[&str] = &["0.0.0.0", "127.0.0.1", "::", "::1", "255.255.255.255", "127.0.1.1", "fe80::1%lo0", "ff02::1"];
/// Names that a hosts file holds for the machine itself.
const LOCAL: &[&str] =
    &["localhost", "localhost.localdomain", "local", "broadcasthost", "ip6-localhost", "ip6-loopback", "0.0.0.0"];

pub(crate) fn text<S: Sink>(input: &mut Input, sink: &mut S) -> Result<(), ReadError<S::Error>> {
    let (name, draft) = (input.name().to_owned(), draft(input, "text")?);
    if !sink.begin(draft).map_err(ReadError::Sink)? {
        return Ok(());
    }
    let mut comments = Comments::default();
    each_line(input, sink, |sink, Line { number, text }| {
        let mut part = PartDraft::new(Slot::Line, text);
        let (value, comment) = split_comment(text);
        if value.is_empty() {
            part.comment = comments.once(comment);
        } else {
            part.found = found(value);
            if part.found.is_empty() && !is_local(value) {
                let reason = format!(
                    "'{}' is no address, name, URL, hash or other value known here; kept, but not searchable",
                    cut(value)
                );
                sink.reject(Rejection { file: name.clone(), place: format!("line {number}"), reason });
            }
        }
        sink.part(part).map_err(ReadError::Sink)
    })?;
    sink.end().map_err(ReadError::Sink)
}

/// A line of a list that is no remark.
#[derive(Debug)]
pub struct Listed<'l> {
    /// Its number, from 1.
    pub number: u64,
    /// What stands before a remark.
    pub value: &'l str,
    /// What it holds; nothing where it is not known.
    pub found: Vec<Found>,
}

/// Goes through a list of which only the values matter: it begins and ends as a record, without parts. Lines that
/// can't be read go to [`Sink::reject`]; what to make of a value that is not known is up to `take`.
///
/// # Errors
/// As [`crate::read`].
pub fn listed<S: Sink>(
    input: &mut Input,
    sink: &mut S,
    mut take: impl FnMut(&mut S, Listed<'_>),
) -> Result<(), ReadError<S::Error>> {
    let draft = draft(input, "text")?;
    if !sink.begin(draft).map_err(ReadError::Sink)? {
        return Ok(());
    }
    each_line(input, sink, |sink, Line { number, text }| {
        let (value, _) = split_comment(text);
        let found = found(value);
        if !value.is_empty() && (!found.is_empty() || !is_local(value)) {
            take(sink, Listed { number, value, found });
        }
        Ok(())
    })?;
    sink.end().map_err(ReadError::Sink)
}

/// What stands before a comment, and the comment.
pub(super) fn split_comment(text: &str) -> (&str, &str) {
    let text = text.trim();
    if text.starts_with(['#', ';']) || text.starts_with("//") || text.starts_with('!') {
        return ("", text.trim_start_matches(['#', ';', '/', '!', ' ']));
    }
    // A URL may hold # and ;: only after a blank do they begin a comment.
    let cut = [" #", "\t#", " ;", " //"].iter().filter_map(|sign| text.find(sign)).min();
    match cut {
        Some(at) => (text[..at].trim_end(), text[at..].trim_start_matches(['#', ';', '/', ' ', '\t'])),
        None => (text, ""),
    }
}

fn found(value: &str) -> Vec<Found> {
    let detect = |observable| Found { observable, detect: true };
    let mut words = value.split_whitespace();
    let (Some(first), second) = (words.next(), words.next()) else { return Vec::new() };
    match second {
        None => guess_listed(first).map(detect).into_iter().collect(),
        // hosts: where to send, then the names.
        Some(second) if SINKS.contains(&first) => std::iter::once(second)
            .chain(words)
            .filter(|name| !LOCAL.contains(name))
            .filter_map(guess_listed)
            .map(detect)
            .collect(),
        // ipsum: an address and how many lists it is on; others: a value and a remark.
        Some(_) => guess_listed(first).map(detect).into_iter().collect(),
    }
}

fn is_local(value: &str) -> bool {
    value.split_whitespace().skip(usize::from(value.contains(char::is_whitespace))).all(|word| LOCAL.contains(&word))
}

/// The first comments of a list are worth finding; those after every tenth line are not.
#[derive(Default)]
struct Comments(usize);

impl Comments {
    fn once(&mut self, comment: &str) -> String {
        self.0 += 1;
        if self.0 <= 50 { comment.to_owned() } else { String::new() }
    }
}
