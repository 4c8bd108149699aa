//! What has to be there for a comparison to be true: of AND the best of its parts, of OR all of them.

use crate::compare::{Number, nfc, number, read_number};
use crate::{Comparison, Constant, Mode, Network, Op, Path, Relation, Step, Test};

/// Something to file a bracket under.
#[derive(Debug, Clone)]
pub(super) struct Item<'p> {
    pub(super) path: &'p Path,
    pub(super) probe: Probe,
}

#[derive(Debug, Clone)]
pub(super) enum Probe {
    Text(Box<str>),
    Number(u64),
    Boolean(bool),
    Network(Network),
    /// In the syntax of the `regex` crate; `true`: a last line feed may follow.
    Expression(String, bool),
}

impl Probe {
    /// How little it says: the rarer it is found, the better. A hash is rare, `true` is not.
    fn weakness(&self, path: &Path) -> u32 {
        let common = matches!(path.steps.last(), Some(Step::Key(key)) if key == "type" || key == "protocols");
        match self {
            Probe::Text(text) if !common && text.len() >= 6 => 1,
            Probe::Text(_) if !common => 2,
            Probe::Network(_) => 3,
            Probe::Number(_) => 4,
            Probe::Text(_) => 5,
            Probe::Boolean(_) => 6,
            Probe::Expression(..) => 7,
        }
    }
}

/// Is the property one of hashes? They are filed without regard to letter case.
pub(super) fn is_hash(steps: &[Step]) -> bool {
    matches!(steps, [.., Step::Key(before), _] if before == "hashes")
}

/// A cover, or `None` if the comparison can be true of any object of its type.
pub(super) fn cover<'p>(comparison: &'p Comparison, mode: Mode) -> Option<Vec<Item<'p>>> {
    match comparison {
        Comparison::Test(test) => of_test(test, mode),
        Comparison::Or(all, _) => {
            let mut items = Vec::new();
            for part in all {
                items.extend(cover(part, mode)?);
            }
            Some(items)
        }
        Comparison::And(all, _) => {
            let covers = all.iter().filter_map(|part| cover(part, mode));
            covers.min_by_key(|items| {
                let weakest = items.iter().map(|item| item.probe.weakness(item.path)).max().unwrap_or(0);
                (weakest, items.len())
            })
        }
    }
}

fn of_test(test: &Test, mode: Mode) -> Option<Vec<Item<'_>>> {
    let path = &test.path;
    // Such properties are compared as bytes.
    let binary = matches!(path.steps.last(), Some(Step::Key(key)) if key.ends_with("_hex") || key.ends_with("_bin"));
    if test.negated || binary {
        return None;
    }
    let probes = match &test.op {
        Op::Compare(Relation::Equal, constant) => of_constant(constant, path, mode)?,
        Op::In(set) => {
            let mut probes = Vec::new();
            for constant in set {
                probes.extend(of_constant(constant, path, mode)?);
            }
            probes
        }
        Op::IsSubset(network) => vec![Probe::Network(*network)],
        Op::Matches(expression) => {
            vec![Probe::Expression(expression.translated().to_owned(), expression.has_dollar())]
        }
        Op::Like(mask) => {
            let mut text = String::from(r"\A");
            for c in nfc(mask).chars() {
                match c {
                    '%' => text.push_str("(?s:.)*"),
                    '_' => text.push_str("(?s:.)"),
                    c => text.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
                }
            }
            text.push_str(r"\z");
            vec![Probe::Expression(text, false)]
        }
        _ => return None,
    };
    Some(probes.into_iter().map(|probe| Item { path, probe }).collect())
}

fn of_constant(constant: &Constant, path: &Path, mode: Mode) -> Option<Vec<Probe>> {
    Some(match constant {
        Constant::Text(text) => {
            let key = if is_hash(&path.steps) { text.to_ascii_lowercase() } else { text.clone() };
            let mut probes = vec![Probe::Text(key.into())];
            if mode == Mode::Tolerant {
                probes.extend(read_number(text).map(Number::key).map(Probe::Number));
            }
            probes
        }
        Constant::Boolean(value) => vec![Probe::Boolean(*value)],
        Constant::Integer(_) | Constant::Float(_) => vec![Probe::Number(number(constant)?.key())],
        // Their texts have many spellings.
        Constant::Time(_) | Constant::Hex(_) | Constant::Binary(_) => return None,
    })
}
