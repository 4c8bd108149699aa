//! The formats of a search's answer.

use crate::answer::{Answer, Fault};
use crate::context::Context;
use crate::shape::{Scribe, body_of, halves};
use manara_formats::{WriteOptions, Writer, writer};
use manara_model::record::{flag_of, text_of};
use manara_model::{Cleared, Part, Purpose};
use manara_store::view::{EventRow, View};
use md5::{Digest, Md5};
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::{self, Write};
use std::rc::Rc;

/// A format by MISP's name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Format {
    /// As it is asked for.
    pub name: &'static str,
    /// Its media type.
    media: &'static str,
    way: Way,
    /// For detection: what its author flags for it, of published events, unless something else is asked.
    pub detect_only: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Json,
    Xml,
    Csv,
    Count,
    Values,
    Hashes,
    Cache,
    /// Attributes of these types, as they are.
    Rules(&'static [&'static str]),
    /// A writer of the node's own formats.
    Own(&'static str),
    OpenIoc,
    Netfilter,
    Tags,
    Nothing,
}

const fn format(name: &'static str, media: &'static str, way: Way, detect_only: bool) -> Format {
    Format { name, media, way, detect_only }
}

/// The table of formats.
pub(crate) const FORMATS: &[Format] = &[
    format("json", "application/json", Way::Json, false),
    format("xml", "application/xml", Way::Xml, false),
    format("csv", "text/csv", Way::Csv, false),
    format("text", "text/plain", Way::Values, true),
    format("values", "text/plain", Way::Values, false),
    format("hashes", "text/plain", Way::Hashes, true),
    format("cache", "text/plain", Way::Cache, false),
    format("count", "text/plain", Way::Count, false),
    format("stix2", "application/json", Way::Own("stix"), false),
    format("suricata", "text/plain", Way::Own("suricata"), true),
    format("snort", "text/plain", Way::Own("snort"), true),
    format("bro", "text/plain", Way::Own("zeek"), true),
    format("zeek", "text/plain", Way::Own("zeek"), true),
    format("rpz", "text/plain", Way::Own("rpz"), true),
    format("yara", "text/plain", Way::Rules(&["yara"]), false),
    format("sigma", "text/plain", Way::Rules(&["sigma"]), false),
    format("openioc", "application/xml", Way::OpenIoc, true),
    format("netfilter", "text/plain", Way::Netfilter, false),
    format("attack", "application/json", Way::Tags, false),
    format("context", "application/json", Way::Tags, false),
    format("attack-sightings", "application/json", Way::Nothing, false),
];

impl Format {
    /// As the options (or `Accept`) ask for it.
    ///
    /// # Errors
    /// 404, as MISP says it.
    pub(crate) fn of(options: &Map<String, Value>, _attributes: bool) -> Result<Format, Fault> {
        let name = text_of(options.get("returnFormat")).filter(|name| !name.is_empty()).unwrap_or("json".into());
        FORMATS
            .iter()
            .find(|format| format.name.eq_ignore_ascii_case(&name))
            .copied()
            .ok_or_else(|| Fault::new(404, "Invalid output format."))
    }

    /// Made of single attributes, whichever search it is.
    #[must_use]
    pub(crate) fn is_of_attributes(&self) -> bool {
        !matches!(self.way, Way::Json | Way::Xml) && !self.is_of_whole_events()
    }

    /// Written by a writer that reads whole events.
    #[must_use]
    pub(crate) fn is_of_whole_events(&self) -> bool {
        self.way == Way::Own("stix")
    }

    /// Are galaxies shown beside tags?
    #[must_use]
    pub(crate) fn shows_galaxies(&self) -> bool {
        matches!(self.way, Way::Json | Way::Xml)
    }

    /// Are they counted?
    #[must_use]
    pub(crate) fn counts_galaxies(&self) -> bool {
        self.way == Way::Tags
    }

    /// What the answer is for: block lists are blocked by, and PAP has a say in that.
    #[must_use]
    pub(crate) fn purpose(&self) -> Purpose {
        match self.way {
            Way::Own(name) => manara_formats::format(name).map_or(Purpose::Read, |format| format.purpose),
            Way::Netfilter => Purpose::Block,
            _ => Purpose::Read,
        }
    }
}

