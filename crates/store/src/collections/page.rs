//! Reading a collection, in the order in which its objects came (TAXII 2.1 §3.3), as one audience sees it.

use super::{BODY, COLUMNS, unpacked};
use crate::Result;
use crate::engine::{Row, Value};
use crate::facts::Allowed;
use crate::view::View;
use manara_model::dangling::{self, Reference};
use manara_model::record::StixObject;
use manara_model::{Cleared, OrgId};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use uuid::Uuid;

/// Bytes of bodies on one page; its first object is on it whatever its size.
pub const PAGE_BYTES: usize = 2 << 20;
/// Objects that are looked at for one page: many may have to be left out of it.
const LOOKED: usize = 20_000;

/// Which versions of an object are wanted (TAXII 2.1 §3.4.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Versions {
    /// `all`.
    All,
    /// Any of these.
    Some {
        /// `first`.
        first: bool,
        /// `last`.
        last: bool,
        /// Versions by their times, Unix microseconds.
        at: Vec<i64>,
    },
}

impl Default for Versions {
    fn default() -> Self {
        Versions::Some { first: false, last: true, at: Vec::new() }
    }
}

/// What of a collection is wanted. Empty lists: all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Only what came after this, Unix microseconds.
    pub after: i64,
    /// Only these objects: type and UUID.
    pub ids: Vec<(String, Uuid)>,
    /// Only these types.
    pub types: Vec<String>,
    /// Which versions of each.
    pub versions: Versions,
    /// Only STIX 2.1 (`true`), 2.0 (`false`).
    pub specs: Vec<bool>,
    /// Every giver's copy of each version, not only the one that is shown; which are the first and the last is a
    /// question of all of them together.
    pub copies: bool,
}

/// A page of a collection.
#[derive(Debug)]
pub struct Boxed {
    /// Its objects, as they came.
    pub objects: Vec<Cleared<StixObject>>,
    /// There are more after the last that was looked at.
    pub more: bool,
    /// When the last that was looked at came: the next page begins after it. It may be one that is not shown.
    pub last: Option<i64>,
}

/// A question that is being put together.
struct Question<'v> {
    sql: String,
    values: Vec<Value<'v>>,
}

impl<'v> Question<'v> {
    /// A parameter; its number.
    fn give(&mut self, value: impl Into<Value<'v>>) -> usize {
        self.values.push(value.into());
        self.values.len()
    }
}

/// A way down an index in the order in which objects came.
#[derive(Clone, Copy)]
enum Walk<'w> {
    All,
    Label(i64),
    Type(&'w str),
}

/// The walks that a question takes. `labels`: those that may be seen, where there are others.
fn walks<'w>(wanted: &'w Wanted, labels: Option<&[i64]>) -> Vec<Walk<'w>> {
    if !wanted.ids.is_empty() {
        return vec![Walk::All];
    }
    if !wanted.types.is_empty() {
        let kinds: BTreeSet<&str> = wanted.types.iter().map(String::as_str).collect();
        return kinds.into_iter().map(Walk::Type).collect();
    }
    labels.map_or(vec![Walk::All], |labels| labels.iter().map(|label| Walk::Label(*label)).collect())
}

/// When a row came, as a question for it compares and sorts by it. Objects that are named are found by their names,
/// and the few of them are sorted: an engine without counts of rows would walk the whole collection in its order.
fn place(wanted: &Wanted) -> &'static str {
    if wanted.ids.is_empty() { "b.added" } else { "+b.added" }
}

/// Other rows of the same object, of those that count.
fn same(other: &str, row: &str, of_all: &str) -> String {
    let of_all = of_all.replace('#', other);
    format!(
        "SELECT 1 FROM boxed {other} WHERE {other}.collection = {row}.collection AND {other}.uuid = {row}.uuid \
         AND {other}.type = {row}.type{of_all}"
    )
}

/// Is the other copy of the same version the one that is shown, and not this row? The first that came is; where no
/// specification is named, of those in the newer one.
fn before(wanted: &Wanted, other: &str, row: &str) -> String {
    let came = format!("{other}.added < {row}.added");
    match wanted.specs.is_empty() {
        true => format!("({other}.spec > {row}.spec OR {other}.spec = {row}.spec AND {came})"),
        false => came,
    }
}

