//! The scanner against a slow reference on lines that were made to be nasty.

#![allow(clippy::unwrap_used)]

mod random;
mod reference;

use manara_matching::{Code, Index, Kind, Scanner};
use random::{Random, seed};
use reference::{index, line};
use std::collections::BTreeSet;

const LIST: &[(Kind, &str)] = &[
    (Kind::Domain, "evil.com"),
    (Kind::Domain, "a.evil.com"),
    (Kind::Domain, "*.below.org"),
    (Kind::Domain, "xn--bcher-kva.example"),
    (Kind::Domain, "xn--mgbh0fb.xn--kgbechtv"),
    (Kind::Domain, "a-very-long-label-with-more-than-sixteen.co.uk"),
    (Kind::Domain, "lonelytop"),
    (Kind::Domain, "x.host1"),
    (Kind::Domain, "e.co"),
    (Kind::Ipv4, "1.2.3.4"),
    (Kind::Ipv4, "8.8.8.8"),
    (Kind::Ipv4, "203.0.113.77"),
    (Kind::Network, "10.20.0.0/16"),
    (Kind::Network, "10.20.30.0/24"),
    (Kind::Network, "10.20.30.128/25"),
    (Kind::Ipv6, "2001:db8::1"),
    (Kind::Network, "2001:db8:5::/48"),
    (Kind::Network, "2a00::/12"),
    (Kind::Network, "64:ff9b::/96"),
    (Kind::Url, "http://evil.com/a/b"),
    (Kind::Url, "http://evil.com/a/b?c=d"),
    (Kind::Url, "https://only.url/"),
    (Kind::Url, "http://paths.net/x/"),
    (Kind::Url, "http://paths.net:8080/x"),
    (Kind::Url, "http://1.2.3.4/match"),
    (Kind::Url, "http://5.6.7.8/q?z="),
    (Kind::Url, "http://[2001:db8::7]/six"),
    (Kind::Email, "bad@evil.com"),
    (Kind::Email, "john.doe+x@mail.org"),
    (Kind::Md5, "d41d8cd98f00b204e9800998ecf8427e"),
    (Kind::Sha1, "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
    (Kind::Sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    (
        Kind::Sha512,
        "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
    ),
    (Kind::Ssdeep, "96:s4Ud1Lj96tHHlZDrwciQmA+4uy1I0G4HYuL8N3TzS8QsO/wqWXJcAoT:sF1LzHQ"),
    (Kind::Cve, "CVE-2021-44228"),
    (Kind::Btc, "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
    (Kind::Btc, "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"),
    (Kind::Eth, "0xde0b295669a9fd93d5f28d9ec85e40f4cb697bae"),
    (Kind::Filename, "evil.exe"),
    (Kind::Filename, "a.evil.com"),
    (Kind::Filename, "notes.evil.exe.x32"),
    (Kind::Asn, "AS1234"),
    (Kind::Asn, "AS4200000000"),
    (Kind::Domain, "*.xn--bcher-kva.example"),
];

/// Parts that lines are made of, put side by side without anything between.
const PARTS: &[&str] = &[
    "evil.com",
    "EVIL.com",
    "a.evil.com",
    "www.a.evil.com",
    "notevil.com",
    "evil.com.br",
    "evil",
    "com",
    ".",
    "..",
    "evil.com.",
    "evil[.]com",
    "evil(dot)com",
    "evil{.}com",
    "evil[DOT]com",
    "evil%2ecom",
    "evil\\u002ecom",
    "evil\\x2ecom",
    "%65vil.com",
    "x.below.org",
    "below.org",
    ".below.org",
    "a..below.org",
    "bücher.example",
    "BÜCHER.example",
    "xn--bcher-kva.example",
    "b\\u00fccher.example",
    "مثال.إختبار",
    "xn--mgbh0fb.xn--kgbechtv",
    "bücher。example",
    "a-very-long-label-with-more-than-sixteen.co.uk",
    "sub.A-VERY-LONG-LABEL-WITH-MORE-THAN-SIXTEEN.co.uk",
    "x.lonelytop",
    "lonelytop",
    "x.host1",
    "y.x.host1",
    "e.co",
    "ee.co",
    "1.2.3.4",
    "01.2.3.4",
    "1.2.3.45",
    "11.2.3.4",
    "1.2.3.4.5",
    "1[.]2[.]3[.]4",
    "1.2.3",
    "8.8.8.8",
    "203.0.113.77",
    "203.0.113.7",
    "10.20.30.200",
    "10.20.1.1",
    "10.21.1.1",
    "256.1.1.1",
    "1750464000.123",
    "::ffff:1.2.3.4",
    "::ffff:102:304",
    "0:0:0:0:0:ffff:102:304",
    "2001:db8::1",
    "2001:DB8:0:0:0:0:0:1",
    "2001:0db8:0000:0000:0000:0000:0000:0001",
    "2001:db8:5:6:7:8:9:a",
    "2001:db8::12",
    "2a0f:1::9",
    "64:ff9b::1.2.3.4",
    "IPv6:",
    "std::",
    "::",
    ":",
    "12:34:56",
    "aa:bb:cc:dd:ee:ff",
    "http://",
    "hxxp://",
    "https:\\/\\/",
    "hxxp[:]//",
    "hxxp[://]",
    "user@",
    "user:pw@",
    "/a/b",
    "/a/bc",
    "/a/b/",
    "\\/a\\/b",
    "/%61/b",
    "/a%2Fb",
    "/a/b?c=d",
    "/a/b?c=d&e",
    "?c=d",
    ":80",
    ":443",
    ":8080",
    ":8443",
    "only.url",
    "only.url/",
    "paths.net/x/",
    "paths.net/x/y",
    "paths.net/x",
    "paths.net:8080/x",
    "PATHS.NET:8080/x/y",
    "1.2.3.4/match",
    "1.2.3.4/mat%63h",
    "1.2.3.4/matches",
    "5.6.7.8/q?z=1",
    "[2001:db8::7]/six",
    "[2001:db8::7]:80/six/x",
    "bad@evil.com",
    "BAD@EVIL.com",
    "xbad@evil.com",
    "bad@www.evil.com",
    "bad%40evil.com",
    "bad[@]evil[.]com",
    "john.doe+x@mail.org",
    "doe+x@mail.org",
    "mail.org",
    "d41d8cd98f00b204e9800998ecf8427e",
    "D41D8CD98F00B204E9800998ECF8427E",
    "d41d8cd98f00b204e9800998ecf8427",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
    "96:s4Ud1Lj96tHHlZDrwciQmA+4uy1I0G4HYuL8N3TzS8QsO/wqWXJcAoT:sF1LzHQ",
    "cve-2021-44228",
    "CVE-2021-442281",
    "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
    "1a1zp1ep5qgefi2dmptftl5slmv7divfna",
    "BC1QAR0SRRR7XFKVY5L643LYDNW9RE59GTZZWF5MDQ",
    "0xDE0B295669A9FD93D5F28D9EC85E40F4CB697BAE",
    "evil.exe",
    "EVIL.EXE",
    "evil.exe.",
    "C:\\x\\evil.exe",
    "\\notes.evil.exe.x32",
    "/x/%65vil.exe",
    "x.evil.exe",
    "evil.exe.x",
    "evil[.]exe",
    "AS1234",
    "as1234",
    "AS12345",
    "AS01234",
    "%20AS1234",
    "%41S1234",
    "\\nAS4200000000",
    "xAS1234",
    "AS1234.x",
    " ",
    " ",
    " ",
    " ",
    " ",
    "\t",
    "\"",
    "'",
    ",",
    ";",
    "=",
    "<",
    ">",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "|",
    "\\",
    "/",
    "-",
    "_",
    "x",
    "0",
    "a",
    "@",
    "%",
    "%2F",
    "%20",
    "%3A",
    "%",
    "\\n",
    "\\t",
    "\\r",
    "\\\"",
    "“",
    "”",
    "é",
    "例",
    "\u{7f}",
    "index.html",
    "Mozilla/5.0",
    "app.min.js",
    "www.example.net",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.z.a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.evil.com",
    ".......",
    "................................................................................................",
];

fn hits(scanner: &Scanner<'_>, text: &[u8]) -> Vec<(u64, u32)> {
    let mut found = Vec::new();
    scanner.scan(text, |hit| {
        let lines = text[..hit.start].iter().filter(|b| **b == b'\n').count() as u64;
        let start = text[..hit.start].iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
        assert_eq!((hit.line, hit.column), (lines + 1, (hit.start - start) as u64 + 1), "a hit's place");
        assert!(hit.start < hit.end && !text[hit.start..hit.end].contains(&b'\n'), "a hit is on one line");
        found.push((hit.line, hit.indicator));
    });
    found
}

fn both(index: &Index, text: &[u8]) -> Vec<(u64, u32)> {
    let found = hits(&Scanner::new(index), text);
    assert_eq!(found, hits(&Scanner::new(index).with(Code::Portable), text), "with and without AVX2");
    found
}

fn compare(list: &[(Kind, &str)], index: &Index, text: &[u8]) {
    let found: BTreeSet<(u64, u32)> = both(index, text).into_iter().collect();
    for (n, bytes) in text.split(|b| *b == b'\n').enumerate() {
        let number = n as u64 + 1;
        let here: BTreeSet<u32> = found.range((number, 0)..(number + 1, 0)).map(|(_, n)| *n).collect();
        let wanted = line(list, bytes);
        if here != wanted {
            let name = |n: &u32| list[*n as usize].1;
            panic!(
                "line {number}: {:?}\nbytes {:?}\nonly the scanner: {:?}\nonly the reference: {:?}",
                String::from_utf8_lossy(bytes),
                bytes,
                here.difference(&wanted).map(name).collect::<Vec<_>>(),
                wanted.difference(&here).map(name).collect::<Vec<_>>()
            );
        }
    }
}

#[test]
fn scanner_and_reference_agree_on_nasty_lines() {
    let seed = seed();
    let mut random = Random::new(seed);
    let rounds = std::env::var("ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(60);
    for _ in 0..rounds {
        // Some of the list: what an index does not hold switches parts of the scanner off.
        let keep = 1 + random.below(4);
        let list: Vec<_> = LIST.iter().copied().filter(|_| random.below(4) < keep).collect();
        let index = index(&list);
        let mut text = Vec::new();
        while text.len() < 20_000 {
            for _ in 0..random.below(9) {
                text.extend_from_slice(PARTS[random.below(PARTS.len())].as_bytes());
                if random.below(40) == 0 {
                    text.push(random.next() as u8 | 0x80);
                }
            }
            text.push(b'\n');
        }
        compare(&list, &index, &text);
    }
}

#[test]
fn every_part_is_read_the_same_at_every_place_of_a_block() {
    let index = index(LIST);
    for part in PARTS {
        for before in 0..140 {
            let mut text = vec![b' '; before];
            text.extend_from_slice(part.as_bytes());
            compare(LIST, &index, &text);
            // The same across the border of a chunk, with a line after it.
            let mut text = vec![b'\n'; 8192 - 70 + before];
            text.extend_from_slice(part.as_bytes());
            text.extend_from_slice(b"\nevil.com 1.2.3.4");
            let last = both(&index, &text);
            let mut alone = both(&index, part.as_bytes());
            let line = (8192 - 70 + before) as u64;
            alone.iter_mut().for_each(|hit| hit.0 += line);
            alone.extend([(line + 2, 0), (line + 2, 9)]);
            assert_eq!(last, alone, "{part} after {before}");
        }
    }
}
