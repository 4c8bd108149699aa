//! Text lists as people publish them: maltrail, ipsum, hosts files, plain. `#`, `;` and `//` begin
//! comments; blank lines are part of the file.

use super::{Line, cut, draft, each_line};
use crate::{Input, ReadError};
use manara_model::observable::{self, is_local, split_remark};
use manara_model::record::{Found, PartDraft, Rejection, Sink, Slot};

pub(crate) fn text<S: Sink>(input: &mut Input, sink: &mut S) -> Result<(), ReadError<S::Error>> {
    let (name, draft) = (input.name().to_owned(), draft(input, "text")?);
    if !sink.begin(draft).map_err(ReadError::Sink)? {
        return Ok(());
    }
    let mut comments = Comments::default();
    each_line(input, sink, |sink, Line { number, text }| {
        let mut part = PartDraft::new(Slot::Line, text);
        let (value, comment) = split_remark(text);
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
        let (value, _) = split_remark(text);
        let found = found(value);
        if !value.is_empty() && (!found.is_empty() || !is_local(value)) {
            take(sink, Listed { number, value, found });
        }
        Ok(())
    })?;
    sink.end().map_err(ReadError::Sink)
}

fn found(value: &str) -> Vec<Found> {
    observable::listed(value).into_iter().map(|observable| Found { observable, detect: true }).collect()
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
