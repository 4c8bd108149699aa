//! STIX objects as attributes and objects of MISP, by the same table.

use super::table::{self, AttributeRow, Form, Place, Template, Way};
use super::{graph, marking, pattern, seal};
use manara_model::observable::misp_type;
use manara_model::record::parse_time;
use manara_model::{Tlp, ids};
use serde_json::{Map, Value, json};
use std::net::IpAddr;

pub(super) type Body = Map<String, Value>;
/// Finds an object by its identifier.
pub(super) type Find<'f, 'a> = dyn Fn(&str) -> Option<&'a Body> + 'f;

/// Labels that misp-stix writes, and that are no tags.
const OWN: &[&str] = &[
    "misp:type=",
    "misp:category=",
    "misp:name=",
    "misp:meta-category=",
    "misp:to_ids=",
    "misp:data-layer=",
    "misp:galaxy-",
    "misp:tool=",
    "misp:context-layer=",
];
/// What an observable has whatever was observed.
const IDLE: &[&str] = &["protocols", "ismultipart", "isfamily", "dstref.type", "srcref.type"];

/// Is this tag a label in STIX? TLP are markings, clusters of galaxies are objects.
pub(super) fn is_label(name: &str) -> bool {
    let level = name.get(..4).filter(|start| start.eq_ignore_ascii_case("tlp:")).and_then(|_| Tlp::parse(name));
    level.is_none() && !name.starts_with("misp-galaxy:") && !OWN.iter().any(|own| name.starts_with(own))
}

fn strings<'a>(object: &'a Body, name: &str) -> impl Iterator<Item = &'a str> {
    object.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

pub(super) fn text<'a>(object: &'a Body, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// What a label like `misp:type="x"` says.
pub(super) fn label<'a>(object: &'a Body, name: &str) -> Option<&'a str> {
    strings(object, "labels")
        .find_map(|label| label.strip_prefix("misp:")?.strip_prefix(name)?.strip_prefix("=\"")?.strip_suffix('"'))
}

/// The UUID of an identifier.
pub(super) fn uuid(id: &str) -> &str {
    id.split_once("--").map_or(id, |(_, uuid)| uuid)
}

/// An object's TLP: the strictest of its markings.
pub(super) fn tlp(object: &Body, find: &Find<'_, '_>) -> Option<Tlp> {
    let of = |reference: &str| marking::of_reference(reference).or_else(|| marking::of_definition(find(reference)?));
    strings(object, "object_marking_refs").filter_map(of).max()
}

/// Labels and marking as tags; a marking that the whole has is its.
pub(super) fn tags(object: &Body, find: &Find<'_, '_>, whole: Option<Tlp>) -> Vec<Value> {
    // What misp-stix calls each of its reports is no tag either.
    let ours = label(object, "tool").is_some();
    let is_tag = |label: &&str| !(OWN.iter().any(|own| label.starts_with(own)) || ours && *label == "Threat-Report");
    let labels = strings(object, "labels").filter(is_tag);
    let mut tags: Vec<Value> = labels.map(|name| json!({"name": name})).collect();
    tags.extend(
        tlp(object, find).filter(|tlp| Some(*tlp) != whole).map(|tlp| json!({"name": format!("tlp:{}", tlp.name())})),
    );
    tags
}

fn seconds(object: &Body, name: &str) -> Option<i64> {
    parse_time(text(object, name)).map(|millis| millis.div_euclid(1000))
}

/// Members that attributes and objects have alike.
fn common(object: &Body, find: &Find<'_, '_>, whole: Option<Tlp>) -> Body {
    let mut body = Body::new();
    body.insert("uuid".into(), uuid(text(object, "id")).into());
    let time = seconds(object, "modified").or_else(|| seconds(object, "created"));
    if let Some(time) = time {
        body.insert("timestamp".into(), time.to_string().into());
    }
    body.insert(
        "comment".into(),
        object.get("description").or(object.get("x_misp_comment")).cloned().unwrap_or_else(|| "".into()),
    );
    for (names, member) in
        [(["valid_from", "first_observed"], "first_seen"), (["valid_until", "last_observed"], "last_seen")]
    {
        let seen = names.iter().map(|name| text(object, name)).find(|text| !text.is_empty());
        // Without a time of its own it has that of its last change.
        if let Some(seen) = seen.filter(|seen| parse_time(seen).is_some_and(|at| Some(at.div_euclid(1000)) != time)) {
            body.insert(member.into(), seen.into());
        }
    }
    if object.get("revoked") == Some(&Value::Bool(true)) {
        body.insert("deleted".into(), true.into());
    }
    let tags = tags(object, find, whole);
    if !tags.is_empty() {
        body.insert("Tag".into(), tags.into());
    }
    body
}

