//! Files that are cut short, foreign or broken: an error or missed hits, never a panic.

#![allow(clippy::unwrap_used)]

mod random;

use manara_matching::{Builder, Index, Kind, OpenError, RecordId, Refused, SOURCES, Scanner, Source, guess};
use random::{Random, seed};

fn fixture(name: &str) -> String {
    let path = format!("{}/../../fixtures/indicators/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

/// Real indicators of every kind, as lists have them.
fn real() -> Vec<String> {
    let names =
        ["domains-2000.txt", "ips-2000.txt", "urls-2000.txt", "hashes-2000.txt", "cidr4-2000.txt", "cidr6-2000.txt"];
    names.iter().flat_map(|name| fixture(name).lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

fn build(lines: &[String]) -> Vec<u8> {
    let mut builder = Builder::new();
    builder.note("real lists");
    for line in lines {
        builder.add(guess(line).unwrap(), line).unwrap();
    }
    builder.finish()
}

/// The same with sources: most have one, some share several.
fn described(lines: &[String]) -> Vec<u8> {
    let mut builder = Builder::new();
    let tags = ["tlp:amber", "misp-galaxy:threat-actor=\"Someone\"", "مثال"];
    let records: Vec<String> = (0..40).map(|n| format!("Report {n}")).collect();
    for (n, line) in lines.iter().enumerate() {
        let number = builder.add(guess(line).unwrap(), line).unwrap();
        for m in 0..=n % 3 {
            let record = (n / 300 + m) % records.len();
            let source = builder.source(&Source {
                record: RecordId([record as u8; 16]),
                title: &records[record],
                tlp: ["clear", "amber"][record % 2],
                pap: ["", "RED"][record % 2],
                tags: &tags[..record % 4],
                says: &["Emotet", &line[..line.len().min(n % 3)]][..record % 3],
            });
            builder.describe(number, source);
        }
    }
    builder.finish()
}

fn log(lines: &[String]) -> Vec<u8> {
    lines.iter().flat_map(|line| format!("seen \"{line}\" and http://www.{line}/x\n").into_bytes()).collect()
}

#[test]
fn real_lists_are_small_open_and_find_themselves() {
    let lines = real();
    let file = build(&lines);
    // A third are URLs and IPv6 networks, whose texts are long; what nodes hold is mostly names and IPv4.
    assert!(file.len() <= 52 * lines.len(), "{} bytes an indicator", file.len() / lines.len());
    let path = std::env::temp_dir().join(format!("manara-matching-{}.index", std::process::id()));
    std::fs::write(&path, &file).unwrap();
    let index = Index::open(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    index.verify().unwrap();
    // Lists repeat themselves: what is there twice is in the index once.
    let different: std::collections::BTreeSet<&String> = lines.iter().collect();
    assert_eq!((index.len() as usize, index.note(), index.size()), (different.len(), "real lists", file.len()));
    let mut found = vec![false; lines.len()];
    let log = log(&lines);
    Scanner::new(&index).scan(&log, |hit| {
        if lines[hit.line as usize - 1] == index.text(hit.indicator) {
            found[hit.line as usize - 1] = true;
        }
    });
    let missed: Vec<_> = found.iter().zip(&lines).filter(|(found, _)| !**found).map(|(_, line)| line).collect();
    assert!(missed.is_empty(), "{missed:?}");
    assert_eq!(index.count(Kind::Domain), 2000);
}

#[test]
fn an_empty_index_finds_nothing() {
    let index = Index::from_bytes(Builder::new().finish()).unwrap();
    assert!(index.is_empty());
    let mut hits = 0;
    let lines = Scanner::new(&index).scan(&log(&real()), |_| hits += 1);
    assert_eq!((lines, hits), (12_000, 0));
    assert_eq!(Scanner::new(&index).scan(b"", |_| hits += 1), 0);
}

#[test]
fn what_is_no_index_is_refused() {
    let refused = |bytes: &[u8]| Index::from_bytes(bytes.to_vec()).map(|_| ()).unwrap_err();
    assert!(matches!(refused(b""), OpenError::Foreign));
    assert!(matches!(refused(b"SQLite format 3\0 and more"), OpenError::Foreign));
    assert!(matches!(Index::open(env!("CARGO_MANIFEST_DIR")).unwrap_err(), OpenError::Folder));
    assert!(matches!(refused(b"MANARAIX"), OpenError::Broken(_)));
    let whole = build(&real());
    for length in [9, 40, 100, 255, 256, whole.len() / 2, whole.len() - 1] {
        assert!(matches!(refused(&whole[..length]), OpenError::Broken(_)), "{length}");
    }
    for (version, says) in [(1, "build it again"), (2, "build it again"), (9, "update this one")] {
        let mut other = whole.clone();
        other[8] = version;
        let error = refused(&other);
        assert!(matches!(error, OpenError::Version(found) if found == u32::from(version)));
        assert!(error.to_string().contains(says), "{error}");
    }
    assert!(Index::open("/nowhere/x.index").is_err());
}

/// Everything that can be asked of an index. Gives how much was said, so that nothing is left out.
fn ask(index: &Index, lines: &[String]) -> usize {
    let mut said = 0;
    for number in (0..index.len()).chain([u32::MAX, u32::MAX / 4]) {
        said += index.text(number).len();
        for record in index.details(number).into_iter().flatten() {
            said += record.title.len() + record.tlp.len() + record.pap.len() + record.id.to_string().len();
            said += record.tags.map(str::len).sum::<usize>();
        }
    }
    said + lines.iter().filter(|line| index.holds(guess(line).unwrap(), line)).count()
}

#[test]
fn changed_bytes_are_noticed_and_do_no_harm() {
    let mut random = Random::new(seed());
    let lines = real();
    let (whole, log) = (described(&lines), log(&lines[..]));
    let index = Index::from_bytes(whole.clone()).unwrap();
    let header = whole.len() - index.details_size();
    assert!(ask(&index, &lines) > 500_000);
    for round in 0..80 {
        let mut bytes = whole.clone();
        for _ in 0..1 << (round % 14) {
            // Every other round only where sources and sets stand, at the end.
            let at =
                if round % 2 == 0 { random.below(bytes.len()) } else { header + random.below(bytes.len() - header) };
            bytes[at] = random.next() as u8;
        }
        if bytes == whole {
            continue;
        }
        let Ok(index) = Index::from_bytes(bytes) else { continue };
        assert!(index.verify().is_err(), "a byte has changed");
        ask(&index, &lines);
        Scanner::new(&index).scan(&log, |hit| assert!(index.text(hit.indicator).len() < whole.len()));
    }
}

#[test]
fn details_are_what_was_said_of_each_and_shared() {
    let mut builder = Builder::new();
    let say = |builder: &mut Builder, name: &str, n: u32, tags: &[&str]| {
        let number = builder.add(Kind::Domain, name).unwrap();
        let record = RecordId(u128::from(n).to_be_bytes());
        let source = builder.source(&Source { record, title: "A title", tlp: "green", pap: "", tags, says: &["said"] });
        builder.describe(number, source);
        number
    };
    let first = say(&mut builder, "evil.example", 1, &["a", "b"]);
    let other = say(&mut builder, "other.example", 1, &["a", "b"]);
    // The same name again, in another spelling, by another record; and by the same once more.
    assert_eq!(say(&mut builder, "EVIL.example.", 2, &[]), first);
    assert_eq!(say(&mut builder, "evil.example", 1, &["a", "b"]), first);
    let silent = builder.add(Kind::Domain, "silent.example").unwrap();
    let crowd = (0..SOURCES as u32 + 9).map(|n| say(&mut builder, "crowd.example", n, &[])).max().unwrap();
    let index = Index::from_bytes(builder.finish()).unwrap();
    assert_eq!(index.len(), 4);
    let of = |number| -> Vec<(String, Vec<String>)> {
        let tags = |record: manara_matching::Record<'_>| record.tags.map(str::to_owned).collect();
        index.details(number).unwrap().map(|record| (record.id.to_string(), tags(record))).collect()
    };
    let (one, two) = ("00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002");
    let tags = vec!["a".to_owned(), "b".to_owned()];
    assert_eq!(of(first), [(one.to_owned(), tags.clone()), (two.to_owned(), vec![])]);
    assert_eq!(of(other), [(one.to_owned(), tags)]);
    let record = index.details(first).unwrap().next().unwrap();
    assert_eq!((record.title, record.tlp, record.pap), ("A title", "green", ""));
    assert_eq!((record.tags.collect::<Vec<_>>(), record.says.collect::<Vec<_>>()), (vec!["a", "b"], vec!["said"]));
    assert!(index.details(silent).is_none() && index.details(99).is_none());
    assert_eq!((of(crowd).len(), index.details(crowd).unwrap().total()), (SOURCES, SOURCES as u32 + 9));
}

#[test]
fn what_is_said_of_values_is_bounded_and_what_is_known_stays() {
    let mut builder = Builder::new();
    let mut say = |name: &str, says: &[&str]| {
        let number = builder.add(Kind::Domain, name).unwrap();
        let source = builder.source(&Source { title: "A list", says, ..Source::default() });
        builder.describe(number, source);
        number
    };
    let first = say("first.example", &["Emotet"]);
    let many: Vec<String> = (0..99).map(|n| n.to_string()).collect();
    let crowd = say("crowd.example", &many.iter().map(String::as_str).collect::<Vec<_>>());
    // A comment of its own for each of twelve thousand values: 16 times 512 bytes are over 90 MB.
    let pad = "x".repeat(500);
    let long = |n: usize| (0..16).map(|m| format!("{n}.{m} {pad}")).collect::<Vec<String>>();
    for n in 0..12_000 {
        say("noisy.example", &long(n).iter().map(String::as_str).collect::<Vec<_>>());
    }
    let late = say("late.example", &long(12_000).iter().map(String::as_str).collect::<Vec<_>>());
    let known = say("known.example", &["Emotet"]);
    let file = builder.finish();
    assert!(file.len() < 80 << 20, "{}", file.len());
    let index = Index::from_bytes(file).unwrap();
    let says = |number: u32| index.details(number).unwrap().next().unwrap().says.map(str::to_owned).collect::<Vec<_>>();
    assert_eq!((says(first), says(known)), (vec!["Emotet".to_owned()], vec!["Emotet".to_owned()]));
    assert_eq!(says(crowd), many[..16]);
    assert_eq!((says(late).len(), index.details(late).unwrap().next().unwrap().title), (0, "A list"));
}

#[test]
fn of_a_crowd_the_strictest_are_kept() {
    let mut builder = Builder::new();
    let number = builder.add(Kind::Domain, "evil.example").unwrap();
    for n in 0..SOURCES as u32 + 20 {
        let (tlp, pap) = match n {
            n if n == SOURCES as u32 + 10 => ("red", ""),
            n if n == SOURCES as u32 + 15 => ("", "RED"),
            _ => ("clear", ""),
        };
        let record = RecordId(u128::from(n).to_be_bytes());
        let source = builder.source(&Source { record, title: "A title", tlp, pap, tags: &[], says: &[] });
        builder.describe(number, source);
    }
    let index = Index::from_bytes(builder.finish()).unwrap();
    let known: Vec<_> = index.details(number).unwrap().collect();
    assert_eq!(known.len(), SOURCES);
    assert!(known.iter().any(|record| record.tlp == "red") && known.iter().any(|record| record.pap == "RED"));
}

#[test]
fn what_is_longer_than_what_is_compared_is_refused() {
    let mut builder = Builder::new();
    let url = |length: usize| format!("http://a.example/{}", "x".repeat(length - 17));
    assert!(builder.add(Kind::Url, &url(2048)).is_ok());
    assert_eq!(builder.add(Kind::Url, &url(2049)), Err(Refused::Url));
    let mail = |length: usize| format!("{}@a.example", "x".repeat(length));
    assert!(builder.add(Kind::Email, &mail(64)).is_ok());
    assert_eq!(builder.add(Kind::Email, &mail(65)), Err(Refused::Email));
    let index = Index::from_bytes(builder.finish()).unwrap();
    let log = format!("{} and {}", url(2048), mail(64));
    let mut hits = 0;
    Scanner::new(&index).scan(log.as_bytes(), |_| hits += 1);
    assert_eq!(hits, 2);
}

#[test]
fn what_many_share_stands_there_once() {
    let lines = real();
    let (bare, full) = (build(&lines), described(&lines));
    let index = Index::from_bytes(full.clone()).unwrap();
    assert_eq!(Index::from_bytes(bare.clone()).unwrap().details_size(), 0);
    assert!(index.details_size() < 5 * lines.len() + 8000, "{} bytes", index.details_size());
    assert!(full.len() - bare.len() < index.details_size() + 5 * 64);
}

#[test]
fn an_index_holds_what_was_added_and_nothing_near_it() {
    let lines = real();
    let index = Index::from_bytes(build(&lines)).unwrap();
    for line in &lines {
        let number = index.find(guess(line).unwrap(), line).unwrap();
        assert_eq!(index.text(number), line);
    }
    let list = [
        (Kind::Domain, "evil.com", "EVIL.com."),
        (Kind::Domain, "*.below.org", "*.Below.org"),
        (Kind::Domain, "xn--bcher-kva.example", "bücher.example"),
        (Kind::Ipv4, "1.2.3.4", "::ffff:1.2.3.4"),
        (Kind::Network, "10.20.0.0/16", "10.20.30.40/16"),
        (Kind::Ipv6, "2001:db8::1", "2001:DB8:0::1"),
        (Kind::Network, "2001:db8:5::/48", "2001:db8:5:1::/48"),
        (Kind::Url, "http://evil.com/a/b", "http://evil.com/a/b#c"),
        (Kind::Url, "http://1.2.3.4/match", "http://1.2.3.4/match"),
        (Kind::Url, "http://[2001:db8::7]/six", "http://[2001:db8::7]/six"),
        (Kind::Email, "odd!bad@evil.com", "ODD!BAD@EVIL.com"),
        (Kind::Md5, "d41d8cd98f00b204e9800998ecf8427e", "D41D8CD98F00B204E9800998ECF8427E"),
        (Kind::Cve, "CVE-2021-44228", "cve-2021-44228"),
        (Kind::Filename, "evil.exe", "C:\\x\\EVIL.exe"),
        (Kind::Asn, "AS1234", "1234"),
        (Kind::Ssdeep, "96:s4Ud1Lj96tHHlZDrwciQmA:sF1LzHQ", "96:s4Ud1Lj96tHHlZDrwciQmA:sF1LzHQ"),
    ];
    let mut builder = Builder::new();
    for (n, (kind, normal, spelled)) in list.iter().enumerate() {
        assert_eq!(builder.add(*kind, spelled), Ok(n as u32), "{spelled}");
        assert_eq!(builder.add(*kind, normal), Ok(n as u32), "{normal} is there already");
    }
    let index = Index::from_bytes(builder.finish()).unwrap();
    for (n, (kind, normal, spelled)) in list.iter().enumerate() {
        assert_eq!(index.text(n as u32), *normal);
        assert_eq!(
            (index.find(*kind, normal), index.find(*kind, spelled)),
            (Some(n as u32), Some(n as u32)),
            "{normal}"
        );
    }
    for (kind, near) in [
        (Kind::Domain, "www.evil.com"),
        (Kind::Domain, "com"),
        (Kind::Domain, "below.org"),
        (Kind::Domain, "*.evil.com"),
        (Kind::Domain, "evil.exe"),
        (Kind::Network, "10.20.0.0/17"),
        (Kind::Network, "1.2.3.4/32"),
        (Kind::Ipv4, "10.20.1.1"),
        (Kind::Url, "http://evil.com/a/b/c"),
        (Kind::Url, "http://evil.com/a"),
        (Kind::Url, "http://evil.com/"),
        (Kind::Email, "bad@evil.com"),
        (Kind::Asn, "AS12345"),
        (Kind::Sha1, "d41d8cd98f00b204e9800998ecf8427e"),
        (Kind::Ipv4, "no address"),
    ] {
        assert!(!index.holds(kind, near), "{near}");
    }
}

#[test]
fn an_index_knows_what_it_adds_to() {
    let base = Index::from_bytes(build(&real())).unwrap();
    assert_eq!(base.base(), None);
    let mut builder = Builder::new();
    builder.adds_to(base.checksum());
    builder.add(Kind::Domain, "new.example").unwrap();
    let delta = Index::from_bytes(builder.finish()).unwrap();
    assert_eq!(delta.base(), Some(base.checksum()));
    assert_ne!(delta.checksum(), base.checksum());
}

#[test]
fn a_key_makes_the_file_and_nothing_else() {
    let lines = real();
    let with = |key| {
        let mut builder = Builder::with_key(key);
        for line in &lines {
            builder.add(guess(line).unwrap(), line).unwrap();
        }
        builder.finish()
    };
    let (one, other) = (with(1), with(2));
    assert_eq!(one, with(1));
    assert_ne!(one, other);
    assert_ne!(build(&lines), build(&lines), "each file has a key of its own");
    let log = log(&lines);
    let hits = |file: Vec<u8>| {
        let index = Index::from_bytes(file).unwrap();
        let mut hits = Vec::new();
        Scanner::new(&index).scan(&log, |hit| hits.push(hit));
        hits
    };
    assert_eq!(hits(one), hits(other));
}

#[test]
fn lists_that_were_made_to_collide_lose_no_hit_and_say_what_they_lose() {
    let mut builder = Builder::new();
    let mut list = Vec::new();
    // One word to look them up by: what stands before an odd sign is not part of it.
    let mails = (0..400).map(|n| (Kind::Email, format!("a{n}!same@evil.example")));
    // One word but for the case of letters.
    let case = |n: u32| -> String { (0..16).map(|at| if n >> at & 1 == 0 { 'a' } else { 'A' }).collect() };
    let hashes = (0..400).map(|n| (Kind::Ssdeep, format!("96:{}:xyz", case(n))));
    // Labels of another script whose letters differ in the bit that tells capitals.
    let names = (0..400_u32).map(|n| {
        let name: String = (0..9).map(|at| if n >> at & 1 == 0 { '\u{4e00}' } else { '\u{4e20}' }).collect();
        (Kind::Domain, format!("{name}.example"))
    });
    let mut refused = 0;
    for (kind, value) in mails.chain(hashes).chain(names) {
        match builder.add(kind, &value) {
            Ok(number) => list.push((number, value)),
            Err(error) => {
                assert_eq!(error, Refused::Alike);
                refused += 1;
            }
        }
    }
    assert_eq!((list.len(), refused), (256 + 256 + 400, 144 + 144));
    let index = Index::from_bytes(builder.finish()).unwrap();
    let log: String = list.iter().map(|(_, value)| format!("seen {value} here\n")).collect();
    let mut found = vec![false; list.len()];
    Scanner::new(&index)
        .scan(log.as_bytes(), |hit| found[hit.line as usize - 1] |= list[hit.line as usize - 1].0 == hit.indicator);
    let missed: Vec<_> = found.iter().zip(&list).filter(|(found, _)| !**found).map(|(_, (_, value))| value).collect();
    assert!(missed.is_empty(), "{missed:?}");
    assert_eq!(Builder::new().add(Kind::Domain, "a\u{7f}b.example"), Err(Refused::Name));
}

#[test]
fn what_can_stand_in_no_log_is_refused() {
    let refused = |kind, value: &str| Builder::new().add(kind, value).unwrap_err();
    for bad in ["noending", "two words.exe", ".exe", "x.", "a..b", "1.2.3.4", "", "/x/", "é.exe"] {
        assert_eq!(refused(Kind::Filename, bad), Refused::File, "{bad}");
    }
    for bad in ["AS", "ASN5", "AS0", "AS01", "AS4294967296", "AS-1", "AS1.5", "AS+1", ""] {
        assert_eq!(refused(Kind::Asn, bad), Refused::Asn, "{bad}");
    }
}
