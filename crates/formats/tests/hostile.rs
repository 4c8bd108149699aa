//! Broken, absurd and mutated inputs through every reader: located errors, no panic, bounded time.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that can't go on has failed

use manara_formats::{Input, Limits, detect, format, formats, read};
use manara_model::record::{PartDraft, RecordDraft, Rejection, Sink};
use std::convert::Infallible;
use std::path::Path;

#[derive(Default)]
struct Count {
    records: usize,
    parts: usize,
    rejected: Vec<Rejection>,
}

impl Sink for Count {
    type Error = Infallible;
    fn begin(&mut self, _: RecordDraft) -> Result<bool, Infallible> {
        self.records += 1;
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
    fn warn(&mut self, _: Rejection) {}
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

#[test]
fn mutated_real_files_are_no_panic() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    let names = [
        "misp/eset-powerpool-misp-powerpool.json",
        "misp/eset-signsight-signsight-misp-event.json",
        "stix/amnesty-novispy.json",
        "csaf/csaf-rhsa-2019_1862.json",
        "csaf/ROLIE-example-01-service.json",
        "knowledge/taxonomies/tlp.json",
        "indicators/zeek-example.intel",
        "indicators/urls-2000.txt",
        "oscal/example-ifa_assessment-plan-example.json",
    ];
    let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64;
    println!("seed {seed}");
    let mut state = seed;
    let mut roll = |sides: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as usize) % sides.max(1)
    };
    let readers: Vec<&str> = formats().iter().filter(|f| f.reads).map(|f| f.name).collect();
    for name in names {
        let mut whole = std::fs::read(fixtures.join(name)).unwrap();
        whole.truncate(12_000);
        for _ in 0..250 {
            let mut bytes = whole.clone();
            for _ in 0..=roll(6) {
                let at = roll(bytes.len());
                match roll(5) {
                    0 => bytes[at] = roll(256) as u8,
                    1 => bytes.truncate(at.max(1)),
                    2 => bytes.insert(at, b"\"{}[],:\\\0\xff'|"[roll(12)]),
                    3 => {
                        let to = (at + roll(64)).min(bytes.len());
                        bytes.drain(at..to);
                    }
                    _ => {
                        let to = (at + roll(64)).min(bytes.len());
                        let piece = bytes[at..to].to_vec();
                        bytes.splice(at..at, piece);
                    }
                }
                if bytes.is_empty() {
                    bytes.push(b'{');
                }
            }
            let _ = take(&bytes, None);
            let _ = take(&bytes, Some(readers[roll(readers.len())]));
        }
    }
}
