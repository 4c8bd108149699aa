//! From one engine to the other: every table in the order of its key, then every table of both sides
//! hashed in that order and compared.

use crate::engine::{Bulk, Conn, Kind, Place, Use, Value, params};
use crate::{Result, Store, StoreError, schema, words};
use sha2::{Digest, Sha256};

/// Rows read at a time; of tables that hold bodies, fewer.
const PAGE: i64 = 4096;
const BODIES: i64 = 32;
/// Entries of the full-text index read at a time.
const TEXTS: i64 = 4096;

/// Tables and their keys, those that others refer to first. Leases and counts of failed log-ins are of
/// the moment, and stay behind.
const TABLES: &[(&str, &[&str])] = &[
    ("meta", &["key"]),
    ("org", &["uuid"]),
    ("org_client", &["server", "client"]),
    ("account", &["uuid"]),
    ("api_key", &["id"]),
    ("session", &["hash"]),
    ("sharing_group", &["uuid"]),
    ("sharing_group_member", &["sharing_group", "org"]),
    ("label", &["id"]),
    ("record", &["id"]),
    ("chunk", &["record", "first"]),
    ("event", &["record"]),
    ("event_count", &["record", "label"]),
    ("moved", &["record", "ordinal"]),
    ("past", &["id"]),
    ("part_uuid", &["uuid", "record", "ordinal"]),
    ("observable", &["id"]),
    ("reach", &["kind", "key", "observable"]),
    ("occurrence", &["observable", "label", "record", "ordinal"]),
    ("sighting", &["id"]),
    ("tag", &["id"]),
    ("record_tag", &["tag", "label", "received", "record"]),
    ("part_tag", &["tag", "label", "record", "ordinal"]),
    ("number", &["id"]),
    ("entry", &["id"]),
    ("job", &["id"]),
    ("feed_value", &["hash", "feed", "event"]),
    ("clock", &["id"]),
    ("boxed", &["added"]),
    ("submission", &["uuid"]),
    ("fresh", &["seq"]),
    ("member", &["added"]),
    ("member_object", &["collection", "id", "added"]),
    ("text_doc", &["id"]),
    ("audit", &["seq"]),
];

/// What was copied.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Moved {
    /// Rows of each table.
    pub rows: Vec<(String, u64)>,
    /// SHA-256 over all content of all tables, the same on both sides.
    pub hash: String,
}

/// One table as both engines know it.
struct Table {
    name: &'static str,
    key: &'static [&'static str],
    columns: Vec<(String, Kind)>,
}

