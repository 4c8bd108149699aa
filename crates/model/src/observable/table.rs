//! The type table, read once from `data/observables.tsv`.

use super::normal::Normal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

/// A row of the type table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Type(u16);

/// What a type is, broadly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An address of a machine.
    Address,
    /// A range of addresses.
    Network,
    /// A name in the DNS or like it.
    Name,
    /// A URL.
    Url,
    /// A fingerprint of content.
    Hash,
    /// A mail address.
    Email,
    /// An identifier of a person or a subscriber.
    Person,
    /// An account: money, social network.
    Account,
    /// An identifier in a catalogue.
    Identifier,
    /// A number.
    Number,
    /// A rule or pattern of another tool.
    Rule,
    /// Other text.
    Text,
}

/// Whether a value identifies a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Privacy {
    /// No.
    None,
    /// It may: a mail address; not where its author wants it looked for.
    Contact,
    /// Yes: leaves only as a pseudonym unless agreed otherwise.
    Person,
}

/// A format that a type can be written to as a line or rule of its own.
pub type Export = str;

/// What is known of a type.
#[derive(Debug)]
pub struct TypeRow {
    /// Stable name.
    pub name: &'static str,
    /// Stable number, stored in databases.
    pub code: u16,
    /// What it is, broadly.
    pub kind: Kind,
    /// How it is brought to its normal form.
    pub(super) normal: Normal,
    /// Whether it identifies a person.
    pub privacy: Privacy,
    /// Whether two records with the same value have something in common.
    pub correlates: bool,
    /// The MISP attribute type that it is written as.
    pub misp_default: &'static str,
    /// STIX 2.1 object type and property path.
    pub stix: Option<(&'static str, &'static str)>,
    /// IDEA field.
    pub idea: Option<&'static str>,
    /// IntelMQ field.
    pub intelmq: Option<&'static str>,
    exports: Vec<&'static str>,
}

impl TypeRow {
    /// Can this type be written to that format?
    #[must_use]
    pub fn exports_to(&self, format: &Export) -> bool {
        self.exports.contains(&format)
    }
}

struct Table {
    rows: Vec<TypeRow>,
    by_name: HashMap<&'static str, Type>,
    by_code: Vec<Option<Type>>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table { rows: Vec::new(), by_name: HashMap::new(), by_code: Vec::new() };
    for line in include_str!("../../data/observables.tsv").lines().filter(|line| !line.starts_with('#')).skip(1) {
        // A broken line is left out here and fails the table's test, which counts them.
        let Some(row) = parse(line) else { continue };
        let ty = Type(u16::try_from(table.rows.len()).unwrap_or(u16::MAX));
        let code = usize::from(row.code);
        if table.by_code.len() <= code {
            table.by_code.resize(code + 1, None);
        }
        table.by_code[code] = Some(ty);
        table.by_name.insert(row.name, ty);
        table.rows.push(row);
    }
    table
});

fn parse(line: &'static str) -> Option<TypeRow> {
    let field: Vec<&'static str> = line.split('\t').collect();
    let [code, name, kind, normal, privacy, correlates, misp, stix, idea, intelmq, exports] = field[..] else {
        return None;
    };
    let some = |text: &'static str| (text != "-").then_some(text);
    Some(TypeRow {
        name,
        code: code.parse().ok()?,
        kind: match kind {
            "address" => Kind::Address,
            "network" => Kind::Network,
            "name" => Kind::Name,
            "url" => Kind::Url,
            "hash" => Kind::Hash,
            "email" => Kind::Email,
            "person" => Kind::Person,
            "account" => Kind::Account,
            "identifier" => Kind::Identifier,
            "number" => Kind::Number,
            "rule" => Kind::Rule,
            "text" => Kind::Text,
            _ => return None,
        },
        normal: Normal::parse(normal)?,
        privacy: match privacy {
            "none" => Privacy::None,
            "contact" => Privacy::Contact,
            "person" => Privacy::Person,
            _ => return None,
        },
        correlates: correlates == "yes",
        misp_default: misp,
        stix: some(stix).and_then(|path| path.split_once(':')),
        idea: some(idea),
        intelmq: some(intelmq),
        exports: exports.split(',').collect(),
    })
}

impl Type {
    /// By stable name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Type> {
        TABLE.by_name.get(name).copied()
    }

    /// By stable number.
    #[must_use]
    pub fn by_code(code: u16) -> Option<Type> {
        TABLE.by_code.get(usize::from(code)).copied().flatten()
    }

    /// The row.
    #[must_use]
    pub fn row(self) -> &'static TypeRow {
        // A `Type` is only ever made from an index into the table.
        &TABLE.rows[usize::from(self.0)]
    }

    /// Stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Stable number.
    #[must_use]
    pub fn code(self) -> u16 {
        self.row().code
    }

    /// Every type, in the order of the table.
    pub fn all() -> impl Iterator<Item = Type> {
        (0..TABLE.rows.len()).filter_map(|n| u16::try_from(n).ok()).map(Type)
    }
}

impl fmt::Debug for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Type {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Type {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Type::by_name(&name).ok_or_else(|| de::Error::custom(format!("unknown observable type '{name}'")))
    }
}

/// Types that code must name, because they are the members of a family that the value decides.
pub(super) struct Named {
    pub(super) ipv4: Type,
    pub(super) ipv6: Type,
    pub(super) network: Type,
    pub(super) domain: Type,
}

pub(super) static NAMED: LazyLock<Named> = LazyLock::new(|| {
    let named = |name| Type::by_name(name).unwrap_or(Type(0));
    Named { ipv4: named("ipv4"), ipv6: named("ipv6"), network: named("network"), domain: named("domain") }
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_a_type_and_names_and_codes_are_unique() {
        let lines =
            include_str!("../../data/observables.tsv").lines().filter(|line| !line.starts_with('#')).count() - 1;
        assert_eq!(Type::all().count(), lines);
        assert_eq!(TABLE.by_name.len(), lines);
        assert_eq!(TABLE.by_code.iter().flatten().count(), lines);
        for ty in Type::all() {
            assert_eq!(Type::by_name(ty.name()), Some(ty));
            assert_eq!(Type::by_code(ty.code()), Some(ty));
            assert!(super::super::misp_type(ty.row().misp_default).is_some(), "{ty}");
        }
    }
}
