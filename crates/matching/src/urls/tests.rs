//! What searching the URLs of a host finds, and what it costs: rows that are read.

use super::*;

/// URLs by what follows one host.
struct List {
    texts: Vec<String>,
    sections: (Vec<u8>, Vec<u8>),
}

impl List {
    fn of(texts: Vec<String>) -> List {
        let host = |text: &str| text.find("a.example").unwrap()..text.find("a.example").unwrap() + 9;
        let url = |(n, text): (usize, &String)| {
            let host = host(text);
            Url::new(7, n as u32, text, host.clone(), host.end..text.len())
        };
        let sections = build(texts.iter().enumerate().map(url).collect(), |n| texts[n as usize].as_bytes());
        List { texts, sections }
    }

    /// The entries that a rest starts with, and rows read for that.
    fn starting(&self, rest: &str) -> (Vec<u32>, usize) {
        let (urls, mut found) = (Urls::new(&self.sections.0, &self.sections.1), Vec::new());
        READ.set(0);
        urls.starting(7, rest.as_bytes(), self.text(), |url| {
            found.push(url.entry);
            true
        });
        (found, READ.get())
    }

    fn text<'t>(&'t self) -> impl Fn(u32) -> &'t [u8] {
        |n| self.texts[n as usize].as_bytes()
    }
}

#[test]
fn urls_that_each_begin_with_the_one_before_cost_what_they_tell() {
    let list = List::of((0..2000).map(|n| format!("a.example/{}", "a".repeat(n))).collect());
    // Nothing of it but the first: the walk is not gone to its end.
    let (found, read) = list.starting("/ab");
    assert_eq!((found, read < 150), (vec![0], true), "{read} rows");
    // The longest: those between end within a word.
    let (found, read) = list.starting(&format!("/{}", "a".repeat(1999)));
    assert_eq!((found, read < 5 * 2000), (vec![1999, 0], true), "{read} rows");
    let list = List::of((0..1000).map(|n| format!("a.example/{}", "a/".repeat(n))).collect());
    let (found, read) = list.starting(&format!("/{}", "a/".repeat(999)));
    assert_eq!((found.len(), read < 5 * 1000), (1000, true), "{read} rows");
    let (found, _) = list.starting("/a/a/x");
    assert_eq!(found, [2, 1, 0]);
}

#[test]
fn urls_that_differ_in_user_info_only_cost_what_they_tell() {
    let user = |path: &'static str| (0..20_000).map(move |n| format!("u{n}@a.example{path}"));
    let list = List::of(user("/a").chain(user("/ab")).chain(["a.example/".to_owned()]).collect());
    for (rest, told) in [("/b", 1), ("/abc", 1), ("/", 1), ("", 0), ("/ab", 20_001), ("/a", 20_001)] {
        let (found, read) = list.starting(rest);
        assert_eq!(found.len(), told, "{rest}");
        assert!(read < 6 * told + 300, "{rest}: {read} rows");
    }
}

#[test]
fn each_of_many_that_are_alike_is_found_by_its_text() {
    let list = List::of((0..5000).map(|n| format!("u{n}@a.example/%61")).collect());
    let urls = Urls::new(&list.sections.0, &list.sections.1);
    READ.set(0);
    for (n, whole) in list.texts.iter().enumerate() {
        assert_eq!(urls.find(7, b"/a", whole.as_bytes(), list.text()), Some(n as u32));
    }
    assert!(READ.get() < 5000 * 20, "{} rows", READ.get());
    for (key, rest, whole) in
        [(7, "/a", "u@a.example/%61"), (7, "/b", "u1@a.example/%61"), (8, "/a", "u1@a.example/%61")]
    {
        assert_eq!(urls.find(key, rest.as_bytes(), whole.as_bytes(), list.text()), None);
    }
}

#[test]
fn all_that_a_rest_starts_with_are_found_as_one_by_one() {
    let mut state = 1_u64;
    let mut below = |n: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    };
    let mut word = |most: u64| -> String {
        (0..below(most)).map(|_| ["a", "b", "/", "%61", "?", "\\/"][below(6) as usize]).collect()
    };
    for _ in 0..300 {
        let list = List::of((0..80).map(|n| format!("u{}@a.example{}", n % 3, word(8))).collect());
        for _ in 0..40 {
            let rest: Vec<u8> = Decoded { rest: word(12).as_bytes() }.collect();
            let mut found = list.starting(str::from_utf8(&rest).unwrap()).0;
            found.sort_unstable();
            let begins = |text: &String| {
                let named: Vec<u8> = Decoded { rest: text.split_once("example").unwrap().1.as_bytes() }.collect();
                rest.starts_with(&named) && border(&named, &rest[named.len()..])
            };
            let wanted = (0..80).filter(|n| begins(&list.texts[*n])).map(|n| n as u32);
            assert_eq!(found, wanted.collect::<Vec<u32>>(), "{:?} of {:?}", str::from_utf8(&rest), list.texts);
        }
    }
}