/// One end of an answer that a writer writes into.
#[derive(Clone)]
struct Target(Rc<RefCell<Answer>>);

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An answer in the making.
pub(crate) struct Output {
    format: Format,
    target: Target,
    events: bool,
    count: u64,
    columns: Vec<String>,
    seen: HashSet<[u8; 16]>,
    own: Option<Box<dyn Writer>>,
    own_event: Option<i64>,
    own_object: Option<u32>,
    tags: BTreeMap<String, u64>,
    with_uuid: bool,
}

const COLUMNS: &[&str] = &[
    "uuid",
    "event_id",
    "category",
    "type",
    "value",
    "comment",
    "to_ids",
    "date",
    "object_relation",
    "attribute_tag",
    "object_uuid",
    "object_name",
    "object_meta_category",
];
const CONTEXT_COLUMNS: &[&str] = &[
    "event_info",
    "event_member_org",
    "event_source_org",
    "event_distribution",
    "event_threat_level_id",
    "event_analysis",
    "event_date",
    "event_tag",
    "event_timestamp",
];

/// Rules are made of values; and rules that people wrote go out as they are.
const SNORT: &str = "snort";
const SNORT_HEAD: &str = "# Rules for Snort: values that their authors flag for detection, of published events.\n\
     # They speak of HOME_NET, EXTERNAL_NET and HTTP_PORTS, which are yours to set.\n";

