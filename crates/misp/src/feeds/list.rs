//! Lists: values in a text or in columns, as the feed's settings say. They are read by the readers that
//! `manara import` has; a row in which nothing is found is told with its place, and stops nothing.

use super::FeedError;
use manara_formats::{Columns, Input, ReadError};
use manara_model::observable::{Observable, extract};
use manara_model::record::{PartDraft, RecordDraft, Rejection, Sink, telling, text_of};
use manara_store::entries::Entry;
use regex::Regex;
use serde_json::Value;

/// How a list is read.
pub(super) struct Reading {
    /// Columns with values, where the settings name them.
    columns: Option<Columns>,
    csv: bool,
    exclude: Option<Regex>,
}

/// What became of a list's rows.
#[derive(Default)]
pub(super) struct Rows {
    /// Rows that the feed's settings leave out.
    pub(super) excluded: usize,
    /// Rows in which nothing was found.
    pub(super) rejected: usize,
    /// The first of them.
    pub(super) rejections: Vec<Rejection>,
}

/// Rejections that are named; beyond it they are counted.
pub(super) const NAMED: usize = 50;

impl Rows {
    fn reject(&mut self, rejection: Rejection) {
        self.rejected += 1;
        if self.rejections.len() < NAMED {
            self.rejections.push(rejection.tidied());
        }
    }
}

/// A pattern as MISP has it: between signs, with letters behind (`/^#/i`), or bare.
fn pattern(text: &str) -> Result<Option<Regex>, FeedError> {
    let text = text.trim();
    let Some(sign) = text.chars().next() else { return Ok(None) };
    let end = text
        .rfind(sign)
        .filter(|end| *end > 0 && !sign.is_alphanumeric() && !matches!(sign, '\\' | '^' | '(' | '[' | '.'));
    let (pattern, letters) = match end {
        Some(end) => (&text[sign.len_utf8()..end], &text[end + sign.len_utf8()..]),
        None => (text, ""),
    };
    let known: String = letters.chars().filter(|letter| "imsx".contains(*letter)).collect();
    let whole = if known.is_empty() { pattern.to_owned() } else { format!("(?{known}){pattern}") };
    // `\/` is needed between slashes only.
    let made = regex::RegexBuilder::new(&whole.replace("\\/", "/")).size_limit(1 << 20).build();
    made.map(Some).map_err(|error| FeedError::Setup(format!("excluderegex: {}", telling(&error.to_string()))))
}

impl Reading {
    /// As the feed's settings say.
    pub(super) fn of(entry: &Entry) -> Result<Reading, FeedError> {
        let settings: Value = match entry.body.get("settings") {
            Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
            value => value.cloned().unwrap_or_default(),
        };
        let text = |pointer: &str| text_of(settings.pointer(pointer)).unwrap_or_default().into_owned();
        let csv = text_of(entry.body.get("source_format")).is_some_and(|format| format == "csv");
        let named = text("/csv/value");
        let mut columns = Vec::new();
        for column in named.split(',').map(str::trim).filter(|column| !column.is_empty()) {
            match column.parse::<usize>() {
                Ok(n) if n > 0 => columns.push(n - 1),
                _ => {
                    let why =
                        format!("settings csv.value: '{}' is no number of a column; the first is 1", telling(column));
                    return Err(FeedError::Setup(why));
                }
            }
        }
        let delimiter = match text("/csv/delimiter").as_str() {
            "" => b',',
            "\\t" | "\t" => b'\t',
            one if one.len() == 1 => one.as_bytes()[0],
            other => {
                let why = format!("settings csv.delimiter: '{}' is not one sign; give one, or \\t", telling(other));
                return Err(FeedError::Setup(why));
            }
        };
        let columns = (csv && !columns.is_empty()).then_some(Columns { delimiter, columns });
        Ok(Reading { columns, csv, exclude: pattern(&text("/common/excluderegex"))? })
    }

    /// Hands on each value, in the order of the list; the same may come several times.
    pub(super) fn each(
        &self,
        input: &mut Input,
        take: &mut dyn FnMut(&Observable) -> Result<(), FeedError>,
    ) -> Result<Rows, FeedError> {
        no_page(input)?;
        let mut sink = Values { reading: self, rows: Rows::default(), pending: None, take };
        let read = match &self.columns {
            Some(columns) => manara_formats::read_columns(columns, input, &mut sink),
            None => {
                let name = if self.csv { "csv" } else { "text" };
                let format =
                    manara_formats::format(name).ok_or_else(|| FeedError::Setup(format!("no reader for {name}")))?;
                manara_formats::read(format, input, &mut sink)
            }
        };
        sink.settle();
        let rows = sink.rows;
        match read {
            Ok(()) => Ok(rows),
            Err(ReadError::Input(error)) => Err(FeedError::Content(error.to_string())),
            Err(ReadError::Sink(error)) => Err(error),
        }
    }
}

/// A page for people (an error, a log-in, a consent) is no list, though values may stand in it; nor is an
/// archive that is not unpacked here.
pub(super) fn no_page(input: &mut Input) -> Result<(), FeedError> {
    let name = input.name().to_owned();
    let mut begin = Vec::new();
    let reader = input.reader().map_err(|error| FeedError::Content(error.to_string()))?;
    std::io::Read::read_to_end(&mut std::io::Read::take(reader, 512), &mut begin)
        .map_err(|error| FeedError::Content(telling(&error.to_string())))?;
    if begin.starts_with(b"PK\x03\x04") {
        return Err(FeedError::Content(format!("{name} is a ZIP archive; gzip and zstd are unpacked, ZIP is not")));
    }
    let text = String::from_utf8_lossy(&begin).trim_start_matches('\u{feff}').trim_start().to_ascii_lowercase();
    if text.starts_with("<!doctype html") || text.starts_with("<html") {
        return Err(FeedError::Content(format!("{name} is a page for people, not the feed: is this its address?")));
    }
    Ok(())
}

