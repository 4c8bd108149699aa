//! Tags: the node's vocabulary, and how many current records carry each.

use crate::engine::{Row, params};
use crate::tx::Tx;
use crate::{Result, Store, StoreError, audit, secret};
use manara_model::record::flag_of;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// A longer tag is kept in its record, and can't be asked for.
pub(crate) const TAG_BYTES: usize = 1024;

/// The number of a tag, making one where it is new; `None`: too long to be one.
pub(crate) fn tag_number(tx: &Tx<'_>, name: &str) -> Result<Option<i64>> {
    if name.len() > TAG_BYTES {
        return Ok(None);
    }
    let find = "SELECT id FROM tag WHERE name = ?1";
    if let Some(id) = tx.first(find, &params![name], |row| row.get(0))? {
        return Ok(Some(id));
    }
    tx.dictionary(|tx| {
        tx.execute("INSERT INTO tag (name) VALUES (?1) ON CONFLICT DO NOTHING", &params![name])?;
        tx.one(find, &params![name], |row| row.get(0)).map(Some)
    })
}

/// A tag of the node's vocabulary.
#[derive(Debug, Clone, PartialEq)]
pub struct Tag {
    /// Its number.
    pub id: i64,
    /// Its name, e.g. `tlp:green`.
    pub name: String,
    /// As somebody set it, `#rrggbb`; empty: see [`Tag::colour`].
    pub set_colour: String,
    /// What else its keepers say of it (`hide_tag`, `exportable`, `numerical_value`…).
    pub detail: Map<String, Value>,
}

impl Tag {
    /// Is it its keepers' own (MISP: not exportable)? Then no program of others is given it (MISP#1394).
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.detail.get("exportable").is_some_and(|flag| !flag_of(Some(flag)))
    }

    /// One that is not in the vocabulary.
    #[must_use]
    pub fn unknown(name: &str) -> Tag {
        Tag { id: 0, name: name.to_owned(), set_colour: String::new(), detail: Map::new() }
    }

    /// Its colour: as set, TLP's own, or one that follows from its name.
    #[must_use]
    pub fn colour(&self) -> String {
        if !self.set_colour.is_empty() {
            return self.set_colour.clone();
        }
        // TLP 2.0, FIRST: the colours of the labels.
        let tlp = match self.name.to_ascii_lowercase().as_str() {
            "tlp:red" => "#FF2B2B",
            "tlp:amber" | "tlp:amber+strict" => "#FFC000",
            "tlp:green" => "#33FF00",
            "tlp:clear" | "tlp:white" => "#FFFFFF",
            _ => "",
        };
        if !tlp.is_empty() {
            return tlp.into();
        }
        let hash = secret::digest(&self.name);
        format!("#{:02x}{:02x}{:02x}", hash[0], hash[1], hash[2])
    }
}

pub(crate) fn read_tag(row: &Row<'_>) -> Result<Tag> {
    let detail: String = row.get(3)?;
    Ok(Tag {
        id: row.get(0)?,
        name: row.get(1)?,
        set_colour: row.get(2)?,
        detail: serde_json::from_str(&detail).map_err(StoreError::damaged)?,
    })
}

/// Most tags in one answer.
const MOST: i64 = 100_000;

impl Store {
    /// The vocabulary, by name.
    ///
    /// # Errors
    /// The engine's.
    pub fn vocabulary(&self) -> Result<Vec<Tag>> {
        let sql = "SELECT id, name, colour, detail FROM tag ORDER BY name LIMIT ?1";
        self.reader()?.all(sql, &params![MOST], read_tag)
    }

    /// Names of the tags that are their keepers' own.
    ///
    /// # Errors
    /// The engine's.
    pub fn kept_tags(&self) -> Result<BTreeSet<String>> {
        // Of the few of which something is said.
        let sql = "SELECT id, name, colour, detail FROM tag WHERE detail <> '{}' ORDER BY name LIMIT ?1";
        let tags = self.reader()?.all(sql, &params![MOST], read_tag)?;
        Ok(tags.into_iter().filter(Tag::is_kept).map(|tag| tag.name).collect())
    }

    /// A tag by its number.
    ///
    /// # Errors
    /// The engine's.
    pub fn tag_by_number(&self, id: i64) -> Result<Option<Tag>> {
        self.reader()?.first("SELECT id, name, colour, detail FROM tag WHERE id = ?1", &params![id], read_tag)
    }

    /// A tag by its name.
    ///
    /// # Errors
    /// The engine's.
    pub fn tag_by_name(&self, name: &str) -> Result<Option<Tag>> {
        self.reader()?.first("SELECT id, name, colour, detail FROM tag WHERE name = ?1", &params![name], read_tag)
    }