/// A value in its place.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    object: String,
    path: String,
    pub(super) value: String,
}

impl Pair {
    fn new(object: &str, path: &str, value: &str) -> Pair {
        Pair { object: object.into(), path: table::canonical(path), value: value.into() }
    }

    fn is_at(&self, place: &Place) -> bool {
        self.object == place.object && self.path == table::canonical(place.path)
    }
}

/// What an indicator or observation says by equality, and whether that is all it says.
pub(super) struct Heard {
    pub(super) pairs: Vec<Pair>,
    pub(super) whole: bool,
    /// Some of it may be otherwise.
    pub(super) alternatives: bool,
    /// Each of it is enough by itself.
    pub(super) each: bool,
}

/// What every observable of its kind has.
pub(super) fn is_idle(pair: &Pair) -> bool {
    IDLE.contains(&pair.path.as_str())
}

/// The pairs of one observable with those that it refers to.
pub(super) fn observable(object: &Body, find: &Find<'_, '_>) -> Vec<Pair> {
    let kind = text(object, "type");
    graph::read(object, &|id| find(id)).iter().map(|(path, value)| Pair::new(kind, path, value)).collect()
}

/// Observables that no other one in the list refers to, by identifier.
pub(super) fn roots<'a>(refs: &[&'a str], find: &Find<'_, 'a>) -> Vec<&'a Body> {
    let all: Vec<&Body> = refs.iter().filter_map(|id| find(id)).collect();
    let mut inner = std::collections::HashSet::new();
    for object in &all {
        for (name, value) in object.iter().filter(|(name, _)| name.ends_with("_ref") || name.ends_with("_refs")) {
            match value {
                Value::Array(list) if name != "object_marking_refs" => {
                    inner.extend(list.iter().filter_map(Value::as_str))
                }
                Value::String(id) => {
                    inner.insert(id);
                }
                _ => {}
            }
        }
        for part in object.get("body_multipart").and_then(Value::as_array).into_iter().flatten() {
            inner.extend(part["body_raw_ref"].as_str());
        }
    }
    all.into_iter().filter(|object| !inner.contains(text(object, "id"))).collect()
}

/// What an object that is known by itself says.
pub(super) fn heard<'a>(object: &'a Body, find: &Find<'_, 'a>) -> Heard {
    match text(object, "type") {
        "indicator" => {
            let atoms = pattern::atoms(text(object, "pattern"));
            let pairs = atoms.atoms.iter().map(|atom| Pair::new(&atom.object, &atom.path, &atom.value)).collect();
            Heard { pairs, whole: atoms.whole, alternatives: atoms.alternatives, each: atoms.each }
        }
        "observed-data" => {
            let refs: Vec<&str> = strings(object, "object_refs").collect();
            let roots = roots(&refs, find);
            let whole = roots.len() == 1;
            Heard {
                pairs: roots.iter().flat_map(|root| observable(root, find)).collect(),
                whole,
                alternatives: false,
                each: false,
            }
        }
        _ => Heard { pairs: observable(object, find), whole: true, alternatives: false, each: false },
    }
}

/// A value as MISP writes it.
fn written(place: &Place, value: &str) -> String {
    match place.form {
        Form::Asn => format!("AS{value}"),
        _ => value.to_owned(),
    }
}

