//! The one table of what MISP's types, templates and galaxies are in STIX 2.1 (`data/stix-*.tsv`), for
//! the writer, the reader and the documentation.

use std::collections::HashMap;
use std::sync::LazyLock;

/// What a property holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Int,
    /// A number that MISP may write with `AS` before it.
    Asn,
    List,
    Time,
    Bool,
    Float,
    /// A key of the registry, of which MISP may abbreviate the hive.
    Key,
    /// The bytes of an attribute (`data`), in base64.
    Data,
}

/// A property of a STIX object, by its path (STIX Patterning §9.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) object: &'static str,
    pub(super) path: &'static str,
    pub(super) form: Form,
    /// It is always this.
    pub(super) fixed: Option<&'static str>,
}

/// How a type or template is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// As an observable, or a pattern of it.
    Observable,
    /// Only understood: it is written in another way.
    Read,
    /// Only as a pattern; what is not looked for is an `x-misp-attribute`.
    Pattern,
    /// As a domain object of its own.
    Domain,
    /// As a pattern in this language.
    Rule,
}

/// An attribute type of MISP.
#[derive(Debug)]
pub(super) struct AttributeRow {
    pub(super) ty: &'static str,
    pub(super) way: Way,
    pub(super) places: Vec<Place>,
}

/// What an attribute of an object is.
#[derive(Debug)]
pub(super) struct Relation {
    pub(super) name: &'static str,
    pub(super) ty: &'static str,
    pub(super) place: Place,
}

/// An object template of MISP.
#[derive(Debug)]
pub(super) struct Template {
    pub(super) name: &'static str,
    pub(super) meta: &'static str,
    pub(super) way: Way,
    pub(super) object: &'static str,
    pub(super) relations: Vec<Relation>,
    pub(super) fixed: Vec<Place>,
}

struct Table {
    attributes: Vec<AttributeRow>,
    templates: Vec<Template>,
    galaxies: Vec<(&'static str, &'static str)>,
    by_type: HashMap<&'static str, usize>,
    by_name: HashMap<&'static str, usize>,
}

fn lines(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines().filter(|line| !line.starts_with('#')).skip(1).map(|line| line.split('\t').collect())
}

fn place(object: &'static str, text: &'static str) -> Place {
    let (text, fixed) = text.split_once('=').map_or((text, None), |(path, fixed)| (path, Some(fixed)));
    let (path, form) = text.split_once('#').unwrap_or((text, ""));
    let form = match form {
        "int" => Form::Int,
        "asn" => Form::Asn,
        "list" => Form::List,
        "time" => Form::Time,
        "bool" => Form::Bool,
        "float" => Form::Float,
        "data" => Form::Data,
        "key" => Form::Key,
        _ => Form::Text,
    };
    Place { object, path, form, fixed }
}

fn way(text: &str) -> Way {
    match text {
        "r" => Way::Read,
        "p" => Way::Pattern,
        "sdo" => Way::Domain,
        "rule" => Way::Rule,
        _ => Way::Observable,
    }
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table {
        attributes: Vec::new(),
        templates: Vec::new(),
        galaxies: Vec::new(),
        by_type: HashMap::new(),
        by_name: HashMap::new(),
    };
    for row in lines(include_str!("../../data/stix-attributes.tsv")) {
        let [ty, ways, places] = row[..] else { continue };
        let mut object = "";
        let places = places.split(' ').map(|text| {
            let (own, path) = text.split_once(':').map_or((None, text), |(object, path)| (Some(object), path));
            object = own.unwrap_or(object);
            place(object, path)
        });
        let row = AttributeRow { ty, way: way(ways), places: places.collect() };
        if row.way != Way::Read {
            table.by_type.insert(ty, table.attributes.len());
        }
        table.attributes.push(row);
    }
    for row in lines(include_str!("../../data/stix-objects.tsv")) {
        let [name, meta, ways, object, relation, ty, path] = row[..] else { continue };
        let at = *table.by_name.entry(name).or_insert_with(|| {
            table.templates.push(Template {
                name,
                meta,
                way: way(ways),
                object,
                relations: Vec::new(),
                fixed: Vec::new(),
            });
            table.templates.len() - 1
        });
        let place = place(object, path);
        match relation {
            "" => table.templates[at].fixed.push(place),
            name => table.templates[at].relations.push(Relation { name, ty, place }),
        }
    }
    for row in lines(include_str!("../../data/stix-galaxies.tsv")) {
        if let [galaxy, object] = row[..] {
            table.galaxies.push((galaxy, object));
        }
    }
    table
});