impl Output {
    /// Begins an answer.
    ///
    /// # Errors
    /// It can't be written.
    pub(crate) fn begin(
        context: &Context<'_>,
        format: Format,
        options: &Map<String, Value>,
        events: bool,
    ) -> Result<Output, Fault> {
        let target = Target(Rc::new(RefCell::new(Answer::new(format.media))));
        let mut out = target.clone();
        let mut columns: Vec<String> = COLUMNS.iter().map(|name| (*name).to_owned()).collect();
        if flag_of(options.get("includeContext")) {
            columns.extend(CONTEXT_COLUMNS.iter().map(|name| (*name).to_owned()));
        }
        if let Some(Value::Array(asked)) = options.get("requested_attributes") {
            columns = asked.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        }
        let mut own = None;
        match format.way {
            Way::Json if events => out.write_all(b"{\"response\":[")?,
            Way::Json => out.write_all(b"{\"response\":{\"Attribute\":[")?,
            Way::Xml => out.write_all(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<response>")?,
            Way::Csv if !flag_of(options.get("headerless")) => writeln!(out, "{}", columns.join(","))?,
            Way::Own(name) => {
                if name == SNORT {
                    out.write_all(SNORT_HEAD.as_bytes())?;
                }
                let whole = format.is_of_whole_events();
                let write = WriteOptions {
                    kept_tags: if whole { context.store.kept_tags()? } else { BTreeSet::new() },
                    now: context.now * 1000,
                    warning_lists: Some(context.warnings.get(context.store)?),
                    origin: context.store.facts()?.name(context.store.node_org()?),
                    ..WriteOptions::default()
                };
                own = writer(name, Box::new(out), write);
            }
            Way::OpenIoc => {
                let now = crate::shape::datetime(context.now * 1000).replace(' ', "T");
                write!(
                    out,
                    "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<ioc xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" id=\"{}\" last-modified=\"{now}\" xmlns=\"http://schemas.mandiant.com/2010/ioc\">\n  <short_description>Filtered indicator list</short_description>\n  <description>Filtered indicator list</description>\n  <keywords />\n  <authored_by>{}</authored_by>\n  <authored_date>{now}</authored_date>\n  <links />\n  <definition>\n    <Indicator operator=\"OR\" id=\"{}\">\n",
                    uuid::Uuid::new_v4(),
                    escaped(&context.store.facts()?.name(context.store.node_org()?)),
                    uuid::Uuid::new_v4(),
                )?;
            }
            _ => {}
        }
        Ok(Output {
            format,
            target,
            events,
            count: 0,
            columns,
            seen: HashSet::new(),
            own,
            own_event: None,
            own_object: None,
            tags: BTreeMap::new(),
            with_uuid: flag_of(options.get("includeEventUuid")),
        })
    }

    /// One event, written by `write` as JSON.
    ///
    /// # Errors
    /// It can't be written.
    pub(crate) fn event(&mut self, write: impl FnOnce(&mut dyn Write) -> Result<(), Fault>) -> Result<(), Fault> {
        self.count += 1;
        if self.format.way == Way::Xml {
            let mut text = Vec::new();
            write(&mut text)?;
            let value: Value = serde_json::from_slice(&text)?;
            let mut out = String::new();
            if let Some(event) = value.get("Event") {
                xml(&mut out, "Event", event);
            }
            self.target.write_all(out.as_bytes())?;
            return Ok(());
        }
        if self.count > 1 {
            self.target.write_all(b",")?;
        }
        write(&mut self.target)
    }

    /// See [`Format::is_of_whole_events`].
    pub(crate) fn is_of_whole_events(&self) -> bool {
        self.format.is_of_whole_events()
    }

    /// One event with its parts, of which `goes` says whether they go out.
    ///
    /// # Errors
    /// It can't be written; the store's.
    pub(crate) fn whole(
        &mut self,
        view: &View<'_>,
        event: &EventRow,
        mut goes: impl FnMut(&Cleared<Part>) -> Result<bool, Fault>,
    ) -> Result<(), Fault> {
        let Some(own) = &mut self.own else { return Ok(()) };
        own.head(&event.head)?;
        view.parts_in_order::<Fault>(&event.head, |part| {
            if goes(&part)? {
                own.part(&part)?;
            }
            Ok(())
        })?;
        own.end()?;
        self.count += 1;
        Ok(())
    }

    /// Is this value new to the answer? Its hash is kept, not itself.
    fn is_new(&mut self, value: &str) -> bool {
        self.seen.insert(Md5::digest(value.as_bytes()).into())
    }

    /// One attribute.
    ///
    /// # Errors
    /// It can't be written.
    pub(crate) fn attribute(
        &mut self,
        event: &EventRow,
        part: &Cleared<Part>,
        mut attribute: Map<String, Value>,
        scribe: &Scribe<'_, '_>,
    ) -> Result<(), Fault> {
        if self.format.detect_only && !event.published {
            return Ok(());
        }
        let text = |name: &str| text_of(attribute.get(name)).unwrap_or_default().into_owned();
        let (ty, value) = (text("type"), text("value"));
        let counted = match self.format.way {
            Way::Json => {
                if self.count > 0 {
                    self.target.write_all(b",")?;
                }
                serde_json::to_writer(&mut self.target, &attribute)?;
                true
            }
            Way::Xml => {
                attribute.remove("RelatedAttribute");
                let mut out = String::new();
                xml(&mut out, "Attribute", &Value::Object(attribute));
                out.push('\n');
                self.target.write_all(out.as_bytes())?;
                true
            }
            Way::Csv => {
                let line = self.csv(event, part, &attribute, scribe)?;
                self.target.write_all(line.as_bytes())?;
                true
            }
            Way::Values => {
                self.is_new(&value) && writeln!(self.target, "{}", value.replace(['\r', '\n'], " ")).map(|()| true)?
            }
            Way::Hashes => {
                let mut any = false;
                for found in part
                    .found
                    .iter()
                    .filter(|found| found.observable.ty().row().kind == manara_model::observable::Kind::Hash)
                {
                    if self.is_new(found.observable.value()) {
                        writeln!(self.target, "{}", found.observable.value())?;
                        any = true;
                    }
                }
                any
            }
            Way::Cache => {
                let (one, two) = halves(&ty, &value);
                for half in [one, two].iter().filter(|half| !half.is_empty()) {
                    let hash: String = Md5::digest(half.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
                    match self.with_uuid {
                        true => writeln!(self.target, "{hash},{}", event.head.uuid)?,
                        false => writeln!(self.target, "{hash}")?,
                    }
                }
                true
            }
            Way::Rules(types) => types.contains(&ty.as_str()) && writeln!(self.target, "{value}").map(|()| true)?,
            Way::Own(SNORT) if ty == SNORT => {
                writeln!(self.target, "{}", value.replace(['\r', '\n'], " ")).map(|()| true)?
            }
            Way::Own(_) => self.own(event, part, scribe)?,
            Way::OpenIoc => self.open_ioc(part)?,
            Way::Netfilter => {
                let mut any = false;
                for found in &part.found {
                    if matches!(found.observable.ty().name(), "ipv4" | "ipv6" | "network")
                        && self.is_new(found.observable.value())
                    {
                        let table = if found.observable.value().contains(':') { "ip6tables" } else { "iptables" };
                        writeln!(self.target, "{table} -A INPUT -s {} -j DROP", found.observable.value())?;
                        any = true;
                    }
                }
                any
            }
            Way::Tags => {
                let all: BTreeSet<String> =
                    [attribute.get("Tag"), attribute.get("Event").and_then(|event| event.get("Tag"))]
                        .into_iter()
                        .flatten()
                        .filter_map(Value::as_array)
                        .flatten()
                        .filter_map(|tag| tag["name"].as_str().map(str::to_owned))
                        .chain(super::wanted::tags_on(event))
                        .filter(|name| self.format.name == "context" || name.to_lowercase().contains("attack-pattern"))
                        .collect();
                for name in all {
                    *self.tags.entry(name).or_default() += 1;
                }
                true
            }
            Way::Count => true,
            Way::Nothing => false,
        };
        self.count += u64::from(counted);
        Ok(())
    }

    fn own(&mut self, event: &EventRow, part: &Cleared<Part>, scribe: &Scribe<'_, '_>) -> Result<bool, Fault> {
        let Some(own) = &mut self.own else { return Ok(false) };
        if self.own_event != Some(event.head.row) {
            if self.own_event.is_some() {
                own.end()?;
            }
            self.own_event = Some(event.head.row);
            self.own_object = None;
            own.head(&event.head)?;
        }
        // An attribute of an object goes out in it.
        if self.format.is_of_whole_events() && part.parent != self.own_object {
            self.own_object = part.parent;
            if let Some(place) = part.parent
                && let Some(object) = scribe.view.parts_at(&event.head, &[place])?.pop()
            {
                own.part(&object)?;
            }
        }
        own.part(part)?;
        Ok(true)
    }

    fn csv(
        &self,
        event: &EventRow,
        part: &Cleared<Part>,
        attribute: &Map<String, Value>,
        scribe: &Scribe<'_, '_>,
    ) -> Result<String, Fault> {
        let object = match part.parent {
            Some(place) if self.columns.iter().any(|column| column.starts_with("object_")) => {
                scribe.view.parts_at(&event.head, &[place])?.pop()
            }
            _ => None,
        };
        let of_object = object.as_ref().map(|object| body_of(&object.raw)).unwrap_or_default();
        let head = body_of(&event.head.skeleton);
        let names = |map: &Map<String, Value>| crate::shape::tag_names(map).collect::<Vec<_>>().join(",");
        let plain = |value: Option<&Value>| match value {
            Some(Value::Bool(flag)) => i32::from(*flag).to_string(),
            value => text_of(value).unwrap_or_default().into_owned(),
        };
        let mut line = String::new();
        for (n, column) in self.columns.iter().enumerate() {
            if n > 0 {
                line.push(',');
            }
            let (value, bare) = match column.as_str() {
                "event_id" => (event.head.number.to_string(), true),
                "to_ids" => (plain(attribute.get("to_ids")), true),
                "date" | "timestamp" | "attribute_timestamp" => (plain(attribute.get("timestamp")), true),
                "attribute_tag" | "tag" => (names(attribute), false),
                "object_uuid" => (
                    object.as_ref().and_then(|object| object.uuid).map(|uuid| uuid.to_string()).unwrap_or_default(),
                    false,
                ),
                "object_name" => (plain(of_object.get("name")), false),
                "object_meta_category" => (plain(of_object.get("meta-category")), false),
                "event_info" => (event.head.title.clone(), false),
                "event_member_org" | "event_source_org" => {
                    let org = if column == "event_member_org" { Some(event.head.label.owner.0) } else { event.author };
                    (plain(scribe.org(org, "").get("name")), false)
                }
                "event_distribution" => (plain(head.get("distribution")), true),
                "event_threat_level_id" => (event.threat.to_string(), true),
                "event_analysis" => (event.analysis.to_string(), true),
                "event_date" => (event.day.clone(), false),
                "event_tag" => (names(&head), false),
                "event_timestamp" => (event.touched.to_string(), true),
                "event_uuid" => (event.head.uuid.to_string(), false),
                "value1" | "value2" => {
                    let (one, two) = halves(&plain(attribute.get("type")), &plain(attribute.get("value")));
                    (if column == "value1" { one } else { two }, false)
                }
                other => (plain(attribute.get(other)), false),
            };
            match bare {
                true => line.push_str(&value),
                false => line.push_str(&quoted(&value)),
            }
        }
        line.push('\n');
        Ok(line)
    }

    fn open_ioc(&mut self, part: &Cleared<Part>) -> Result<bool, Fault> {
        let mut any = false;
        for found in &part.found {
            let (document, search, kind) = match found.observable.ty().name() {
                "md5" => ("FileItem", "FileItem/Md5sum", "md5"),
                "sha1" => ("FileItem", "FileItem/Sha1sum", "sha1"),
                "sha256" => ("FileItem", "FileItem/Sha256sum", "sha256"),
                "filename" => ("FileItem", "FileItem/FileName", "string"),
                "domain" => ("Network", "Network/DNS", "string"),
                "url" => ("UrlHistoryItem", "UrlHistoryItem/URL", "string"),
                "ipv4" | "ipv6" | "network" => ("PortItem", "PortItem/remoteIP", "IP"),
                "email" => ("Email", "Email/From", "string"),
                "regkey" => ("RegistryItem", "RegistryItem/Path", "string"),
                "mutex" => ("ProcessItem", "ProcessItem/HandleList/Handle/Name", "string"),
                _ => continue,
            };
            writeln!(
                self.target,
                "      <IndicatorItem id=\"{}\" condition=\"is\"><Context document=\"{document}\" search=\"{search}\" type=\"mir\" /><Content type=\"{kind}\">{}</Content></IndicatorItem>",
                uuid::Uuid::new_v4(),
                escaped(found.observable.value()),
            )?;
            any = true;
        }
        Ok(any)
    }

    /// The whole answer.
    ///
    /// # Errors
    /// It can't be written; the store's.
    pub(crate) fn end(mut self, scribe: &Scribe<'_, '_>) -> Result<Answer, Fault> {
        if let Some(mut own) = self.own.take() {
            if self.own_event.is_some() {
                own.end()?;
            }
            own.finish()?;
        }
        match self.format.way {
            Way::Json if self.events => self.target.write_all(b"]}")?,
            Way::Json => self.target.write_all(b"]}}")?,
            Way::Xml => self.target.write_all(b"</response>\n")?,
            Way::Count => write!(self.target, "{}", self.count)?,
            Way::OpenIoc => self.target.write_all(b"    </Indicator>\n  </definition>\n</ioc>\n")?,
            Way::Tags => {
                let tags = std::mem::take(&mut self.tags);
                if let Some(shelf) = scribe.shelf() {
                    let counted = crate::clusters::counted(shelf, &tags, self.format.name == "attack")?;
                    serde_json::to_writer(&mut self.target, &counted)?;
                }
            }
            Way::Nothing => self.target.write_all(b"[]")?,
            _ => {}
        }
        let Output { target, count, format, .. } = self;
        let answer =
            Rc::try_unwrap(target.0).map_err(|_| Fault::new(500, "An Internal Error Has Occurred."))?.into_inner();
        Ok(answer.with("x-result-count", count.to_string()).with("x-response-format", format.name))
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // XML 1.0 has no other control characters, however they are written.
            c if c.is_control() && !matches!(c, '\t' | '\n' | '\r') => {}
            c => out.push(c),
        }
    }
    out
}

/// A value as XML: objects and lists are elements by the name of their member.
fn xml(out: &mut String, name: &str, value: &Value) {
    let name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' }).collect();
    match value {
        Value::Array(items) => items.iter().for_each(|item| xml(out, &name, item)),
        Value::Null => out.push_str(&format!("<{name}/>")),
        Value::String(text) if text.is_empty() => out.push_str(&format!("<{name}/>")),
        Value::Bool(flag) => out.push_str(&format!("<{name}>{}</{name}>", i32::from(*flag))),
        Value::Number(number) => out.push_str(&format!("<{name}>{number}</{name}>")),
        Value::String(text) => out.push_str(&format!("<{name}>{}</{name}>", escaped(text))),
        Value::Object(map) => {
            out.push_str(&format!("<{name}>"));
            map.iter().for_each(|(name, value)| xml(out, name, value));
            out.push_str(&format!("</{name}>"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn xml_has_no_syntax_from_values() {
        let mut out = String::new();
        xml(
            &mut out,
            "Event",
            &json!({"info": "<a> & \"b\"\u{0}", "Tag": [{"id": "1"}, {"id": "2"}], "x": null, "p": true}),
        );
        assert_eq!(
            out,
            "<Event><info>&lt;a&gt; &amp; &quot;b&quot;</info><Tag><id>1</id></Tag><Tag><id>2</id></Tag><x/><p>1</p></Event>"
        );
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
    }
}
