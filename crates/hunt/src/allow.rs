//! Values that are not told: lists like those of an index, and MISP's warning lists.

use crate::list;
use crate::source::{Item, Trouble, Walk, open};
use manara_matching::{Builder, Index, Kind, Next, Scanner, Scratch};
use manara_model::observable::{Type, guess_listed, normalise};
use manara_model::warninglist::WarningLists;
use std::collections::HashMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The name of the lists that come with the program.
pub const BUILT_IN: &str = "builtin";
/// MISP warning lists of what everybody meets, a body a line, made by `scripts/warninglists.py`, which says which.
static LISTS: &[u8] = include_bytes!("../data/warninglists.zst");
/// Bytes of one list.
const MOST: u64 = 256 << 20;

/// Memory for answers that are remembered, of each thread, and what one takes beside its text.
const REMEMBERED: usize = 1 << 20;
const ENTRY: usize = 64;
/// What is asked about: indicators by the number of their kind, then what was matched, by whether lists are asked too.
const MATCHED: usize = 128;
const GUESSED: usize = MATCHED + 1;
const ABOUT: usize = GUESSED + 1;

/// What is allowed.
#[derive(Debug)]
pub struct Allow {
    index: Index,
    lists: WarningLists,
}

/// Why lists cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AllowError {
    /// A list cannot be read.
    #[error("{0}")]
    Read(Trouble),
    /// A list is none.
    #[error("{0}: {1}")]
    Foreign(String, String),
    /// The values cannot be looked for.
    #[error("{0}")]
    Index(#[from] manara_matching::OpenError),
}

impl Allow {
    /// Reads lists: files, folders of them, `-`, or [`BUILT_IN`]. What starts with `{` is a warning list as MISP publishes it;
    /// anything else has a value a line. How many lines were no value comes back.
    ///
    /// # Errors
    /// A list that cannot be read or is none: nobody wants to find out later that it did not count.
    pub fn read(names: &[PathBuf]) -> Result<(Allow, u64), AllowError> {
        let (mut builder, mut bodies, mut refused) = (Builder::new(), Vec::new(), 0);
        let (built_in, names): (Vec<PathBuf>, Vec<PathBuf>) =
            names.iter().cloned().partition(|name| name == Path::new(BUILT_IN));
        if !built_in.is_empty() {
            let lists =
                zstd::decode_all(LISTS).map_err(|error| AllowError::Foreign(BUILT_IN.into(), error.to_string()))?;
            let lists = String::from_utf8_lossy(&lists).into_owned();
            bodies.extend(lists.lines().map(|body| (BUILT_IN.into(), body.to_owned())));
        }
        for item in Walk::new(&names) {
            let log = match item {
                Item::Log(log) => log,
                Item::Skipped(_) => continue,
                Item::Trouble(trouble) => return Err(AllowError::Read(trouble)),
            };
            let text = body(&log.path)
                .map_err(|error| AllowError::Read(Trouble::Closed { name: log.name.to_string(), error }))?;
            if text.trim_start().starts_with('{') {
                bodies.push((log.name, text));
                continue;
            }
            for line in text.lines() {
                match list::value(line) {
                    None => {}
                    Some(value) => refused += u64::from(!list::add(&mut builder, value)),
                }
            }
        }
        let (lists, errors) = WarningLists::from_bodies(bodies.iter().map(|(_, body)| body));
        if let Some(error) = errors.into_iter().next() {
            let names: Vec<&str> = bodies.iter().map(|(name, _)| &**name).collect();
            return Err(AllowError::Foreign(names.join(", "), error));
        }
        Ok((Allow { index: Index::from_bytes(builder.finish())?, lists }, refused))
    }

    /// Asks about hits: one for each thread.
    #[must_use]
    pub fn asking(&self) -> Asking<'_> {
        let scanner = (!self.index.is_empty()).then(|| Scanner::new(&self.index));
        Asking { allow: self, scanner, scratch: Scratch::new(), known: vec![HashMap::new(); ABOUT], bytes: 0 }
    }
}

/// What was answered is remembered, up to some memory: a log that has a value often asks about it often.
#[derive(Debug)]
pub struct Asking<'a> {
    allow: &'a Allow,
    scanner: Option<Scanner<'a>>,
    scratch: Scratch,
    /// Answers, by what was asked and the text of it.
    known: Vec<HashMap<Box<str>, bool>>,
    /// Roughly the memory that they take.
    bytes: usize,
}