/// The value of an attribute by a row, its bytes, and how many pairs it took.
fn by_row(row: &AttributeRow, pairs: &[Pair]) -> Option<(String, Option<String>, usize)> {
    let (mut values, mut data, mut used) = (Vec::new(), None, 0);
    for place in &row.places {
        let found = pairs.iter().find(|pair| pair.is_at(place) && place.fixed.is_none_or(|fixed| fixed == pair.value));
        let bytes = place.path.ends_with("payload_bin");
        match found {
            Some(pair) if bytes => data = Some(pair.value.clone()),
            Some(pair) if place.fixed.is_none() => values.push(written(place, &pair.value)),
            Some(_) => {}
            // Bytes are not looked for, and a sample may be known by its name alone.
            None if bytes || row.ty == "malware-sample" && !values.is_empty() => continue,
            None => return None,
        }
        used += 1;
    }
    (!values.is_empty()).then(|| (values.join("|"), data, used))
}

/// The attribute that pairs are: (type, value, bytes); `hint` is the type that is asked for.
pub(super) fn attribute_of(pairs: &[Pair], hint: Option<&str>) -> Option<(&'static str, String, Option<String>)> {
    let said: Vec<Pair> = pairs.iter().filter(|pair| !is_idle(pair)).cloned().collect();
    // The type that is asked for, then any other that says all of it, then the one that is asked for after all.
    let hinted = hint.and_then(table::attribute).and_then(|row| Some((row, by_row(row, pairs)?)));
    if let Some((row, (value, data, used))) = &hinted
        && *used >= said.len()
    {
        return Some((row.ty, value.clone(), data.clone()));
    }
    // No attribute has more parts.
    let few = said.len() <= 4;
    let rows = table::attributes().iter().filter(|row| few && !matches!(row.way, Way::Domain | Way::Rule));
    rows.filter_map(|row| Some((row, by_row(row, &said)?)))
        // A sample is one only with its bytes.
        .find(|(row, (_, data, used))| *used == said.len() && (row.ty != "malware-sample" || data.is_some()))
        .or(hinted)
        .map(|(row, (value, data, _))| {
            // Some write an address where a name is asked for; where its author says so himself, it stays a name.
            let is_address =
                hint.is_none() && matches!(row.ty, "domain" | "hostname") && value.parse::<IpAddr>().is_ok();
            (if is_address { "ip-dst" } else { row.ty }, value, data)
        })
}

/// A body made of what a STIX object is beside its value.
pub(super) fn body(
    object: &Body,
    ty: &str,
    value: String,
    data: Option<String>,
    find: &Find<'_, '_>,
    whole: Option<Tlp>,
) -> Body {
    let mut body = common(object, find, whole);
    let category = label(object, "category").or(misp_type(ty).map(|ty| ty.default_category)).unwrap_or("Other");
    body.insert("type".into(), ty.into());
    body.insert("category".into(), category.into());
    body.insert("value".into(), value.into());
    body.insert("to_ids".into(), (text(object, "type") == "indicator").into());
    if let Some(data) = data {
        body.insert("data".into(), data.into());
    }
    body
}

/// The attribute that an object is by itself, without what travels beside it.
pub(super) fn attribute<'a>(object: &'a Body, find: &Find<'_, 'a>, whole: Option<Tlp>) -> Option<Body> {
    if label(object, "name").is_some() {
        return None;
    }
    let (kind, hint) = (text(object, "type"), label(object, "type"));
    let made = |ty: &str, value: String, data| Some(body(object, ty, value, data, find, whole));
    match kind {
        "x-misp-attribute" => {
            let mut body =
                body(object, text(object, "x_misp_type"), text(object, "x_misp_value").into(), None, find, whole);
            if let Some(category) = object.get("x_misp_category") {
                body.insert("category".into(), category.clone());
            }
            Some(body)
        }
        "indicator" if !matches!(text(object, "pattern_type"), "stix" | "") => {
            let language = text(object, "pattern_type");
            let row = table::attributes().iter().find(|row| row.way == Way::Rule && row.places[0].path == language)?;
            made(row.ty, text(object, "pattern").into(), None)
        }
        "indicator" if hint == Some("stix2-pattern") => made("stix2-pattern", text(object, "pattern").into(), None),
        "indicator" | "observed-data" => {
            let heard = heard(object, find);
            if !heard.whole || heard.alternatives {
                return None;
            }
            let (ty, value, data) = attribute_of(&heard.pairs, hint)?;
            made(ty, value, data)
        }
        _ => {
            let row = table::attribute(hint?).filter(|row| row.way == Way::Domain && row.places[0].object == kind)?;
            made(row.ty, text(object, row.places[0].path).into(), None)
        }
    }
}

