//! CSV and TSV as feeds publish them, with a header or without: the column of values is found by its
//! name, or by looking at what stands in it. Zeek's intelligence files are read by their `#fields`.

use super::{Line, alone, cut, draft, each_line};
use crate::{Input, InputError, ReadError};
use manara_model::observable::{Observable, Type, guess_listed, normalise};
use manara_model::record::{Found, PartDraft, Rejection, Sink, Slot};

/// Names of columns that hold values, and their types where the name says it.
const COLUMNS: &[(&str, Option<&str>)] = &[
    ("indicator", None),
    ("indicator_value", None),
    ("value", None),
    ("ioc", None),
    ("ioc_value", None),
    ("observable", None),
    ("domain", None),
    ("hostname", None),
    ("host", None),
    ("fqdn", None),
    ("ip", None),
    ("ip_address", None),
    ("ipaddress", None),
    ("dst_ip", None),
    ("src_ip", None),
    ("address", None),
    ("url", Some("url")),
    ("md5", Some("md5")),
    ("md5_hash", Some("md5")),
    ("sha1", Some("sha1")),
    ("sha1_hash", Some("sha1")),
    ("sha256", Some("sha256")),
    ("sha256_hash", Some("sha256")),
    ("hash", None),
    ("email", Some("email")),
    ("filename", Some("filename")),
    ("file_name", Some("filename")),
    ("cve", Some("cve")),
];

/// Names of columns that say something of the values in their row. In `tags` several stand, with commas between.
const SAYS: &[&str] = &[
    "threat",
    "threat_type",
    "tags",
    "tag",
    "family",
    "malware",
    "malware_family",
    "malware_printable",
    "signature",
    "listingreason",
    "category",
    "comment",
    "description",
    "meta.desc",
];
/// What stands there where nothing is said.
const NOTHING: &[&str] = &["", "-", "none", "null", "n/a", "unknown"];

/// Columns that hold values, where somebody knows which: counted from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// What stands between two fields.
    pub delimiter: u8,
    /// The columns.
    pub columns: Vec<usize>,
}

/// How rows are read.
struct Shape {
    delimiter: u8,
    /// Columns with values; empty: guess in every column of the row.
    columns: Vec<(usize, Option<Type>)>,
    /// Columns that say something of the values.
    says: Vec<usize>,
    /// The line that names the columns.
    header: Option<u64>,
}

pub(crate) fn csv<S: Sink>(input: &mut Input, sink: &mut S) -> Result<(), ReadError<S::Error>> {
    let shape = shape(input)?;
    rows(&shape, input, sink)
}

/// Reads columns that somebody named.
pub(crate) fn columns<S: Sink>(named: &Columns, input: &mut Input, sink: &mut S) -> Result<(), ReadError<S::Error>> {
    let mut shape = Shape {
        delimiter: named.delimiter,
        columns: named.columns.iter().map(|column| (*column, None)).collect(),
        says: Vec::new(),
        header: None,
    };
    // A first line without a value, with words in these columns, names them.
    let first = sample(input)?.lines().next().and_then(|line| row(line, shape.delimiter));
    let words = |fields: &Vec<String>| {
        named
            .columns
            .iter()
            .all(|column| fields.get(*column).is_some_and(|field| field.chars().any(char::is_alphabetic)))
    };
    if first.is_some_and(|fields| shape.found(&fields).is_empty() && words(&fields)) {
        shape.header = Some(1);
    }
    rows(&shape, input, sink)
}

fn rows<S: Sink>(shape: &Shape, input: &mut Input, sink: &mut S) -> Result<(), ReadError<S::Error>> {
    let (name, draft) = (input.name().to_owned(), draft(input, "csv")?);
    if !sink.begin(draft).map_err(ReadError::Sink)? {
        return Ok(());
    }
    each_line(input, sink, |sink, Line { number, text }| {
        let mut part = PartDraft::new(Slot::Line, text);
        let comment = text.starts_with('#') || text.trim().is_empty();
        if !comment && shape.header != Some(number) {
            match row(text, shape.delimiter) {
                Some(fields) => {
                    part.found = shape.found(&fields);
                    part.says = shape.says(&fields);
                    if part.found.is_empty() {
                        let reason = format!("no value known here in '{}'; kept, but not searchable", cut(text));
                        sink.reject(Rejection { file: name.clone(), place: format!("line {number}"), reason });
                    }
                }
                None => {
                    let reason = "is no row of CSV: a quote is not closed; kept, but not searchable".into();
                    sink.reject(Rejection { file: name.clone(), place: format!("line {number}"), reason });
                }
            }
        }
        sink.part(part).map_err(ReadError::Sink)
    })?;
    sink.end().map_err(ReadError::Sink)
}

/// The fields of one line; `None`: a quote is not closed.
pub(crate) fn row(text: &str, delimiter: u8) -> Option<Vec<String>> {
    if !text.contains('"') {
        return Some(
            text.trim_end_matches('\r').split(char::from(delimiter)).map(|field| field.trim().to_owned()).collect(),
        );
    }
    if text.matches('"').count() % 2 == 1 {
        return None;
    }
    let mut reader =
        ::csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(text.as_bytes());
    let record = reader.records().next()?.ok()?;
    Some(record.iter().map(|field| field.trim().to_owned()).collect())
}

/// The delimiter of a line: the one that there are most of.
pub(crate) fn delimiter(line: &str) -> Option<u8> {
    [b',', b'\t', b';', b'|']
        .into_iter()
        .map(|sign| (line.bytes().filter(|b| *b == sign).count(), sign))
        .filter(|(count, _)| *count > 0)
        .max_by_key(|(count, sign)| (*count, *sign == b','))
        .map(|(_, sign)| sign)
}

