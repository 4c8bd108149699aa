//! Collections that others write into (TAXII 2.1 §5): STIX objects as they came, each version of them. Which is
//! the newest and which the oldest of an object's versions is noted when one comes, so that a page costs what is
//! on it, however large the collection is.

mod members;
mod page;
mod put;
mod submissions;

pub use members::{Filled, Joining, Member, object_key};
pub(crate) use members::{forget, note};
pub use page::{Boxed, PAGE_BYTES, Versions, Wanted};
pub use submissions::Submission;

use crate::Result;
use crate::engine::{Row, params};
use crate::tx::Tx;
use manara_model::observable::{Observable, Type};
use manara_model::record::Found;
use manara_model::{Marking, OrgId};
use uuid::Uuid;

/// A STIX object that is to be added.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// Its type.
    pub kind: String,
    /// The second half of its identifier.
    pub uuid: Uuid,
    /// Its version, Unix microseconds; `None`: it has none of its own.
    pub version: Option<i64>,
    /// Its version as it says it itself; empty: it has none.
    pub stated: String,
    /// STIX 2.1, or 2.0.
    pub is_2_1: bool,
    /// How far it may go.
    pub marking: Marking,
    /// What stands in it that others get as pseudonyms.
    pub personal: Vec<Found>,
    /// JSON, as it came.
    pub body: String,
}

/// Whose the objects are, and on whose word.
#[derive(Debug, Clone)]
pub struct Giver {
    /// The organisation that holds them.
    pub org: OrgId,
    /// Who brought them.
    pub actor: String,
}

/// The member of an entry's body that says that a collection is about to go.
pub const GOING: &str = "going";
/// The member of a search's entry that says up to which record those were looked at that were there before it, and
/// what stands there while its question is changing.
pub const FILLED: &str = "filled";
/// See [`FILLED`].
pub const CHANGING: &str = "changing";

/// A collection's entry, if it is there and not about to go. Who writes into it keeps it so until the transaction ends.
pub(crate) fn open(tx: &Tx<'_>, collection: i64) -> Result<Option<serde_json::Value>> {
    let sql = format!("SELECT body FROM entry WHERE id = ?1 AND kind = 'collection'{}", tx.for_update());
    let Some(body) = tx.first(&sql, &params![collection], |row| row.get::<String>(0))? else { return Ok(None) };
    let body: serde_json::Value = serde_json::from_str(&body).map_err(crate::StoreError::damaged)?;
    Ok(Some(body).filter(|body| body[GOING] != true))
}

/// The same for who puts something into it.
pub(crate) fn must_be_open(tx: &Tx<'_>, collection: i64) -> Result<()> {
    match open(tx, collection)? {
        Some(_) => Ok(()),
        None => Err(crate::StoreError::Unknown { what: "collection", name: collection.to_string() }),
    }
}

/// An object's identity within a collection.
type Key = (Uuid, String);

/// Columns of an object, in the order of [`read`], without its body.
const COLUMNS: &str = "b.added, b.uuid, b.type, b.stated, b.spec, b.label, b.personal";
/// Where a body stands that was asked for after these.
const BODY: usize = 7;

/// What others get as pseudonyms, for its column: type, value, whether it is to be looked for.
fn packed(personal: &[Found]) -> String {
    if personal.is_empty() {
        return String::new();
    }
    let rows = personal.iter().map(|found| {
        let observable = &found.observable;
        serde_json::json!([observable.ty().code(), observable.value(), found.detect])
    });
    serde_json::Value::Array(rows.collect()).to_string()
}

fn unpacked(text: &str) -> Result<Vec<Found>> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<(u16, String, bool)> = serde_json::from_str(text).map_err(crate::StoreError::damaged)?;
    let found = rows.into_iter().map(|(code, value, detect)| {
        let ty = Type::by_code(code).ok_or_else(|| crate::StoreError::damaged("an unknown observable type"))?;
        Ok(Found { observable: Observable::from_store(ty, value), detect })
    });
    found.collect()
}

/// Numbers between 1 and `most`, which nobody can foresee.
pub(crate) fn chance(count: usize, most: u8) -> Vec<i64> {
    let bytes = std::iter::repeat_with(|| *Uuid::new_v4().as_bytes()).flat_map(|bytes| {
        // Two of its bytes say which kind of UUID it is.
        bytes.into_iter().enumerate().filter(|(at, _)| *at != 6 && *at != 8).map(|(_, byte)| byte)
    });
    bytes.take(count).map(|byte| 1 + i64::from(byte % most)).collect()
}

/// The first of `count` microseconds that nobody else gets, none of them before now or before one that was given
/// out. Others wait for theirs until this transaction ends: who reads in their order misses nothing.
pub(crate) fn tick(tx: &Tx<'_>, count: usize) -> Result<i64> {
    let (now, count) = (jiff::Timestamp::now().as_microsecond(), count as i64);
    let sql = "INSERT INTO clock (id, last) VALUES (1, ?3) ON CONFLICT (id) DO UPDATE SET last =
               CASE WHEN clock.last + 1 > ?1 THEN clock.last + ?2 ELSE ?3 END RETURNING last";
    let last: i64 = tx.one(sql, &params![now, count, now + count - 1], |row: &Row<'_>| row.get(0))?;
    Ok(last - count + 1)
}