/// The relation of a template that a pair is.
fn relation(template: &'static Template, pair: &Pair) -> Option<&'static table::Relation> {
    // Addresses of a name that nobody told stand by themselves.
    let alone = |place: &Place| {
        pair.object.starts_with("ipv") && pair.path == "value" && place.path.starts_with("resolves_to_refs")
    };
    let mut fits = template.relations.iter().filter(|relation| pair.is_at(&relation.place) || alone(&relation.place));
    let first = fits.clone().next()?;
    if first.place.path == "protocols" {
        let layer = match pair.value.to_ascii_lowercase().as_str() {
            "ip" | "ipv4" | "ipv6" | "icmp" | "icmp6" | "arp" => "layer3",
            "tcp" | "udp" | "sctp" => "layer4",
            _ => "layer7",
        };
        return fits.find(|relation| relation.name.starts_with(layer)).or(Some(first));
    }
    if first.place.path.ends_with(".value") || template.name == "domain-ip" {
        let named = graph::address(&pair.value) == "domain-name";
        let is_name = |ty: &str| matches!(ty, "domain" | "hostname");
        return fits.find(|relation| is_name(relation.ty) == named).or(Some(first));
    }
    Some(first)
}

/// The template of what has none: the first that has a place for all of it, or else for most.
pub(super) fn template_of(pairs: &[Pair]) -> Option<&'static Template> {
    let kind = pairs.first()?.object.as_str();
    // Enough to know it by.
    let pairs = &pairs[..pairs.len().min(200)];
    let count = |template: &'static Template| {
        let fixed = |pair: &Pair| {
            template.fixed.iter().any(|place| pair.is_at(place) && place.fixed == Some(pair.value.as_str()))
        };
        let all = template
            .fixed
            .iter()
            .all(|place| pairs.iter().any(|pair| pair.is_at(place) && place.fixed == Some(pair.value.as_str())));
        if all { pairs.iter().filter(|pair| fixed(pair) || relation(template, pair).is_some()).count() } else { 0 }
    };
    let mut best: Option<(&'static Template, usize)> = None;
    for template in table::templates().iter().filter(|template| template.object == kind && template.way != Way::Rule) {
        let fits = count(template);
        if fits > best.map_or(0, |(_, count)| count) {
            best = Some((template, fits));
        }
    }
    best.map(|(template, _)| template)
}

fn member(relation: &str, ty: &str, value: &str) -> Body {
    let mut body = Body::new();
    body.insert("object_relation".into(), relation.into());
    body.insert("type".into(), ty.into());
    body.insert("value".into(), value.into());
    body
}

/// Attributes of an object of a template. What has no place in it is text, by the last name of its path.
pub(super) fn members(template: &'static Template, pairs: &[Pair]) -> Vec<Body> {
    let fixed =
        |pair: &Pair| template.fixed.iter().any(|place| pair.is_at(place) && place.fixed == Some(pair.value.as_str()));
    let of = |pair: &Pair| match relation(template, pair) {
        Some(relation) if relation.place.form == Form::Data => {
            let mut body = member(relation.name, relation.ty, relation.name);
            body.insert("data".into(), pair.value.clone().into());
            body
        }
        Some(relation) => member(relation.name, relation.ty, &written(&relation.place, &pair.value)),
        None => {
            let last = pair.path.rsplit('.').next().unwrap_or_default();
            // The value of something that is referred to says itself what it is.
            match manara_model::observable::guess(&pair.value).filter(|_| last == "value") {
                Some(found) => member(found.ty().row().misp_default, found.ty().row().misp_default, &pair.value),
                None => member(last.strip_prefix("xmisp").unwrap_or(last), "text", &pair.value),
            }
        }
    };
    pairs
        .iter()
        .filter(|pair| !fixed(pair) && !matches!(pair.path.as_str(), "ismultipart" | "dstref.type" | "srcref.type"))
        .map(of)
        .collect()
}