/// The beginning of an input.
fn sample(input: &mut Input) -> Result<String, InputError> {
    let name = input.name().to_owned();
    let mut sample = Vec::new();
    let reader = input.reader()?;
    std::io::Read::read_to_end(&mut std::io::Read::take(reader, 64 * 1024), &mut sample)
        .map_err(|e| InputError::new(&name, "", e.to_string()))?;
    Ok(String::from_utf8_lossy(&sample).into_owned())
}

/// The line that names a table's columns.
pub(crate) struct Header {
    number: u64,
    delimiter: u8,
    fields: Vec<String>,
}

impl Header {
    /// What stands between two fields.
    pub(crate) fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// Whether these lines are rows below it, mostly. Of one column only if no line says more than a value.
    pub(crate) fn fits(&self, lines: &[&str]) -> bool {
        let width = self.fields.len();
        let rows = lines.iter().map(|line| row(line, self.delimiter).map_or(0, |fields| fields.len()));
        match width {
            1 => lines.iter().all(|line| !line.trim().contains([' ', '\t', '#'])),
            _ => rows.filter(|fields| *fields >= width).count() * 2 >= lines.len(),
        }
    }
}

/// The header of a table; some feeds comment it out.
pub(crate) fn header(text: &str) -> Option<Header> {
    let mut begun = false;
    for (number, line) in (1u64..).zip(text.lines()) {
        if let Some(fields) = line.strip_prefix("#fields") {
            let fields = fields.trim_start().split('\t').map(str::to_owned).collect();
            return Some(Header { number, delimiter: b'\t', fields });
        }
        let bare = line.trim_start_matches(['#', ' ']);
        let is_remark = line.starts_with('#');
        let delimiter = match delimiter(bare) {
            Some(delimiter) => delimiter,
            // One word names a column if nothing stands before it; in a remark it is just a word.
            None if is_remark || bare.trim().is_empty() || begun => continue,
            None => b',',
        };
        begun |= !is_remark;
        let fields = row(bare, delimiter).unwrap_or_default();
        let names = !named(fields.iter().map(String::as_str)).is_empty();
        // A sentence has commas too.
        let are_names = |field: &String| field.len() <= 40 && !field.ends_with('.') && field.split(' ').count() <= 3;
        if names && fields.iter().all(|field| are_names(field) && alone(field).is_none()) {
            return Some(Header { number, delimiter, fields });
        }
        if fields.len() > 1 && !is_remark {
            return None;
        }
    }
    None
}

fn shape(input: &mut Input) -> Result<Shape, InputError> {
    let text = sample(input)?;
    if let Some(Header { number, delimiter, fields }) = header(&text) {
        let fields = || fields.iter().map(String::as_str);
        return Ok(Shape { delimiter, columns: named(fields()), says: saying(fields()), header: Some(number) });
    }
    let rows = (1u64..).zip(text.lines()).filter(|(_, line)| !line.starts_with('#'));
    let mut first = rows.filter_map(|(number, line)| {
        let delimiter = delimiter(line)?;
        Some((number, delimiter, row(line, delimiter)?))
    });
    let Some((number, delimiter, fields)) = first.next() else {
        return Ok(Shape { delimiter: b',', columns: Vec::new(), says: Vec::new(), header: None });
    };
    let header = (number == 1 && fields.iter().all(|field| alone(field).is_none())).then_some(number);
    Ok(Shape { delimiter, columns: Vec::new(), says: Vec::new(), header })
}

fn named<'f>(fields: impl Iterator<Item = &'f str>) -> Vec<(usize, Option<Type>)> {
    let column = |(n, field): (usize, &str)| {
        let field = plain(field);
        COLUMNS.iter().find(|(name, _)| *name == field).map(|(_, ty)| (n, ty.and_then(Type::by_name)))
    };
    fields.enumerate().filter_map(column).collect()
}

/// The columns that say something of the values.
fn saying<'f>(fields: impl Iterator<Item = &'f str>) -> Vec<usize> {
    (0..).zip(fields).filter(|(_, field)| SAYS.contains(&plain(field).as_str())).map(|(n, _)| n).collect()
}

/// The name of a column as the tables here have it.
fn plain(name: &str) -> String {
    name.trim().trim_matches('"').to_ascii_lowercase().replace([' ', '-'], "_")
}

impl Shape {
    fn says(&self, fields: &[String]) -> Vec<String> {
        let fields = self.says.iter().filter_map(|n| fields.get(*n));
        // A sentence has commas too.
        let words = fields.flat_map(|field| {
            let one = field.contains(", ");
            field.split(move |c| c == ',' && !one)
        });
        let said = words.map(str::trim).filter(|word| !NOTHING.contains(&word.to_ascii_lowercase().as_str()));
        said.map(str::to_owned).collect()
    }

    fn found(&self, fields: &[String]) -> Vec<Found> {
        let mut found: Vec<Found> = Vec::new();
        let mut push = |observable: Observable| {
            let new = Found { observable, detect: true };
            if !found.contains(&new) {
                found.push(new);
            }
        };
        for (n, ty) in &self.columns {
            let Some(field) = fields.get(*n).filter(|field| !field.is_empty()) else { continue };
            let typed = ty.and_then(|ty| normalise(ty, field).ok());
            if let Some(observable) = typed.or_else(|| guess_listed(field)) {
                push(observable);
            }
        }
        if self.columns.is_empty() {
            // Without names: the first field that is a value, since the others tell of it.
            if let Some(observable) = fields.iter().find_map(|field| alone(field)) {
                push(observable);
            }
        }
        found
    }
}