impl Asking<'_> {
    /// Whether a hit is allowed: by its indicator, or by what it matched. A network is allowed for the addresses
    /// that are; a name for itself and the names below; a URL by its host too.
    #[must_use]
    pub fn holds(&mut self, indicator: &str, kind: Kind, matched: &str) -> bool {
        // What is not asked of the lists for one kind is for another.
        let guessed = matches!(kind, Kind::Network | Kind::Domain);
        self.answer(kind as usize, indicator, |asking| {
            // An address of the network's text would speak for all of it.
            (kind != Kind::Network && asking.names(indicator)) || asking.allow.warns(indicator, kind)
        }) || self.answer(if guessed { GUESSED } else { MATCHED }, matched, |asking| {
            asking.names(matched) || guessed && asking.allow.warns_of(matched)
        })
    }

    /// The answer that is remembered, or that is found now.
    fn answer(&mut self, about: usize, text: &str, find: impl FnOnce(&mut Self) -> bool) -> bool {
        if let Some(answer) = self.known.get(about).and_then(|known| known.get(text)) {
            return *answer;
        }
        let answer = find(self);
        let more = text.len() + ENTRY;
        if self.bytes + more > REMEMBERED {
            self.known.iter_mut().for_each(|known| *known = HashMap::new());
            self.bytes = 0;
        }
        if more <= REMEMBERED / 16
            && let Some(known) = self.known.get_mut(about)
        {
            known.insert(text.into(), answer);
            self.bytes += more;
        }
        answer
    }

    /// Whether a text is a value that is allowed, or at one's host.
    fn names(&mut self, text: &str) -> bool {
        let Some(scanner) = &self.scanner else { return false };
        let host = text.find("://").map_or(0, |at| at + 3);
        let mut allowed = false;
        scanner.scan_some(&mut self.scratch, text.as_bytes(), |hit| {
            let before = text.get(host.min(hit.start)..hit.start).unwrap_or("/");
            let behind = text.get(hit.end..).unwrap_or_default();
            let behind = behind.split(['/', '?', '#']).next().unwrap_or_default();
            // Not what stands in a path, nor the user's name before a host.
            allowed |= !before.contains(['/', '?', '#', '\\', ' ']) && !behind.contains('@');
            if allowed { Next::Stop } else { Next::Hit }
        });
        allowed
    }
}

impl Allow {
    /// Whether a warning list has an indicator.
    fn warns(&self, indicator: &str, kind: Kind) -> bool {
        let typed = || Type::by_name(kind.name()).and_then(|ty| normalise(ty, indicator).ok());
        !self.lists.is_empty() && typed().is_some_and(|observable| !self.lists.hits(&observable).is_empty())
    }

    /// Whether a warning list has what a network or a name matched.
    fn warns_of(&self, matched: &str) -> bool {
        !self.lists.is_empty() && guess_listed(matched).is_some_and(|found| !self.lists.hits(&found).is_empty())
    }
}

