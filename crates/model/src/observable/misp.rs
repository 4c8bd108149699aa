//! MISP's attribute types: which observables a value of each holds (`data/misp-types.tsv`).

use super::normal::{NormaliseError, address_or_network, normalise};
use super::table::NAMED;
use super::{Observable, Type, guess};
use std::collections::HashMap;
use std::sync::LazyLock;

/// An attribute type of MISP.
#[derive(Debug)]
pub struct MispType {
    /// Name.
    pub name: &'static str,
    /// Its default category.
    pub default_category: &'static str,
    /// Categories in which it may stand.
    pub categories: Vec<&'static str>,
    /// Default of `to_ids`.
    pub to_ids: bool,
    components: Vec<Component>,
}

impl MispType {
    /// The types of observables that a value of it may hold.
    #[must_use]
    pub fn types(&self) -> Vec<Type> {
        let component = |component: &Component| match component {
            Component::Type(ty) => vec![*ty],
            Component::Ip => vec![NAMED.ipv4, NAMED.ipv6, NAMED.network],
            Component::Host => vec![NAMED.domain, NAMED.ipv4, NAMED.ipv6],
        };
        self.components.iter().flat_map(component).collect()
    }
}

#[derive(Debug, Clone, Copy)]
enum Component {
    Type(Type),
    /// An address or a network, as the value says.
    Ip,
    /// A domain, or an address where people write one.
    Host,
}

struct Table {
    types: Vec<MispType>,
    by_name: HashMap<&'static str, usize>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let lines = include_str!("../../data/misp-types.tsv").lines().filter(|line| !line.starts_with('#')).skip(1);
    let types: Vec<MispType> = lines.filter_map(parse).collect();
    let by_name = types.iter().enumerate().map(|(n, ty)| (ty.name, n)).collect();
    Table { types, by_name }
});

fn parse(line: &'static str) -> Option<MispType> {
    let fields: Vec<&'static str> = line.split('\t').collect();
    let [name, components, to_ids, default_category, categories] = fields[..] else { return None };
    let component = |name: &str| match name {
        "ip" => Some(Component::Ip),
        "host" => Some(Component::Host),
        _ => Type::by_name(name).map(Component::Type),
    };
    Some(MispType {
        name,
        default_category,
        categories: categories.split(';').collect(),
        to_ids: to_ids == "1",
        components: components.split(',').map(component).collect::<Option<_>>()?,
    })
}

/// All of MISP's types.
#[must_use]
pub fn misp_types() -> &'static [MispType] {
    &TABLE.types
}

/// A type by name.
#[must_use]
pub fn misp_type(name: &str) -> Option<&'static MispType> {
    TABLE.by_name.get(name).map(|n| &TABLE.types[*n])
}

/// The observables that a value of a MISP type holds: a composite value (`a|b`) has several. A
/// component that is not valid for its type is an error; the others stand.
#[must_use]
pub fn from_misp(ty: &MispType, value: &str) -> (Vec<Observable>, Vec<NormaliseError>) {
    let (mut found, mut errors) = (Vec::new(), Vec::new());
    let mut rest = value;
    for (n, component) in ty.components.iter().enumerate() {
        let part = if n + 1 == ty.components.len() {
            // `malware-sample` may come with its hash and nothing else.
            if n > 0 && rest.is_empty() {
                break;
            }
            rest
        } else {
            let (head, tail) = rest.split_once('|').unwrap_or((rest, ""));
            rest = tail;
            head
        };
        match component.read(part) {
            Ok(observable) => found.push(observable),
            Err(error) => errors.push(error),
        }
    }
    (found, errors)
}

/// A value as it is kept: addresses, names, hashes and ports in their normal form, everything else as it
/// was written. Of what has a form, a value without it is refused.
///
/// # Errors
/// The component that has not the form of its type.
pub fn misp_value(ty: &MispType, value: &str) -> Result<String, NormaliseError> {
    let (mut out, mut rest) = (String::with_capacity(value.len()), value.trim());
    for (n, component) in ty.components.iter().enumerate() {
        let last = n + 1 == ty.components.len();
        let (part, more) = match rest.split_once('|') {
            Some((part, more)) if !last => (part, Some(more)),
            _ => (rest, None),
        };
        if n > 0 {
            out.push('|');
        }
        match component.read(part) {
            Ok(found) if has_form(found.ty()) => out.push_str(found.value()),
            Err(error) if has_form(error.ty) => return Err(error),
            _ => out.push_str(part),
        }
        let Some(more) = more else { break };
        rest = more;
    }
    Ok(out)
}

/// Types whose values have a form that MISP checks as well.
fn has_form(ty: Type) -> bool {
    ty.row().kind == super::Kind::Hash || matches!(ty.name(), "ipv4" | "ipv6" | "network" | "domain" | "email" | "port")
}

impl Component {
    fn read(self, text: &str) -> Result<Observable, NormaliseError> {
        match self {
            Component::Type(ty) => normalise(ty, text),
            Component::Ip => address_or_network(text),
            Component::Host => match guess(text) {
                Some(host) if host.ty() == NAMED.ipv4 || host.ty() == NAMED.ipv6 => Ok(host),
                _ => normalise(NAMED.domain, text),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_of_misp_has_its_components() {
        let lines = include_str!("../../data/misp-types.tsv").lines().filter(|line| !line.starts_with('#')).count() - 1;
        assert_eq!(misp_types().len(), lines);
        assert_eq!(lines, 194);
    }

    #[test]
    fn composite_values_are_several_observables() {
        let hash = "D41D8CD98F00B204E9800998ECF8427E";
        let (found, errors) = from_misp(misp_type("filename|md5").unwrap(), &format!("setup.exe|{hash}"));
        assert!(errors.is_empty());
        let names: Vec<_> = found.iter().map(|o| (o.ty().name(), o.value())).collect();
        assert_eq!(names, [("filename", "setup.exe"), ("md5", &*hash.to_lowercase())]);
        let (found, _) = from_misp(misp_type("ip-dst|port").unwrap(), "::ffff:1.2.3.4|443");
        assert_eq!(found[0].value(), "1.2.3.4");
        assert_eq!(found[1].ty().name(), "port");
    }

    #[test]
    fn a_bad_component_does_not_take_the_good_one_with_it() {
        let (found, errors) = from_misp(misp_type("domain|ip").unwrap(), "evil.example|not-an-ip");
        assert_eq!(found.len(), 1);
        assert_eq!(errors.len(), 1);
    }
}
