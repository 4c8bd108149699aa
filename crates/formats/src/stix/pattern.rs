//! STIX patterns (STIX 2.1 §9): the equality comparisons in one, and the pattern of values.

use super::graph::{Piece, address, typed};
use super::table::Form;
use serde_json::Value;

/// A comparison for equality.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Atom {
    pub(super) object: String,
    pub(super) path: String,
    pub(super) value: String,
}

/// What a pattern says by equality.
#[derive(Debug, Default)]
pub(super) struct Atoms {
    pub(super) atoms: Vec<Atom>,
    /// That is all it says: one observation in which all of them hold (those of one path: any of them).
    pub(super) whole: bool,
    /// Several values of one path are alternatives.
    pub(super) alternatives: bool,
    /// Each of them is enough by itself.
    pub(super) each: bool,
}

/// The equality comparisons of a pattern. What it says beyond them is for a matcher.
pub(super) fn atoms(pattern: &str) -> Atoms {
    let mut found = Atoms::default();
    let mut rest: Vec<u8> = Vec::with_capacity(pattern.len());
    let mut from = 0;
    while let Some(quote) = pattern[from..].find('\'').map(|at| from + at) {
        let (value, after) = constant(&pattern[quote + 1..]);
        let end = pattern.len() - after.len();
        // A quote that follows no equals sign is part of a path (hashes.'SHA-256') or another comparison.
        let before = pattern[..quote]
            .strip_suffix('t')
            .filter(|left| left.trim_end().ends_with('='))
            .unwrap_or(&pattern[..quote]);
        let left = before.trim_end().strip_suffix('=').filter(|left| !left.ends_with(['!', '<', '>']));
        let path = left
            .map(last_path)
            .and_then(|path| path.split_once(':').map(|(object, property)| (path, object, property)));
        match path {
            Some((path, object, property)) => {
                plain(&pattern[from..pattern.len().min(left.map_or(quote, str::len))], path, &mut rest);
                found.atoms.push(Atom { object: object.into(), path: normal(property), value });
                rest.push(b'@');
            }
            None => rest.extend_from_slice(&pattern.as_bytes()[from..end]),
        }
        from = end;
    }
    rest.extend_from_slice(&pattern.as_bytes()[from..]);
    let rest = String::from_utf8_lossy(&rest).into_owned();
    let rest = literals(&rest, &mut found);
    shape(&rest, &mut found);
    found
}

/// What stands before a path.
fn plain(text: &str, path: &str, rest: &mut Vec<u8>) {
    let text = text.trim_end();
    // A path with quotes in it was copied in part already.
    let cut = text.strip_suffix(path).map(str::len);
    match cut {
        Some(cut) => rest.extend_from_slice(&text.as_bytes()[..cut]),
        None => {
            let tail = path.len().saturating_sub(text.len());
            rest.truncate(rest.len().saturating_sub(tail));
        }
    }
}

/// Numbers and truth values need no quotes.
fn literals(text: &str, found: &mut Atoms) -> String {
    let mut out = String::new();
    let words: Vec<&str> = text.split_inclusive([' ', '\n', '\t', ']', ')']).collect();
    let spaced = words.concat().replace('=', " = ").replace("! =", "!=").replace("< =", "<=").replace("> =", ">=");
    let spaced = spaced
        .replace('[', " [ ")
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace(']', " ] ")
        .replace(" [ * ] ", "[*]");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut n = 0;
    while n < words.len() {
        if n + 2 < words.len()
            && words[n + 1] == "="
            && let Some((object, path)) = words[n].split_once(':')
        {
            let value = words[n + 2];
            let value = match value {
                "true" => "1",
                "false" => "0",
                number => number,
            };
            if value.parse::<f64>().is_ok() {
                found.atoms.push(Atom { object: object.into(), path: normal(path), value: value.into() });
                out.push_str(" @ ");
                n += 3;
                continue;
            }
        }
        out.push_str(words[n]);
        out.push(' ');
        n += 1;
    }
    out
}

/// Is the rest of it nothing but one observation whose comparisons are joined by AND, with alternatives of one
/// path in brackets?
fn shape(rest: &str, found: &mut Atoms) {
    let spaced = rest.replace(['[', ']', '(', ')', '@'], " ").split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let marks: String = rest.chars().filter(|c| matches!(c, '[' | ']' | '(' | ')' | '@')).collect();
    let one = marks.starts_with('[') && marks.ends_with(']') && marks.matches('[').count() == 1;
    let joined = spaced.iter().all(|word| word == "AND" || word == "OR");
    let alternatives = spaced.iter().any(|word| word == "OR");
    found.alternatives = alternatives;
    found.each = !found.atoms.is_empty() && spaced.iter().all(|word| word == "OR");
    // Comparisons on numbers are found last: where all are of one kind, or nothing is an alternative, order is no matter.
    let or_of_one_path = || {
        let mut groups = marks.trim_matches(['[', ']']).split(')').filter(|group| group.contains('('));
        let brackets = marks.contains('(');
        let pairs = |atoms: &[Atom]| {
            atoms.windows(2).all(|pair| pair[0].path == pair[1].path && pair[0].object == pair[1].object)
        };
        if !brackets {
            return !spaced.iter().any(|word| word == "AND") && pairs(&found.atoms);
        }
        groups.all(|group| group.matches('(').count() == 1)
    };
    found.whole = one && joined && !found.atoms.is_empty() && (!alternatives || or_of_one_path());
}

