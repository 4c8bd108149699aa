//! Reading a collection, in the order in which its objects came (TAXII 2.1 §3.3), as one audience sees it.

use super::{BODY, COLUMNS, unpacked};
use crate::Result;
use crate::engine::{Row, Value};
use crate::facts::Allowed;
use crate::view::View;
use manara_model::record::StixObject;
use manara_model::{Cleared, dangling};
use std::collections::{BTreeSet, HashSet};
use uuid::Uuid;

/// Bytes of bodies on one page; its first object is on it whatever its size.
const PAGE_BYTES: usize = 8 << 20;

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

impl View<'_> {
    /// A page of a collection: at most `limit` objects in the order in which they came. `bodies`: with them, or only
    /// what a manifest tells.
    ///
    /// # Errors
    /// The engine's.
    pub fn boxed(&self, collection: i64, wanted: &Wanted, limit: usize, bodies: bool) -> Result<Boxed> {
        let (labels, hidden) = self.labels_in(collection)?;
        let mut objects = Vec::new();
        let (mut bytes, mut more) = (0, false);
        let mut take = |row: &Row<'_>| {
            if objects.len() == limit || bytes > PAGE_BYTES {
                more = true;
                return Ok(false);
            }
            let object = self.read_object(row, bodies)?;
            bytes += object.raw.len();
            objects.push(object);
            Ok(true)
        };
        if hidden && wanted.ids.is_empty() {
            // One walk a label down its index, merged; then what stands at these places.
            let mut places = BTreeSet::new();
            for label in labels {
                let mut ask = self.ask_for(collection, wanted, hidden, "b.added");
                let label = ask.give(label);
                let limit = ask.give(limit as i64 + 1);
                ask.sql.push_str(&format!(" AND b.label = ?{label} ORDER BY b.added LIMIT ?{limit}"));
                self.conn.each(&ask.sql, &ask.values, |row| {
                    places.insert(row.get::<i64>(0)?);
                    Ok(true)
                })?;
            }
            let places: Vec<i64> = places.into_iter().take(limit + 1).collect();
            let columns = if bodies { format!("{COLUMNS}, b.body") } else { COLUMNS.to_owned() };
            let sql =
                format!("SELECT {columns} FROM boxed b WHERE {} ORDER BY b.added", self.conn.within("b.added", 1));
            self.conn.each(&sql, &[self.conn.list(&places)], &mut take)?;
        } else {
            let columns = if bodies { format!("{COLUMNS}, b.body") } else { COLUMNS.to_owned() };
            let mut ask = self.ask_for(collection, wanted, hidden, &columns);
            let limit = ask.give(limit as i64 + 1);
            ask.sql.push_str(&format!(" ORDER BY b.added LIMIT ?{limit}"));
            self.conn.each(&ask.sql, &ask.values, &mut take)?;
        }
        let last = objects.last().map(|object| object.added);
        if hidden && bodies {
            let secret = self.hidden_among(collection, &objects)?;
            if !secret.is_empty() {
                objects.retain_mut(|object| dangling::without(&mut object.raw, &secret));
            }
        }
        let gate = self.gate();
        let objects = objects.into_iter().filter_map(|object| gate.clear(object).ok()).collect();
        Ok(Boxed { objects, more, last })
    }

    /// When the versions of an object came that are wanted, for whoever takes them out.
    ///
    /// # Errors
    /// The engine's.
    pub fn boxed_places(&self, collection: i64, wanted: &Wanted) -> Result<Vec<i64>> {
        let (_, hidden) = self.labels_in(collection)?;
        let ask = self.ask_for(collection, wanted, hidden, "b.added");
        self.conn.all(&ask.sql, &ask.values, |row| row.get(0))
    }

    /// The labels of what a collection holds that the audience is cleared for; and whether there are others.
    fn labels_in(&self, collection: i64) -> Result<(Vec<i64>, bool)> {
        let (mut labels, mut hides, mut after) = (Vec::new(), false, i64::MIN);
        if matches!(self.allowed, Allowed::Everything) {
            return Ok((labels, hides));
        }
        // From label to label, one look into the index each.
        let sql = "SELECT label FROM boxed WHERE collection = ?1 AND label > ?2 ORDER BY label LIMIT 1";
        while let Some(label) = self.conn.first(sql, &[collection.into(), after.into()], |row| row.get::<i64>(0))? {
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
    fn ask_for<'v>(&'v self, collection: i64, wanted: &'v Wanted, hidden: bool, columns: &str) -> Question<'v> {
        let mut ask = Question {
            sql: format!("SELECT {columns} FROM boxed b WHERE b.collection = ?1 AND b.added > ?2"),
            values: vec![collection.into(), wanted.after.into()],
        };
        // What holds of a row, and of every other version that it is compared with.
        let mut of_all = String::new();
        if let [spec] = wanted.specs.as_slice() {
            let spec = ask.give(if *spec { 21u8 } else { 20 });
            of_all.push_str(&format!(" AND #.spec = ?{spec}"));
        }
        if hidden && let Some(labels) = &self.labels {
            let labels = ask.give(labels.by_ref());
            of_all.push_str(&format!(" AND {}", self.conn.within("#.label", labels)));
        }
        ask.sql.push_str(&of_all.replace('#', "b"));
        let same = format!(
            "SELECT 1 FROM boxed n WHERE n.collection = b.collection AND n.uuid = b.uuid AND n.type = b.type{}",
            of_all.replace('#', "n")
        );
        if !wanted.ids.is_empty() {
            let uuids: Vec<[u8; 16]> = wanted.ids.iter().map(|(_, uuid)| uuid.into_bytes()).collect();
            let uuids = ask.give(self.conn.bytes_list(&uuids));
            ask.sql.push_str(&format!(" AND {}", self.conn.within_bytes("b.uuid", uuids)));
        }
        let kinds: BTreeSet<&str> = match wanted.types.is_empty() {
            true => wanted.ids.iter().map(|(kind, _)| kind.as_str()).collect(),
            false => wanted.types.iter().map(String::as_str).collect(),
        };
        if !kinds.is_empty() {
            let marks: Vec<String> = kinds.into_iter().map(|kind| format!("?{}", ask.give(kind))).collect();
            ask.sql.push_str(&format!(" AND b.type IN ({})", marks.join(", ")));
        }
        let noted = of_all.is_empty();
        let end = |column: &str, than: &str| match noted {
            true => format!("b.{column} = 1"),
            // Of those that count: which of them is the last is not noted anywhere.
            false => format!("NOT EXISTS ({same} AND n.version {than} b.version)"),
        };
        match &wanted.versions {
            Versions::All => {}
            Versions::Some { first, last, at } => {
                let mut any = Vec::new();
                any.extend(first.then(|| end("oldest", "<")));
                any.extend(last.then(|| end("newest", ">")));
                if !at.is_empty() {
                    let list = ask.give(self.conn.list(at));
                    any.push(self.conn.within("b.version", list));
                }
                ask.sql.push_str(&format!(" AND ({})", any.join(" OR ")));
            }
        }
        // Of an object that is there in both, the newer specification, unless one is named (TAXII 2.1 §3.4.1).
        if wanted.specs.is_empty() && wanted.versions != Versions::default() {
            ask.sql.push_str(&format!(" AND (b.spec = 21 OR NOT EXISTS ({same} AND n.spec = 21))"));
        }
        ask
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

    /// Of the objects that these refer to: those that are there, and not for this audience in any version.
    fn hidden_among(&self, collection: i64, objects: &[StixObject]) -> Result<HashSet<String>> {
        let named: BTreeSet<String> = objects.iter().flat_map(|object| dangling::references(&object.raw)).collect();
        let uuids: Vec<[u8; 16]> =
            named.iter().filter_map(|id| id.rsplit_once("--")?.1.parse::<Uuid>().ok()).map(Uuid::into_bytes).collect();
        let (mut seen, mut there) = (HashSet::new(), HashSet::new());
        for uuids in uuids.chunks(500) {
            let sql = format!(
                "SELECT b.type, b.uuid, b.label FROM boxed b WHERE b.collection = ?1 AND {}",
                self.conn.within_bytes("b.uuid", 2)
            );
            self.conn.each(&sql, &[collection.into(), self.conn.bytes_list(uuids)], |row| {
                let id = format!("{}--{}", row.get::<String>(0)?, row.get::<Uuid>(1)?);
                if self.allowed.has(row.get(2)?) {
                    seen.insert(id.clone());
                }
                there.insert(id);
                Ok(true)
            })?;
        }
        Ok(there.into_iter().filter(|id| !seen.contains(id)).collect())
    }
}