    /// Sets what is shown of a tag. Its name stays: it stands in records.
    ///
    /// # Errors
    /// [`StoreError::Unknown`]; the engine's.
    pub fn set_tag(&self, actor: &str, id: i64, colour: &str, detail: &Map<String, Value>) -> Result<Tag> {
        let (actor, colour, detail) = (actor.to_owned(), colour.to_owned(), Value::Object(detail.clone()).to_string());
        self.write(move |tx| {
            let sql = "UPDATE tag SET colour = ?2, detail = ?3 WHERE id = ?1 RETURNING id, name, colour, detail";
            let tag = tx.first(sql, &params![id, &colour, &detail], read_tag)?;
            let tag = tag.ok_or_else(|| StoreError::Unknown { what: "tag", name: id.to_string() })?;
            audit::append(tx, &actor, "tag.set", &tag.name, "")?;
            Ok(tag)
        })
    }

    /// Gives another name to a tag that stands on no record.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] where it is in use, or for what is no name; [`StoreError::Exists`]; [`StoreError::Unknown`];
    /// the engine's.
    pub fn rename_tag(&self, actor: &str, id: i64, name: &str) -> Result<()> {
        let (actor, name) = (actor.to_owned(), checked_name(name)?);
        self.write(move |tx| {
            if is_used(tx, id)? {
                return Err(StoreError::Invalid("a tag that stands on records keeps its name".into()));
            }
            if tx.exists("SELECT 1 FROM tag WHERE name = ?1 AND id <> ?2", &params![&name, id])? {
                return Err(StoreError::Exists { what: "tag", name: name.clone() });
            }
            if tx.execute("UPDATE tag SET name = ?2 WHERE id = ?1", &params![id, &name])? == 0 {
                return Err(StoreError::Unknown { what: "tag", name: id.to_string() });
            }
            audit::append(tx, &actor, "tag.rename", &name, &id.to_string())
        })
    }

    /// Takes a tag out of the vocabulary. One that stands on a record can't go: records are kept as they
    /// came.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] where it is in use; [`StoreError::Unknown`]; the engine's.
    pub fn remove_tag(&self, actor: &str, id: i64) -> Result<()> {
        let actor = actor.to_owned();
        self.write(move |tx| {
            if is_used(tx, id)? {
                return Err(StoreError::Invalid("this tag stands on records; take it from them first".into()));
            }
            let name =
                tx.first("DELETE FROM tag WHERE id = ?1 RETURNING name", &params![id], |row| row.get::<String>(0))?;
            let name = name.ok_or_else(|| StoreError::Unknown { what: "tag", name: id.to_string() })?;
            audit::append(tx, &actor, "tag.remove", &name, "")
        })
    }
}

impl Store {
    /// Tags with the number of current records that carry them, most used first. For the node's operator.
    ///
    /// # Errors
    /// The engine's.
    pub fn tags(&self) -> Result<Vec<(String, i64)>> {
        self.reader()?.all(
            "SELECT t.name, count(r.id) AS n FROM tag t LEFT JOIN record_tag x ON x.tag = t.id
             LEFT JOIN record r ON r.id = x.record AND r.state = 1 GROUP BY t.id, t.name ORDER BY n DESC, t.name",
            &[],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }

    /// Adds a tag.
    ///
    /// # Errors
    /// [`StoreError::Exists`], [`StoreError::Invalid`].
    pub fn add_tag(&self, actor: &str, name: &str) -> Result<()> {
        let (actor, name) = (actor.to_owned(), checked_name(name)?);
        self.write(move |tx| {
            if tx.execute("INSERT INTO tag (name) VALUES (?1) ON CONFLICT DO NOTHING", &params![&name])? == 0 {
                return Err(StoreError::Exists { what: "tag", name: name.clone() });
            }
            audit::append(tx, &actor, "tag.add", &name, "")
        })
    }
}

fn checked_name(name: &str) -> Result<String> {
    let name = name.trim().to_owned();
    if name.is_empty() || name.len() > 255 || name.chars().any(char::is_control) {
        return Err(StoreError::Invalid("a tag has 1 to 255 characters on one line".into()));
    }
    Ok(name)
}

/// Does it stand on a record, or on a part of one? Also on those that are history.
fn is_used(tx: &Tx<'_>, id: i64) -> Result<bool> {
    tx.exists(
        "SELECT 1 FROM record_tag WHERE tag = ?1 UNION ALL SELECT 1 FROM part_tag WHERE tag = ?1 LIMIT 1",
        &params![id],
    )
}