impl Table {
    fn read(conn: &Conn, name: &'static str, key: &'static [&'static str]) -> Result<Self> {
        let columns = conn.columns(name)?;
        Ok(Table { name, key, columns })
    }

    /// Hands out all rows in the order of the key.
    fn each(&self, conn: &Conn, take: &mut dyn FnMut(Vec<Vec<Value<'static>>>) -> Result<()>) -> Result<()> {
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| name.as_str()).collect();
        let places: Vec<usize> = self.key.iter().filter_map(|key| names.iter().position(|name| name == key)).collect();
        let (keys, columns) = (self.key.join(", "), names.join(", "));
        let marks: Vec<String> = (2..).take(places.len()).map(|n| format!("?{n}")).collect();
        let first = format!("SELECT {columns} FROM {} ORDER BY {keys} LIMIT ?1", self.name);
        let next = format!(
            "SELECT {columns} FROM {} WHERE ({keys}) > ({}) ORDER BY {keys} LIMIT ?1",
            self.name,
            marks.join(", ")
        );
        let mut after: Option<Vec<Value<'static>>> = None;
        loop {
            let bodies = names.contains(&"body") || names.contains(&"skeleton");
            let mut values = params![if bodies { BODIES } else { PAGE }].to_vec();
            values.extend(after.iter().flatten().cloned());
            let page = conn.all(if after.is_some() { &next } else { &first }, &values, |row| {
                self.columns.iter().enumerate().map(|(at, (_, kind))| row.value(at, *kind)).collect::<Result<Vec<_>>>()
            })?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(places.iter().map(|at| last[*at].clone()).collect());
            take(page)?;
        }
    }
}

/// Words of the full-text index, entry by entry in order.
fn each_text(conn: &Conn, take: &mut dyn FnMut(Vec<(i64, String)>) -> Result<()>) -> Result<()> {
    let mut after = 0;
    loop {
        let last: Option<i64> = conn
            .first(
                "SELECT max(id) FROM (SELECT id FROM text_doc WHERE id > ?1 ORDER BY id LIMIT ?2) d",
                &params![after, TEXTS],
                |row| row.get(0),
            )?
            .flatten();
        let Some(last) = last else { return Ok(()) };
        let mut texts = conn.texts(after, last)?;
        for (_, text) in &mut texts {
            let mut distinct: Vec<String> = words::words(text).collect();
            distinct.sort_unstable();
            distinct.dedup();
            *text = distinct.join(" ");
        }
        texts.sort_unstable();
        take(texts)?;
        after = last;
    }
}

/// SHA-256 over all content, in the order of the keys.
fn content_hash(conn: &Conn) -> Result<String> {
    let mut hash = Sha256::new();
    for (name, key) in TABLES {
        hash.update(name.as_bytes());
        Table::read(conn, name, key)?.each(conn, &mut |rows| {
            for value in rows.into_iter().flatten() {
                match value {
                    Value::Null => hash.update([0]),
                    Value::Int(number) => {
                        hash.update([1]);
                        hash.update(number.to_be_bytes());
                    }
                    // See `engine/postgres.rs`: its texts have a picture of NUL.
                    Value::Text(text) => put(&mut hash, 2, text.replace('\0', "\u{2400}").as_bytes()),
                    Value::Blob(bytes) => put(&mut hash, 3, &bytes),
                    Value::List(_) => {}
                }
            }
            Ok(())
        })?;
    }
    each_text(conn, &mut |texts| {
        for (id, text) in texts {
            hash.update(id.to_be_bytes());
            put(&mut hash, 4, text.as_bytes());
        }
        Ok(())
    })?;
    Ok(crate::seal::to_hex(&hash.finalize()))
}

fn put(hash: &mut Sha256, kind: u8, bytes: &[u8]) {
    hash.update([kind]);
    hash.update((bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}

/// Copies everything from one connection to an empty database of the same schema, and compares.
pub(crate) fn copy(from: &Conn, to: &Conn, tell: &mut dyn FnMut(&str, u64)) -> Result<Moved> {
    for conn in [from, to] {
        conn.spill()?;
    }
    from.begin_snapshot()?;
    to.begin_write()?;
    let mut moved = Moved { rows: Vec::new(), hash: String::new() };
    for (name, key) in TABLES {
        let table = Table::read(from, name, key)?;
        let columns: Vec<(&str, Kind)> = table.columns.iter().map(|(name, kind)| (name.as_str(), *kind)).collect();
        let bulk = Bulk { table: name, columns: &columns };
        let mut rows = 0;
        table.each(from, &mut |page| {
            let given = page.len() as u64;
            let added = bulk.add(to, page.into_iter())?;
            if added != given {
                return Err(StoreError::Invalid(format!("{name} is not empty there: copy to an empty database")));
            }
            rows += added;
            tell(name, rows);
            Ok(())
        })?;
        moved.rows.push(((*name).to_owned(), rows));
    }
    each_text(from, &mut |texts| to.add_texts(&texts))?;
    to.count_on(TABLES.iter().filter(|(_, key)| *key == ["id"]).map(|(name, _)| *name))?;
    let (ours, theirs) = (content_hash(from)?, content_hash(to)?);
    if ours != theirs {
        to.script("ROLLBACK")?;
        return Err(StoreError::Damaged(format!("the copy's content differs ({ours} is not {theirs})")));
    }
    to.script("COMMIT")?;
    from.script("ROLLBACK")?;
    moved.hash = ours;
    Ok(moved)
}

impl Store {
    /// Copies this store to another place, which must hold none, and compares the two by a hash over
    /// everything. Best while nobody writes: what is written meanwhile stays here.
    ///
    /// # Errors
    /// [`StoreError::NodeExists`], [`StoreError::Damaged`] where the copy differs, the engines'.
    pub fn copy_to(&self, place: &Place, tell: &mut dyn FnMut(&str, u64)) -> Result<Moved> {
        let to = schema::create(place, schema::KNOWN)?;
        // Not a reader's connection: the engine keeps what it counts with in a temporary table.
        let done = copy(&Conn::open(self.place(), Use::Write)?, &to, tell);
        to.settle();
        done
    }
}

/// Makes a copy in the embedded engine, with the schema that `from` has.
pub(crate) fn copy_as_file(from: &Conn, place: &Place) -> Result<()> {
    let to = schema::create(place, from.schema_version()?)?;
    copy(from, &to, &mut |_, _| {})?;
    to.settle();
    Ok(())
}