/// How an attribute type is written.
pub(super) fn attribute(ty: &str) -> Option<&'static AttributeRow> {
    TABLE.by_type.get(ty).map(|at| &TABLE.attributes[*at])
}

/// All rows, in their order of preference.
pub(super) fn attributes() -> &'static [AttributeRow] {
    &TABLE.attributes
}

/// How an object of a template is written.
pub(super) fn template(name: &str) -> Option<&'static Template> {
    TABLE.by_name.get(name).map(|at| &TABLE.templates[*at])
}

/// All templates, in their order of preference.
pub(super) fn templates() -> &'static [Template] {
    &TABLE.templates
}

/// The STIX object that the clusters of a galaxy are.
pub(super) fn galaxy_object(galaxy: &str) -> Option<&'static str> {
    TABLE.galaxies.iter().find(|(name, _)| *name == galaxy).map(|(_, object)| *object)
}

/// The galaxy that a STIX object belongs to: ATT&CK's own, or one for all others of its kind.
pub(super) fn galaxy_of(object: &str, attack: bool) -> Option<&'static str> {
    let prefix = if attack { "mitre-" } else { "stix-2.1-" };
    let of = |prefix: &str| {
        TABLE.galaxies.iter().find(|(name, kind)| *kind == object && name.starts_with(prefix)).map(|(name, _)| *name)
    };
    of(prefix).or_else(|| of("stix-2.1-"))
}

/// Paths are compared without quotes, hyphens and case: `hashes.'SHA-256'` is `hashes.SHA256` to those who write it.
pub(super) fn canonical(path: &str) -> String {
    path.chars().filter(|c| !matches!(c, '\'' | '-' | '_')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use manara_model::observable::misp_type;
    use std::fmt::Write as _;

    #[test]
    fn every_row_names_a_type_of_misp_and_a_place() {
        for row in attributes() {
            assert!(misp_type(row.ty).is_some(), "{}", row.ty);
            assert!(row.places.iter().all(|place| !place.path.is_empty()), "{}", row.ty);
        }
        for template in templates() {
            for relation in &template.relations {
                assert!(misp_type(relation.ty).is_some(), "{}: {}", template.name, relation.name);
            }
        }
        assert_eq!(galaxy_of("malware", true), Some("mitre-malware"));
        assert_eq!(galaxy_of("malware", false), Some("stix-2.1-malware"));
    }

    const BEGIN: &str = "<!-- the tables: made from crates/formats/data/stix-*.tsv by MANARA_UPDATE=1 cargo nextest run -p manara-formats -->\n";

    /// The middle of docs/stix.md.
    fn documentation() -> String {
        let mut out = String::from("| MISP attribute | STIX object | properties |\n| --- | --- | --- |\n");
        for row in attributes().iter().filter(|row| row.way != Way::Read) {
            let object = row.places.first().map_or("", |place| place.object);
            let paths: Vec<String> =
                row.places.iter().map(|place| format!("`{}`", place.path.replace('|', "\\|"))).collect();
            let (object, paths) = match row.way {
                Way::Rule => (
                    "indicator",
                    format!("`pattern`, `pattern_type` {}", row.places.first().map_or("", |place| place.path)),
                ),
                Way::Pattern => (object, format!("{}; only where it is looked for", paths.join(", "))),
                _ => (object, paths.join(", ")),
            };
            let _ = writeln!(out, "| `{}` | {object} | {paths} |", row.ty.replace('|', "\\|"));
        }
        out.push_str("\n| MISP object | STIX object | relations |\n| --- | --- | --- |\n");
        for template in templates() {
            let mut names: Vec<&str> = template.relations.iter().map(|relation| relation.name).collect();
            names.dedup();
            let object = if template.way == Way::Rule { "indicator" } else { template.object };
            let _ = writeln!(out, "| `{}` | {object} | {} |", template.name, names.join(", "));
        }
        out.push_str("\n| galaxy | STIX object |\n| --- | --- |\n");
        for (galaxy, object) in &TABLE.galaxies {
            let _ = writeln!(out, "| `{galaxy}` | {object} |");
        }
        out
    }

    #[test]
    fn the_documentation_has_these_tables() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/stix.md");
        let text = std::fs::read_to_string(&path).unwrap();
        let (before, _) = text.split_once(BEGIN).unwrap();
        let wanted = format!("{before}{BEGIN}\n{}", documentation());
        if std::env::var_os("MANARA_UPDATE").is_some() {
            std::fs::write(&path, wanted).unwrap();
        } else {
            assert!(text == wanted, "docs/stix.md is not what the tables say: run with MANARA_UPDATE=1");
        }
    }
}