/// Takes what the readers find.
struct Values<'r, 't> {
    reading: &'r Reading,
    rows: Rows,
    /// The reader found nothing; perhaps it is prose.
    pending: Option<Rejection>,
    take: &'t mut dyn FnMut(&Observable) -> Result<(), FeedError>,
}

impl Values<'_, '_> {
    fn settle(&mut self) {
        if let Some(rejection) = self.pending.take() {
            self.rows.reject(rejection);
        }
    }
}

impl Sink for Values<'_, '_> {
    type Error = FeedError;

    fn begin(&mut self, _draft: RecordDraft) -> Result<bool, FeedError> {
        Ok(true)
    }

    fn part(&mut self, part: PartDraft) -> Result<(), FeedError> {
        if self.reading.exclude.as_ref().is_some_and(|pattern| pattern.is_match(&part.raw)) {
            self.pending = None;
            self.rows.excluded += 1;
            return Ok(());
        }
        for found in &part.found {
            (self.take)(&found.observable)?;
        }
        if self.pending.is_some() && !self.reading.csv {
            let mut any = false;
            for found in extract(&part.raw) {
                any = true;
                (self.take)(&found.observable)?;
            }
            if any {
                self.pending = None;
            }
        }
        self.settle();
        Ok(())
    }

    fn end(&mut self) -> Result<(), FeedError> {
        Ok(())
    }

    fn abandon(&mut self) {}

    fn reject(&mut self, rejection: Rejection) {
        // A line that can't be read has no part that follows it.
        self.settle();
        self.pending = Some(rejection);
    }

    fn warn(&mut self, _warning: Rejection) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use manara_formats::Limits;
    use serde_json::json;

    fn entry(format: &str, settings: Value) -> Entry {
        let body = json!({"source_format": format, "settings": settings.to_string()});
        Entry { id: 1, kind: "feed".into(), name: "f".into(), org: None, account: None, body, created: 0, modified: 0 }
    }

    fn read(format: &str, settings: Value, text: &str) -> (Vec<String>, Rows) {
        let mut input = Input::from_reader("list", text.as_bytes(), Limits::default()).unwrap();
        let mut values = Vec::new();
        let rows = Reading::of(&entry(format, settings)).unwrap().each(&mut input, &mut |found| {
            values.push(found.value().to_owned());
            Ok(())
        });
        (values, rows.unwrap())
    }

    #[test]
    fn values_are_found_and_bad_rows_are_told() {
        let (values, rows) = read(
            "freetext",
            json!({}),
            "# a list of evil.example.net\n198.51.100.7\nhxxp://bad.example.org/x # seen\nseen at c2[.]example[.]com, 203.0.113.9\nnothing here\n\n0.0.0.0 ads.example.com\n",
        );
        assert_eq!(
            values,
            ["198.51.100.7", "http://bad.example.org/x", "c2.example.com", "203.0.113.9", "ads.example.com"]
        );
        assert_eq!((rows.rejected, rows.rejections[0].place.as_str()), (1, "line 5"));
    }

    #[test]
    fn columns_by_number() {
        let text = "id;ip;name\n1;198.51.100.7;a.example.com\n2;\"203.0.113.9\";\n3;nonsense;b.example.com\n4\n";
        let settings = json!({"csv": {"value": "2,3", "delimiter": ";"}});
        let (values, rows) = read("csv", settings, text);
        assert_eq!(values, ["198.51.100.7", "a.example.com", "203.0.113.9", "b.example.com"]);
        assert_eq!((rows.rejected, rows.rejections[0].place.as_str()), (1, "line 5"));
        for bad in [json!({"csv": {"value": "0"}}), json!({"csv": {"value": "x"}}), json!({"csv": {"delimiter": "ab"}})]
        {
            assert!(Reading::of(&entry("csv", bad)).is_err());
        }
    }

    #[test]
    fn rows_are_left_out_by_a_pattern() {
        let text = "http://keep.example.org/a\nHTTP://DROP.example.org/b\n";
        let (values, rows) = read("freetext", json!({"common": {"excluderegex": "/^https?:\\/\\/drop/i"}}), text);
        assert_eq!((values.len(), rows.excluded, rows.rejected), (1, 1, 0));
        assert!(pattern("").unwrap().is_none() && pattern("#^a#").unwrap().unwrap().is_match("abc"));
        assert!(pattern("^drop").unwrap().unwrap().is_match("drop") && pattern("/(/").is_err());
    }

    #[test]
    fn a_page_is_no_list() {
        let mut input =
            Input::from_reader("l", &b" <!DOCTYPE HTML>\n<a href=http://x.example.org/>"[..], Limits::default())
                .unwrap();
        let read = Reading::of(&entry("freetext", json!({}))).unwrap().each(&mut input, &mut |_| Ok(()));
        assert!(matches!(read, Err(FeedError::Content(_))));
        let mut input = Input::from_reader("l", &b"PK\x03\x04\n198.51.100.7\n"[..], Limits::default()).unwrap();
        assert!(no_page(&mut input).unwrap_err().to_string().contains("ZIP"));
    }
}