/// The object that a STIX object is by itself, and its attributes, without what travels beside it.
pub(super) fn object_plain<'a>(object: &'a Body, find: &Find<'_, 'a>, whole: Option<Tlp>) -> Option<(Body, Vec<Body>)> {
    let (name, kind) = (label(object, "name"), text(object, "type"));
    let mut body = common(object, find, whole);
    if kind == "x-misp-object" {
        body.insert("name".into(), text(object, "x_misp_name").into());
        body.insert("meta-category".into(), text(object, "x_misp_meta_category").into());
        let attributes = object.get("x_misp_attributes").and_then(Value::as_array).into_iter().flatten();
        return Some((body, attributes.filter_map(|attribute| attribute.as_object().cloned()).collect()));
    }
    let rule = |path: &str, template: &'static Template| {
        let relation = template.relations.iter().find(|relation| relation.place.path == path)?;
        Some(member(relation.name, relation.ty, Some(text(object, path)).filter(|text| !text.is_empty())?))
    };
    let (template, members) = match name.and_then(table::template) {
        Some(template) if template.way == Way::Rule => {
            body.insert("comment".into(), "".into());
            (
                Some(template),
                ["pattern", "name", "description"].iter().filter_map(|path| rule(path, template)).collect(),
            )
        }
        known => {
            let heard = heard(object, find);
            let domain = !matches!(kind, "indicator" | "observed-data");
            let template = known.or_else(|| if heard.whole { template_of(&heard.pairs) } else { None })?;
            if domain && template.relations.iter().any(|relation| relation.place.path == "description") {
                body.insert("comment".into(), "".into());
            }
            (Some(template), members(template, &heard.pairs))
        }
    };
    let template = template?;
    body.insert("name".into(), template.name.into());
    body.insert("meta-category".into(), label(object, "meta-category").unwrap_or(template.meta).into());
    Some((body, members))
}

/// What an object says that stands for an attribute: with what travels beside it.
pub(super) fn full_attribute<'a>(object: &'a Body, find: &Find<'_, 'a>, whole: Option<Tlp>) -> Option<Body> {
    let beside = seal::of(object);
    match (attribute(object, find, whole), beside) {
        (read, Some(residue)) if read.is_some() || residue.contains_key("misp") => {
            Some(seal::restore(read.unwrap_or_default(), residue))
        }
        (read, _) => read,
    }
}

/// An object with its attributes: with what travels beside it.
pub(super) fn full_object<'a>(object: &'a Body, find: &Find<'_, 'a>, whole: Option<Tlp>) -> Option<Body> {
    let (read, found) = object_plain(object, find, whole)?;
    let Some(residue) = seal::of(object) else {
        let mut body = read;
        let own = text(object, "id");
        let detect = text(object, "type") == "indicator";
        let attributes =
            found.into_iter().enumerate().map(|(n, attribute)| complete(attribute, own, n, detect, &body)).collect();
        body.insert("Attribute".into(), Value::Array(attributes));
        return Some(body);
    };
    let mut body = seal::restore(read, residue);
    let attributes = match residue.get("attributes").and_then(Value::as_array) {
        Some(listed) => {
            seal::unlisted(listed, found, |n, attribute| complete(attribute, text(object, "id"), n, false, &body))
        }
        None => found.into_iter().map(Value::Object).collect(),
    };
    if !attributes.is_empty() || !body.contains_key("Attribute") {
        body.insert("Attribute".into(), attributes.into());
    }
    Some(body)
}

/// An attribute of an object that says no more than its value.
fn complete(mut attribute: Body, whole: &str, n: usize, detect: bool, object: &Body) -> Value {
    let ty = misp_type(text(&attribute, "type"));
    let uuid =
        ids::derived(&["stix", whole, &n.to_string(), text(&attribute, "object_relation"), text(&attribute, "value")]);
    attribute.entry("uuid").or_insert_with(|| uuid.to_string().into());
    attribute.entry("category").or_insert_with(|| ty.map_or("Other", |ty| ty.default_category).into());
    attribute.entry("to_ids").or_insert_with(|| (detect && ty.is_some_and(|ty| ty.to_ids)).into());
    attribute.entry("comment").or_insert_with(|| "".into());
    if let Some(time) = object.get("timestamp") {
        attribute.entry("timestamp").or_insert_with(|| time.clone());
    }
    attribute.into()
}
