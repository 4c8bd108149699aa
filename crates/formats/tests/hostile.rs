//! Broken, absurd and mutated inputs through every reader: located errors, no panic, bounded time.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that can't go on has failed

use manara_formats::{Input, Limits, detect, events_of_bundle, format, formats, read};
use manara_model::record::{PartDraft, RecordDraft, Rejection, Sink};
use manara_model::{Marking, Tlp};
use manara_testing::Dice;
use std::convert::Infallible;
use std::path::Path;

#[derive(Default)]
struct Count {
    records: usize,
    parts: usize,
    rejected: Vec<Rejection>,
    warned: Vec<Rejection>,
    markings: Vec<Marking>,
}

impl Sink for Count {
    type Error = Infallible;
    fn begin(&mut self, draft: RecordDraft) -> Result<bool, Infallible> {
        self.records += 1;
        self.markings.push(draft.marking);
        Ok(true)
    }
    fn part(&mut self, _: PartDraft) -> Result<(), Infallible> {
        self.parts += 1;
        Ok(())
    }
    fn end(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
    fn abandon(&mut self) {}
    fn reject(&mut self, rejection: Rejection) {
        self.rejected.push(rejection);
    }
    fn warn(&mut self, warning: Rejection) {
        self.warned.push(warning);
    }
}

fn take(bytes: &[u8], named: Option<&str>) -> Result<Count, String> {
    let mut input = Input::from_reader("input", bytes, Limits::default()).map_err(|e| e.to_string())?;
    let format = match named {
        Some(name) => format(name).unwrap(),
        None => detect(&mut input).map_err(|e| e.to_string())?,
    };
    let mut sink = Count::default();
    read(format, &mut input, &mut sink).map_err(|e| e.to_string())?;
    Ok(sink)
}

fn error(bytes: &[u8], named: &str) -> String {
    take(bytes, Some(named)).err().unwrap()
}

#[test]
fn errors_say_what_and_where() {
    assert!(error(b"", "misp").contains("is empty"));
    assert!(error(b"{\"Event\":\n{\"info\": \"x\", }}", "misp").contains("line 2, column"));
    assert!(error(b"{\"Event\": {\"info\": \"\xff\"}}", "misp").contains("byte 20: is not UTF-8"));
    assert!(error(&[b"[".repeat(1_000_000), b"]".repeat(1_000_000)].concat(), "stix").contains("deep"));
    assert!(error(&[b"{\"a\":".repeat(1_000_000), b"1".to_vec()].concat(), "knowledge").contains("deep"));
    assert!(error(b"{\"nothing\": 1}", "misp").contains("no MISP event"));
    assert!(error(b"{\"objects\": 7}", "stix").contains("/objects"));
    let noise: Vec<u8> = (0..4000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8 | 0x80).collect();
    assert!(take(&noise, None).err().unwrap().contains("binary"));
    assert!(Input::open(Path::new("/"), Limits::default()).err().unwrap().to_string().contains("directory"));
    assert!(
        Input::open(Path::new("/no/such/file"), Limits::default())
            .err()
            .unwrap()
            .to_string()
            .contains("can't be opened")
    );
}

#[test]
fn an_import_reads_markings_by_the_same_rules() {
    let unknown = "marking-definition--0a11c0de-0000-4000-8000-000000000001";
    let red = "marking-definition--5E57C739-391A-4EB3-B6BE-7D15CA92D5ED";
    let object = |n: u32, rest: &str| {
        format!(r#"{{"type":"x-a","id":"x-a--00000000-0000-4000-8000-00000000000{n}","spec_version":"2.1",{rest}}}"#)
    };
    let objects = [
        object(1, &format!(r#""granular_markings":[{{"marking_ref":"{red}","selectors":["x"]}}]"#)),
        object(2, &format!(r#""object_marking_refs":["{unknown}"]"#)),
        object(3, &format!(r#""object_marking_refs":["{unknown}"]"#)),
        object(4, &format!(r#""object_marking_refs":"{red}""#)),
        object(5, &format!(r#""x":{{"a":1,"a":2}},"object_marking_refs":["{red}"]"#)),
    ];
    let bundle = format!(r#"{{"type":"bundle","objects":[{}]}}"#, objects.join(","));
    for text in [bundle, objects.join("\n")] {
        let count = take(text.as_bytes(), None).unwrap();
        let tlps: Vec<_> = count.markings.iter().map(|marking| marking.tlp).collect();
        assert_eq!(tlps, [Some(Tlp::Red), None, None]);
        assert_eq!(count.rejected.len(), 2, "{:?}", count.rejected);
        assert_eq!(count.warned.len(), 1, "each marking is told of once: {:?}", count.warned);
        assert!(count.warned[0].reason.contains(unknown));
    }
}

#[test]
fn one_bad_row_never_stops_the_rest() {
    let body = br#"[{"Event": {"info": "good"}}, {"Event": 7}, {"Event": {"uuid": "x", "info": "bad uuid"}}, {"Event": {"info": "also good", "Attribute": [5, {"type": "domain", "value": "evil.com"}]}}]"#;
    let count = take(body, None).unwrap();
    assert_eq!((count.records, count.parts), (2, 2));
    let places: Vec<&str> = count.rejected.iter().map(|r| r.place.as_str()).collect();
    assert_eq!(places, ["/1/Event", "/2/Event/uuid", "/3/Event/Attribute/0"]);
    let count = take(b"evil.com\n\xff\xfe\nnot a value at all !\n1.2.3.4\n", Some("text")).unwrap();
    assert_eq!(count.parts, 3);
    assert_eq!(count.rejected.iter().map(|r| r.place.as_str()).collect::<Vec<_>>(), ["line 2", "line 3"]);
    let objects = br#"{"type":"bundle","objects":[{"type":"malware"},{"type":"malware","id":"malware--7"},{"type":"domain-name","id":"domain-name--ecb120bf-2694-4902-a737-62b74539a41b","value":"evil.com"},3]}"#;
    let count = take(objects, None).unwrap();
    assert_eq!((count.records, count.rejected.len()), (1, 3));
}

#[test]
fn absurd_numbers_and_dates_are_no_panic() {
    let body = br#"{"Event": {"info": "x", "timestamp": "99999999999999999999", "date": "9999-99-99", "distribution": 1e400, "Attribute": [{"type": "domain", "value": "evil.com", "timestamp": -1}]}}"#;
    assert_eq!(take(body, None).unwrap().records, 1);
    let body = br#"{"type":"bundle","objects":[{"type":"indicator","id":"indicator--ecb120bf-2694-4902-a737-62b74539a41b","modified":"0000-00-00T00:00:00Z","pattern":"[domain-name:value = 'a\\"}]}"#;
    assert_eq!(take(body, None).unwrap().records, 1);
}

/// A reader that makes up a long line without ever holding it.
struct Endless {
    left: u64,
}

impl std::io::Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        buffer[..n].fill(b'a');
        self.left -= n as u64;
        Ok(n)
    }
}

#[test]
fn a_line_of_two_gigabytes_is_rejected_in_bounded_memory() {
    use std::io::Read;
    let reader = (&b"evil.com\n"[..]).chain(Endless { left: 2 << 30 }).chain(&b"\n1.2.3.4\n"[..]);
    let mut input = Input::from_reader("long", reader, Limits::default()).unwrap();
    let mut sink = Count::default();
    read(format("text").unwrap(), &mut input, &mut sink).unwrap();
    assert_eq!(sink.parts, 2);
    assert!(sink.rejected[0].place == "line 2" && sink.rejected[0].reason.contains("2147483648 bytes"));
}

#[test]
fn a_bomb_is_refused() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..64 {
        std::io::Write::write_all(&mut encoder, &vec![b'\n'; 1 << 20]).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    assert!(error(&bomb, "text").contains("bomb"));
    let bomb = zstd::encode_all(std::io::Read::take(std::io::repeat(b'\n'), 64 << 20), 3).unwrap();
    assert!(error(&bomb, "text").contains("bomb"));
}

/// Things that a reader may not expect where it finds them.
const ODD: &[&str] = &[
    "null",
    "true",
    "-1",
    "0",
    "1e400",
    "-0.0",
    "18446744073709551616",
    "99999999999999999999999",
    "1.5",
    "\"\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"\\udc00\\ud800\"",
    "\"\u{202e}txt.exe\"",
    "\"\u{2066}\u{200b}\u{feff}\"",
    "\"🤦🏼‍♂️ مرحبا\"",
    "\"A\u{300}\u{301}\u{302}\u{303}\"",
    "[]",
    "{}",
    "[[[[[[[[]]]]]]]]",
    "{\"\":{\"\":{\"\":[]}}}",
    "\"9999-99-99\"",
    "\"0000-00-00T00:00:00Z\"",
    "\"-292277022657-01-27\"",
    "\"../../etc/passwd\"",
    "\"%n%s%x\"",
    "\"'; DROP TABLE record; --\"",
    "\"hxxp://[::1]:99999/%zz\"",
    "\"1.2.3.4/999\"",
    "\"xn--a-ecp.ru\"",
    "\"[domain-name:value = 'a\\\\\"",
];

/// Changes files.
struct Mutations(Dice);

impl Mutations {
    fn roll(&mut self, sides: usize) -> usize {
        self.0.roll(sides)
    }

    /// Changes bytes: what broken disks, proxies and programs make of a file.
    fn bytes(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.roll(6) {
            if bytes.is_empty() {
                bytes.push(b'{');
            }
            let at = self.roll(bytes.len());
            let to = (at + self.roll(64)).min(bytes.len());
            match self.roll(7) {
                0 => bytes[at] = self.roll(256) as u8,
                1 => bytes.truncate(at.max(1)),
                2 => bytes.insert(at, b"\"{}[],:\\\0\xff'|"[self.roll(12)]),
                3 => drop(bytes.drain(at..to)),
                // Overlong and broken UTF-8, byte order marks.
                4 => {
                    let odd: [&[u8]; 5] =
                        [b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xef\xbb\xbf", b"\xff\xfe"];
                    bytes.splice(at..at, odd[self.roll(5)].iter().copied()).for_each(drop);
                }
                5 => {
                    let odd = ODD[self.roll(ODD.len())].as_bytes();
                    bytes.splice(at..at, odd.iter().copied()).for_each(drop);
                }
                _ => {
                    let piece = bytes[at..to].to_vec();
                    bytes.splice(at..at, piece).for_each(drop);
                }
            }
        }
    }

    /// Changes a document and leaves it valid JSON: what other programs write.
    fn document(&mut self, value: &mut serde_json::Value) {
        use serde_json::Value;
        let inner = match value {
            Value::Object(map) if !map.is_empty() && self.roll(6) > 0 => {
                let key = map.keys().nth(self.roll(map.len())).unwrap().clone();
                match self.roll(12) {
                    0 => {
                        map.remove(&key);
                        return;
                    }
                    1 => {
                        let moved = map.remove(&key).unwrap();
                        map.insert(format!("{key}\u{202e}"), moved);
                        return;
                    }
                    _ => map.get_mut(&key).unwrap(),
                }
            }
            Value::Array(list) if !list.is_empty() && self.roll(6) > 0 => {
                let at = self.roll(list.len());
                if self.roll(10) == 0 {
                    let again = list[at].clone();
                    list.push(again);
                    return;
                }
                &mut list[at]
            }
            leaf => {
                *leaf = match self.roll(ODD.len() + 2) {
                    0 => Value::String("x".repeat(20_000)),
                    1 => Value::Array(vec![leaf.clone(); 50]),
                    n => match serde_json::from_str(ODD[n - 2]) {
                        Ok(odd) => odd,
                        // Lone surrogates are no text in Rust: they go in as bytes, below.
                        Err(_) => Value::String(ODD[n - 2].to_owned()),
                    },
                };
                return;
            }
        };
        self.document(inner);
    }
}

/// The first few of every list: small, and shaped like the whole.
fn short(value: &mut serde_json::Value, most: usize) {
    match value {
        serde_json::Value::Array(list) => {
            list.truncate(most);
            list.iter_mut().for_each(|inner| short(inner, most));
        }
        serde_json::Value::Object(map) => map.values_mut().for_each(|inner| short(inner, most)),
        _ => {}
    }
}

enum Seed {
    Document(serde_json::Value),
    Text(Vec<u8>),
}

/// Every real file of the fixtures, made short.
fn seeds() -> Vec<Seed> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")];
    let mut seeds = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                if !path.ends_with("stores") {
                    folders.push(path);
                }
                continue;
            }
            let mut bytes = std::fs::read(&path).unwrap();
            if path.extension().is_some_and(|end| end == "zst") {
                bytes = zstd::decode_all(&bytes[..]).unwrap();
            }
            match serde_json::from_slice(&bytes) {
                Ok(mut value) => {
                    short(&mut value, 3);
                    seeds.push(Seed::Document(value));
                }
                Err(_) => {
                    // Whole lines, from the beginning and from the middle.
                    for from in [0, bytes.len() / 2] {
                        seeds.push(Seed::Text(bytes[from..].iter().copied().take(1500).collect()));
                    }
                }
            }
        }
    }
    assert!(seeds.len() > 150, "{}", seeds.len());
    seeds
}

/// Two hundred thousand changed files: an error or not, never a panic.
#[test]
fn mutated_real_files_are_no_panic() {
    let seed = Dice::of_now().0;
    let readers: Vec<&str> = formats().iter().filter(|f| f.reads).map(|f| f.name).collect();
    let seeds = seeds();
    let rounds = 100_500;
    std::thread::scope(|scope| {
        for worker in 0..2u64 {
            let (readers, seeds) = (&readers, &seeds);
            scope.spawn(move || {
                let mut dice = Mutations(Dice(seed ^ (worker << 60)));
                for _ in 0..rounds {
                    let mut bytes = match &seeds[dice.roll(seeds.len())] {
                        Seed::Text(text) => text.clone(),
                        Seed::Document(value) => {
                            let mut value = value.clone();
                            for _ in 0..=dice.roll(3) {
                                dice.document(&mut value);
                            }
                            value.to_string().into_bytes()
                        }
                    };
                    if bytes.first() != Some(&b'{') || dice.roll(4) == 0 {
                        dice.bytes(&mut bytes);
                    }
                    let named = if dice.roll(3) == 0 { Some(readers[dice.roll(readers.len())]) } else { None };
                    // Bundles are read in two ways.
                    let input = Input::from_reader("x", &bytes[..], Limits::default());
                    if let Err(error) = input.and_then(|mut input| events_of_bundle(&mut input)) {
                        assert!(error.to_string().len() < 2000, "{error}");
                    }
                    // What is told of an error is for people, and for logs: one line, whatever the input was.
                    if let Err(error) = take(&bytes, named) {
                        assert!(!error.is_empty() && error.len() < 2000, "{error}");
                        assert!(!error.chars().any(|c| c.is_control()), "{error:?}");
                    }
                }
            });
        }
    });
}

#[test]
fn a_million_tags_on_a_record_are_bounded() {
    let tags: String = (0..1_000_000).map(|n| format!("{{\"name\":\"t:{n}\"}},")).collect();
    let body = format!("{{\"Event\":{{\"info\":\"x\",\"Tag\":[{}]}}}}", tags.trim_end_matches(','));
    let count = take(body.as_bytes(), None).unwrap();
    assert_eq!((count.records, count.parts), (1, 0));
}

/// What is no format here is named for what it is: nothing unpacks it.
#[test]
fn archives_and_markup_are_refused_in_words() {
    let zip = b"PK\x03\x04\x14\0\0\0\x08\0aaaaaaaaaaaaaaaa";
    assert!(take(zip, None).err().unwrap().contains("zip"), "{:?}", take(zip, None).err());
    let xml = br#"<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>"#;
    assert!(take(xml, None).err().unwrap().contains("is XML"));
    // Named as something else it is that, and its entities are text.
    assert!(take(xml, Some("freetext")).is_ok());
}