impl View<'_> {
    /// A page of a collection: at most `limit` objects in the order in which they came. `bodies`: with them, or only
    /// what a manifest tells. Of copies of a version from several givers, the first that came is shown, of those that
    /// the audience may see. An object that is nothing without others that are hidden is not there either, and
    /// neither makes a page shorter nor lets it say that there are more.
    ///
    /// # Errors
    /// The engine's.
    pub fn boxed(&self, collection: i64, wanted: &Wanted, limit: usize, bodies: bool) -> Result<Boxed> {
        let (labels, hidden) = self.labels_in(collection)?;
        let walks = walks(wanted, hidden.then_some(labels.as_slice()));
        let (mut objects, mut bytes, mut looked, mut after) = (Vec::new(), 0, 0, wanted.after);
        // One more than is shown tells that there are more.
        let mut aim = limit.saturating_add(1);
        let (more, last) = loop {
            let count = aim - objects.len();
            let mut run = Vec::new();
            let mut full = false;
            let mut take = |row: &Row<'_>| {
                let object = self.read_object(row, bodies)?;
                bytes += object.raw.len();
                full = bytes > PAGE_BYTES;
                run.push(object);
                Ok(!full)
            };
            self.run_of(collection, wanted, after, &walks, hidden, count, bodies, &mut take)?;
            looked += run.len();
            let ended = !full && run.len() < count;
            after = run.last().map_or(after, |object: &StixObject| object.added);
            if hidden && bodies {
                let secret = self.hidden_among(collection, &run)?;
                if !secret.is_empty() {
                    run.retain_mut(|object| {
                        secret.get(&object.label.owner).is_none_or(|ids| dangling::without(&mut object.raw, ids))
                    });
                }
            }
            objects.append(&mut run);
            bytes = objects.iter().map(|object| object.raw.len()).sum();
            if objects.len() == aim {
                objects.pop();
                break (true, objects.last().map(|object: &StixObject| object.added));
            }
            if ended || looked > LOOKED {
                break (!ended, (!ended || !objects.is_empty()).then_some(after));
            }
            if bytes > PAGE_BYTES {
                aim = aim.min(objects.len().max(1) + 1);
            }
        };
        let gate = self.gate();
        let objects = objects.into_iter().filter_map(|object| gate.clear(object).ok()).collect();
        Ok(Boxed { objects, more, last })
    }

    /// The next objects that are wanted, in order, at most so many.
    #[allow(clippy::too_many_arguments)] // of one question, asked at one place
    fn run_of(
        &self,
        collection: i64,
        wanted: &Wanted,
        after: i64,
        walks: &[Walk<'_>],
        hidden: bool,
        count: usize,
        bodies: bool,
        take: &mut dyn FnMut(&Row<'_>) -> Result<bool>,
    ) -> Result<()> {
        let columns = if bodies { format!("{COLUMNS}, b.body") } else { COLUMNS.to_owned() };
        let limit = i64::try_from(count).unwrap_or(i64::MAX);
        if let [walk] = walks {
            let mut ask = self.ask_for(collection, wanted, after, *walk, hidden, &columns);
            let limit = ask.give(limit);
            ask.sql.push_str(&format!(" ORDER BY {} LIMIT ?{limit}", place(wanted)));
            return self.conn.each(&ask.sql, &ask.values, take);
        }
        // One walk each down its index, merged; then what stands at these places.
        let mut places = BTreeSet::new();
        for walk in walks {
            let mut ask = self.ask_for(collection, wanted, after, *walk, hidden, "b.added");
            let limit = ask.give(limit);
            ask.sql.push_str(&format!(" ORDER BY b.added LIMIT ?{limit}"));
            self.conn.each(&ask.sql, &ask.values, |row| {
                places.insert(row.get::<i64>(0)?);
                Ok(true)
            })?;
        }
        let places: Vec<i64> = places.into_iter().take(count).collect();
        let sql = format!("SELECT {columns} FROM boxed b WHERE {} ORDER BY b.added", self.conn.within("b.added", 1));
        self.conn.each(&sql, &[self.conn.list(&places)], take)
    }

    /// The labels of what a collection holds that the audience is cleared for; and whether there are others.
    fn labels_in(&self, collection: i64) -> Result<(Vec<i64>, bool)> {
        self.labels_of("boxed", collection)
    }

    pub(super) fn labels_of(&self, table: &str, collection: i64) -> Result<(Vec<i64>, bool)> {
        let (mut labels, mut hides, mut after) = (Vec::new(), false, i64::MIN);
        if matches!(self.allowed, Allowed::Everything) {
            return Ok((labels, hides));
        }
        // From label to label, one look into the index each.
        let sql = format!("SELECT label FROM {table} WHERE collection = ?1 AND label > ?2 ORDER BY label LIMIT 1");
        while let Some(label) = self.conn.first(&sql, &[collection.into(), after.into()], |row| row.get::<i64>(0))? {
            if self.allowed.has(label) {
                labels.push(label);
            } else {
                hides = true;
            }
            after = label;
        }
        Ok((labels, hides))
    }

    /// The question without its order.
    fn ask_for<'v>(
        &'v self,
        collection: i64,
        wanted: &'v Wanted,
        after: i64,
        walk: Walk<'v>,
        hidden: bool,
        columns: &str,
    ) -> Question<'v> {
        let added = place(wanted);
        let mut ask = Question {
            sql: format!("SELECT {columns} FROM boxed b WHERE b.collection = ?1 AND {added} > ?2"),
            values: vec![collection.into(), after.into()],
        };
        // What holds of a row, and of every other version that it is compared with.
        let mut of_all = String::new();
        if let [spec] = wanted.specs.as_slice() {
            let spec = ask.give(if *spec { 21u8 } else { 20 });
            of_all.push_str(&format!(" AND #.spec = ?{spec}"));
        }
        if hidden && let Some(labels) = &self.labels {
            let labels = ask.give(labels.by_ref());
            // Never a way to them: one that is walked by label says so below.
            of_all.push_str(&format!(" AND {}", self.conn.within("+#.label", labels)));
        }
        match walk {
            Walk::All => {}
            Walk::Label(label) => {
                let label = ask.give(label);
                ask.sql.push_str(&format!(" AND b.label = ?{label}"));
            }
            Walk::Type(kind) => {
                let kind = ask.give(kind);
                ask.sql.push_str(&format!(" AND b.type = ?{kind}"));
            }
        }
        ask.sql.push_str(&of_all.replace('#', "b"));
        if !wanted.ids.is_empty() {
            self.ask_for_ids(&mut ask, wanted);
        }
        let times = match &wanted.versions {
            Versions::Some { at, .. } if !at.is_empty() => Some(ask.give(self.conn.list(at))),
            _ => None,
        };
        let of_versions = |row: &str| self.of_versions(row, wanted, times, &of_all);
        ask.sql.push_str(&of_versions("b"));
        // Of what is left of an object in both, the newer specification, unless one is named (TAXII 2.1 §3.4.1).
        if wanted.specs.is_empty() && wanted.versions != Versions::default() {
            let same = same("n", "b", &of_all);
            let giver = if wanted.copies { " AND n.giver = b.giver" } else { "" };
            let versions = of_versions("n");
            ask.sql.push_str(&format!(" AND (b.spec = 21 OR NOT EXISTS ({same}{giver} AND n.spec = 21{versions}))"));
        }
        ask
    }

    /// Only these objects.
    fn ask_for_ids<'v>(&'v self, ask: &mut Question<'v>, wanted: &'v Wanted) {
        let mut by_kind: BTreeMap<&str, Vec<[u8; 16]>> = BTreeMap::new();
        for (kind, uuid) in &wanted.ids {
            if wanted.types.is_empty() || wanted.types.contains(kind) {
                by_kind.entry(kind).or_default().push(uuid.into_bytes());
            }
        }
        let all: Vec<[u8; 16]> = by_kind.values().flatten().copied().collect();
        let all = ask.give(self.conn.bytes_list(&all));
        ask.sql.push_str(&format!(" AND {}", self.conn.within_bytes("b.uuid", all)));
        let mut any = Vec::new();
        let single = by_kind.len() == 1;
        for (kind, uuids) in by_kind {
            let kind = ask.give(kind);
            if single {
                any.push(format!("b.type = ?{kind}"));
            } else {
                let uuids = ask.give(self.conn.bytes_list(&uuids));
                any.push(format!("b.type = ?{kind} AND {}", self.conn.within_bytes("b.uuid", uuids)));
            }
        }
        if !any.is_empty() {
            ask.sql.push_str(&format!(" AND ({})", any.join(" OR ")));
        }
    }

    /// The condition that a row is of one of the versions that are wanted, and the copy of it that is shown. `times`:
    /// the parameter that holds those of them that are named.
    fn of_versions(&self, row: &str, wanted: &Wanted, times: Option<usize>, of_all: &str) -> String {
        // One look into the index each, which ends at once where a version has one copy.
        let same = same("other", row, of_all);
        let before = format!("other.added <> {row}.added AND {}", before(wanted, "other", row));
        let shown = || match wanted.copies {
            true => String::new(),
            false => format!(" AND NOT EXISTS ({same} AND other.version = {row}.version AND {before})"),
        };
        let Versions::Some { first, last, .. } = &wanted.versions else { return shown() };
        let end = |column: &str, than: &str| {
            // What is not the giver's own last is not the last. Of some of the rows, it is not noted which is.
            let own = if of_all.is_empty() { format!("{row}.{column} = 1 AND ") } else { String::new() };
            let beyond = format!("other.version {than} {row}.version");
            match wanted.copies {
                true => format!("{own}NOT EXISTS ({same} AND {beyond})"),
                false => format!(
                    "{own}NOT EXISTS ({same} AND other.version {than}= {row}.version AND ({beyond} OR {before}))"
                ),
            }
        };
        let mut any = Vec::new();
        any.extend(first.then(|| end("oldest", "<")));
        any.extend(last.then(|| end("newest", ">")));
        any.extend(times.map(|list| self.conn.within(&format!("{row}.version"), list) + &shown()));
        format!(" AND ({})", any.join(" OR "))
    }

    fn read_object(&self, row: &Row<'_>, body: bool) -> Result<StixObject> {
        Ok(StixObject {
            added: row.get(0)?,
            uuid: row.get(1)?,
            kind: row.get(2)?,
            version: row.get(3)?,
            is_2_1: row.get::<i64>(4)? != 20,
            label: self.facts().label(row.get(5)?)?.clone(),
            personal: unpacked(&row.get::<String>(6)?)?,
            raw: if body { row.get(BODY)? } else { String::new() },
        })
    }

    /// Of the objects that these refer to: those that are there, and not for this audience in any copy; by who gave
    /// what is hidden. Only to that one's objects is it: otherwise anybody could hide what others gave.
    fn hidden_among(&self, collection: i64, objects: &[StixObject]) -> Result<HashMap<OrgId, HashSet<Reference>>> {
        let named = objects.iter().flat_map(|object| dangling::references(&object.raw));
        let uuids: BTreeSet<[u8; 16]> = named.map(|(_, uuid)| uuid.into_bytes()).collect();
        let uuids: Vec<[u8; 16]> = uuids.into_iter().collect();
        let (mut seen, mut kept) = (HashSet::new(), HashSet::new());
        for uuids in uuids.chunks(500) {
            let sql = format!(
                "SELECT DISTINCT b.type, b.uuid, b.label FROM boxed b WHERE b.collection = ?1 AND {}",
                self.conn.within_bytes("b.uuid", 2)
            );
            self.conn.each(&sql, &[collection.into(), self.conn.bytes_list(uuids)], |row| {
                let id = (row.get::<String>(0)?.to_ascii_lowercase(), row.get::<Uuid>(1)?);
                let label = row.get(2)?;
                if self.allowed.has(label) {
                    seen.insert(id);
                } else {
                    kept.insert((self.facts().label(label)?.owner, id));
                }
                Ok(true)
            })?;
        }
        let mut hidden: HashMap<OrgId, HashSet<Reference>> = HashMap::new();
        for (owner, id) in kept.into_iter().filter(|(_, id)| !seen.contains(id)) {
            hidden.entry(owner).or_default().insert(id);
        }
        Ok(hidden)
    }
}