fn body(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    open(path)?.take(MOST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST {
        return Err(io::Error::other("a list of more than 256 MB"));
    }
    String::from_utf8(bytes).or_else(|error| Ok(String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allow(files: &[(&str, &str)]) -> Result<Allow, AllowError> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        Allow::read(&[folder.path().to_owned()]).map(|(allow, _)| allow)
    }

    #[test]
    fn values_parents_networks_and_hosts_are_allowed_and_nothing_that_only_names_them() {
        let list = "good[.]com # ours\n10.1.0.0/16\nfiles.example/pub\nd41d8cd98f00b204e9800998ecf8427e\n";
        let allow = allow(&[("a", list)]).unwrap();
        let mut asking = allow.asking();
        let mut holds = |indicator: &str, kind, matched: &str| asking.holds(indicator, kind, matched);
        assert!(holds("good.com", Kind::Domain, "good.com"));
        assert!(holds("cdn.good.com", Kind::Domain, "x.CDN.good.com"));
        assert!(holds("com", Kind::Domain, "hxxp://www.good[.]com") || holds("com", Kind::Domain, "www.good[.]com"));
        assert!(!holds("com", Kind::Domain, "bad.com"));
        assert!(!holds("notgood.com", Kind::Domain, "notgood.com"));
        assert!(holds("10.0.0.0/8", Kind::Network, "10.1.2.3"));
        assert!(!holds("10.1.0.0/8", Kind::Network, "10.2.2.3"));
        assert!(holds("http://good.com/a", Kind::Url, "http://good.com/a/b"));
        assert!(!holds("evil.com/", Kind::Url, "http://evil.com/?u=http://good.com/"));
        assert!(!holds("evil.com/a", Kind::Url, "http://good.com:80@evil.com/a"));
        assert!(holds("files.example/pub/x", Kind::Url, "https://files.example/pub/x"));
        assert!(!holds("files.example/x", Kind::Url, "https://files.example/x"));
        assert!(holds("a@good.com", Kind::Email, "a@good.com"));
        assert!(holds("D41D8CD98F00B204E9800998ECF8427E", Kind::Md5, "x"));
    }

    #[test]
    fn warning_lists_are_read_as_misp_publishes_them() {
        let nets = r#"{"name":"n","type":"cidr","list":["8.8.8.0/24"],"matching_attributes":["ip-dst"]}"#;
        let names = r#"{"name":"h","type":"hostname","list":["good.com"]}"#;
        let allow = allow(&[("a.json", nets), ("b.json", names)]).unwrap();
        assert!(allow.asking().holds("8.8.8.8", Kind::Ipv4, "8.8.8.8"));
        assert!(allow.asking().holds("8.0.0.0/8", Kind::Network, "8.8.8.8"));
        assert!(!allow.asking().holds("8.0.0.0/8", Kind::Network, "8.8.4.4"));
        assert!(allow.asking().holds("good.com", Kind::Domain, "www.good.com"));
        assert!(!allow.asking().holds("bad.com", Kind::Domain, "www.bad.com"));
    }

    #[test]
    fn the_lists_that_come_with_the_program_are_those_of_the_fixtures() {
        let lists = String::from_utf8(zstd::decode_all(LISTS).unwrap()).unwrap();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/knowledge/warninglists");
        let mut bodies = Vec::new();
        for item in Walk::new(&[folder]) {
            let Item::Log(log) = item else { panic!("{item:?}") };
            bodies.push(serde_json::from_str::<serde_json::Value>(&body(&log.path).unwrap()).unwrap());
        }
        for list in lists.lines() {
            let list: serde_json::Value = serde_json::from_str(list).unwrap();
            assert!(bodies.contains(&list), "{}", list["name"]);
            // Below the most visited names there may be anybody.
            assert_ne!(list["type"], "hostname", "{}", list["name"]);
        }
        let (allow, refused) = Allow::read(&[BUILT_IN.into()]).unwrap();
        assert_eq!((refused, allow.lists.len()), (0, lists.lines().count()));
        assert!(allow.asking().holds("google.com", Kind::Domain, "google.com"));
        assert!(
            allow.asking().holds("da39a3ee5e6b4b0d3255bfef95601890afd80709", Kind::Sha1, "x"),
            "the hash of nothing"
        );
        assert!(allow.asking().holds("10.0.0.0/7", Kind::Network, "10.1.2.3"));
        assert!(!allow.asking().holds("evil.github.io", Kind::Domain, "evil.github.io"));
        assert!(!allow.asking().holds("203.0.114.9", Kind::Ipv4, "203.0.114.9"));
    }

    #[test]
    fn what_was_asked_before_is_remembered_up_to_some_memory() {
        let nets = r#"{"name":"n","type":"cidr","list":["8.8.8.0/24"],"matching_attributes":["ip-dst"]}"#;
        let allow = allow(&[("a", "good.com\n"), ("b.json", nets)]).unwrap();
        let mut asking = allow.asking();
        // The same text is allowed for one kind and not for another.
        for _ in 0..2 {
            assert!(asking.holds("8.8.8.8", Kind::Ipv4, "8.8.8.8") && asking.holds("x.com", Kind::Domain, "good.com"));
            assert!(
                !asking.holds("8.8.8.8", Kind::Md5, "8.8.8.8") && asking.holds("8.0.0.0/8", Kind::Network, "8.8.8.8")
            );
        }
        let known = |asking: &Asking<'_>| asking.known.iter().map(HashMap::len).sum::<usize>();
        let before = known(&asking);
        assert!(asking.holds("x.com", Kind::Domain, "good.com"));
        assert_eq!(known(&asking), before, "nothing new was asked");
        for n in 0..100_000 {
            assert!(asking.holds("x.com", Kind::Domain, &format!("n{n}.good.com")));
            assert!(asking.bytes <= REMEMBERED);
        }
        assert!(known(&asking) * ENTRY <= REMEMBERED);
        assert!(asking.holds(&"long.".repeat(40_000), Kind::Domain, "good.com"));
        assert!(known(&asking) * ENTRY <= REMEMBERED);
    }

    #[test]
    fn a_list_that_is_none_is_an_error() {
        let foreign = super::tests::allow(&[("a.json", "{\"name\":")]).unwrap_err().to_string();
        assert!(foreign.contains("a.json") && foreign.contains("no warning list"), "{foreign}");
        let missing = Allow::read(&["/no/such/list".into()]).unwrap_err().to_string();
        assert!(missing.contains("/no/such/list"), "{missing}");
    }
}