/// `[0]` and `[*]` are any element of a list; of a list of plain values they say nothing.
fn normal(path: &str) -> String {
    let path = path.trim();
    let path = match path.rfind('[') {
        Some(at) if path.ends_with(']') => &path[..at],
        _ => path,
    };
    let mut out = String::new();
    let mut rest = path;
    while let Some(at) = rest.find('[') {
        out.push_str(&rest[..at]);
        out.push_str("[*]");
        rest = rest[at..].split_once(']').map_or("", |(_, after)| after);
    }
    out + rest
}

/// The object path at the end of a text: blanks and brackets outside quotes end it.
fn last_path(text: &str) -> &str {
    let text = text.trim_end();
    // A path is short; who writes a long one costs no more than that.
    let text = (text.len().saturating_sub(1000)..text.len()).find_map(|at| text.get(at..)).unwrap_or_default();
    let (mut in_quotes, mut in_index) = (false, false);
    let start = text
        .char_indices()
        .rev()
        .find(|(_, c)| {
            match *c {
                '\'' => in_quotes = !in_quotes,
                ']' if !in_quotes => in_index = true,
                '[' if in_index && !in_quotes => {
                    in_index = false;
                    return false;
                }
                _ => {}
            }
            !in_quotes && (c.is_whitespace() || matches!(c, '[' | '('))
        })
        .map_or(0, |(at, c)| at + c.len_utf8());
    &text[start..]
}

/// A quoted constant with its escapes undone, and what follows it.
fn constant(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => value.extend(chars.next().map(|(_, c)| c)),
            '\'' => return (value, &text[at + 1..]),
            _ => value.push(c),
        }
    }
    (value, "")
}

/// A text as a constant.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// The pattern in which all pieces hold; of those in one place, any.
pub(super) fn of(pieces: &[Piece]) -> Option<String> {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for piece in pieces {
        let literal = match (piece.form, typed(piece.form, &piece.value)?) {
            (Form::Time, Value::String(time)) => format!("t'{time}'"),
            (_, Value::String(text)) => quoted(&text),
            (_, other) => other.to_string(),
        };
        let star = if piece.form == Form::List { "[*]" } else { "" };
        let path = format!("{}:{}{star}", piece.object, piece.path);
        let mut atom = format!("{path} = {literal}");
        // An address says which kind it is, as misp-stix writes it.
        if let Some(reference) = path.strip_suffix("_ref.value").filter(|_| piece.object == "network-traffic") {
            atom = format!("{reference}_ref.type = '{}' AND {atom}", address(&piece.value));
        }
        match groups.iter_mut().find(|(group, _)| *group == path) {
            Some((_, atoms)) if !atoms.contains(&atom) => atoms.push(atom),
            Some(_) => {}
            None => groups.push((path, vec![atom])),
        }
    }
    let joined: Vec<String> = groups
        .into_iter()
        .map(|(_, atoms)| if atoms.len() == 1 { atoms.concat() } else { format!("({})", atoms.join(" OR ")) })
        .collect();
    (!joined.is_empty()).then(|| format!("[{}]", joined.join(" AND ")))
}

#[cfg(test)]
mod tests {
    fn found(pattern: &str) -> (Vec<String>, bool) {
        let atoms = super::atoms(pattern);
        (atoms.atoms.iter().map(|a| format!("{}:{}={}", a.object, a.path, a.value)).collect(), atoms.whole)
    }

    #[test]
    fn equality_comparisons_of_a_pattern_are_found() {
        assert_eq!(
            found("[domain-name:value='Evil.example.com']"),
            (vec!["domain-name:value=Evil.example.com".into()], true)
        );
        assert_eq!(
            found("[file:hashes.'SHA-256' = 'aa' AND file:name = 'b\\'c']"),
            (vec!["file:hashes.'SHA-256'=aa".into(), "file:name=b'c".into()], true)
        );
        assert_eq!(
            found("[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_port = 443]").0,
            ["network-traffic:dst_ref.type=ipv4-addr", "network-traffic:dst_port=443"]
        );
        assert!(found("[network-traffic:dst_ref.value = '1.2.3.4' AND network-traffic:dst_port = 443]").1);
        assert!(found("[domain-name:value = 'a' AND domain-name:resolves_to_refs[*].value = '1.2.3.4']").1);
        assert!(
            found(
                "[(domain-name:value = 'a' OR domain-name:value = 'b') AND domain-name:resolves_to_refs[0].value = 'c']"
            )
            .1
        );
        for other in [
            "[domain-name:value != 'good.example']",
            "[process:command_line MATCHES '.*evil.*']",
            "[a:b = 'x'] FOLLOWEDBY [a:b = 'y']",
            "[a:b = 'x' AND a:c LIKE 'y']",
            "[a:b = 'x' OR c:d = 'y']",
        ] {
            assert!(!found(other).1, "{other}");
        }
        assert!(found("[domain-name:value != 'good.example']").0.is_empty());
        assert_eq!(found("[a:t = t'2020-01-01T00:00:00Z']"), (vec!["a:t=2020-01-01T00:00:00Z".into()], true));
    }
}
