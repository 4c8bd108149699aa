//! A record's parts on disk: runs of them, compressed, so that an event of half a million attributes
//! streams through bounded memory and a list costs a few bytes a line.
//!
//! A chunk is zstd over parts; a part is: slot (1 byte), parent + 1, label, uuid flag and uuid,
//! number of found, each (type code × 2 + detect, value), raw. Numbers are LEB128, texts are
//! length and UTF-8.

use crate::{Result, StoreError};
use manara_model::observable::{Observable, Type};
use manara_model::record::{Found, PartDraft, Slot};
use uuid::Uuid;

/// A chunk is closed at this many bytes before compression, or this many parts.
pub(crate) const MAX_BYTES: usize = 128 * 1024;
pub(crate) const MAX_PARTS: u32 = 2048;
/// No chunk that this program wrote is larger than one part at its limit and a little.
const MAX_UNPACKED: usize = 512 * 1024 * 1024;
const LEVEL: i32 = 3;

/// A part as it stands in a chunk: its label is still a number.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StoredPart {
    pub(crate) slot: Slot,
    pub(crate) parent: Option<u32>,
    pub(crate) uuid: Option<Uuid>,
    pub(crate) label: i64,
    pub(crate) found: Vec<Found>,
    pub(crate) raw: String,
}

fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number as u8 & 0x7f) | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

impl StoredPart {
    /// A draft with its label.
    pub(crate) fn of(part: &PartDraft, label: i64) -> Self {
        StoredPart {
            slot: part.slot,
            parent: part.parent,
            uuid: part.uuid,
            label,
            found: part.found.clone(),
            raw: part.raw.clone(),
        }
    }

    /// What stands where a part was taken out.
    pub(crate) fn gone(label: i64) -> Self {
        StoredPart { slot: Slot::Gone, parent: None, uuid: None, label, found: Vec::new(), raw: String::new() }
    }
}

/// Appends a draft to an open chunk.
pub(crate) fn push(out: &mut Vec<u8>, part: &PartDraft, label: i64) {
    let PartDraft { slot, parent, uuid, found, raw, .. } = part;
    push_parts(out, (*slot, *parent, *uuid), label, found, raw);
}

/// Appends a part that was stored before.
pub(crate) fn push_stored(out: &mut Vec<u8>, part: &StoredPart) {
    push_parts(out, (part.slot, part.parent, part.uuid), part.label, &part.found, &part.raw);
}

fn push_parts(
    out: &mut Vec<u8>,
    (slot, parent, uuid): (Slot, Option<u32>, Option<Uuid>),
    label: i64,
    found: &[Found],
    raw: &str,
) {
    out.push(slot as u8);
    put(out, parent.map_or(0, |parent| u64::from(parent) + 1));
    put(out, label as u64);
    match uuid {
        Some(uuid) => {
            out.push(1);
            out.extend_from_slice(uuid.as_bytes());
        }
        None => out.push(0),
    }
    put(out, found.len() as u64);
    for found in found {
        put(out, u64::from(found.observable.ty().code()) * 2 + u64::from(found.detect));
        put_text(out, found.observable.value());
    }
    put_text(out, raw);
}

/// Compresses bytes.
pub(crate) fn pack(bytes: &[u8]) -> Result<Vec<u8>> {
    zstd::bulk::compress(bytes, LEVEL).map_err(StoreError::damaged)
}

/// Decompresses what [`pack`] made.
pub(crate) fn unpack(bytes: &[u8]) -> Result<Vec<u8>> {
    let size = zstd::zstd_safe::get_frame_content_size(bytes).ok().flatten().unwrap_or(0);
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    if size > MAX_UNPACKED {
        return Err(StoreError::damaged("a chunk claims an impossible size"));
    }
    zstd::bulk::decompress(bytes, size).map_err(StoreError::damaged)
}

/// Text that was packed.
pub(crate) fn unpack_text(bytes: &[u8]) -> Result<String> {
    String::from_utf8(unpack(bytes)?).map_err(StoreError::damaged)
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        if n > self.0.len() {
            return Err(StoreError::damaged("a chunk ends too early"));
        }
        let (head, tail) = self.0.split_at(n);
        self.0 = tail;
        Ok(head)
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    fn number(&mut self) -> Result<u64> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(StoreError::damaged("a number in a chunk is too long"))
    }

    fn text(&mut self) -> Result<String> {
        let length = usize::try_from(self.number()?).map_err(StoreError::damaged)?;
        String::from_utf8(self.take(length)?.to_vec()).map_err(StoreError::damaged)
    }

    fn part(&mut self) -> Result<StoredPart> {
        let slot = Slot::from_number(self.byte()?).ok_or_else(|| StoreError::damaged("an unknown slot"))?;
        let parent = self.number()?.checked_sub(1).map(u32::try_from).transpose().map_err(StoreError::damaged)?;
        let label = self.number()? as i64;
        let uuid = match self.byte()? {
            0 => None,
            _ => Some(Uuid::from_slice(self.take(16)?).map_err(StoreError::damaged)?),
        };
        let count = self.number()?;
        let mut found = Vec::with_capacity(count.min(16) as usize);
        for _ in 0..count {
            let code = self.number()?;
            let ty = u16::try_from(code / 2).ok().and_then(Type::by_code);
            let ty = ty.ok_or_else(|| StoreError::damaged(format!("unknown observable type {}", code / 2)))?;
            let value = self.text()?;
            found.push(Found { observable: Observable::from_store(ty, value), detect: code % 2 == 1 });
        }
        Ok(StoredPart { slot, parent, uuid, label, found, raw: self.text()? })
    }
}

/// The parts of a packed chunk.
pub(crate) fn read(packed: &[u8]) -> Result<Vec<StoredPart>> {
    let bytes = unpack(packed)?;
    let mut cursor = Cursor(&bytes);
    let mut parts = Vec::new();
    while !cursor.0.is_empty() {
        parts.push(cursor.part()?);
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn part(raw: &str, label: i64, parent: Option<u32>) -> StoredPart {
        let domain = Type::by_name("domain").unwrap();
        let found = Found { observable: Observable::from_store(domain, raw.into()), detect: label % 2 == 0 };
        StoredPart {
            slot: Slot::ObjectAttribute,
            parent,
            uuid: (label % 3 == 0).then(|| Uuid::from_u128(7)),
            label,
            found: vec![found],
            raw: raw.into(),
        }
    }

    proptest! {
        #[test]
        fn what_went_in_comes_out(raws in prop::collection::vec((".*", 0i64..1 << 40, prop::option::of(any::<u32>())), 0..20)) {
            let parts: Vec<_> = raws.iter().map(|(raw, label, parent)| part(raw, *label, *parent)).collect();
            let mut bytes = Vec::new();
            for part in &parts {
                let mut draft = PartDraft::new(part.slot, &part.raw);
                (draft.parent, draft.uuid, draft.found) = (part.parent, part.uuid, part.found.clone());
                push(&mut bytes, &draft, part.label);
            }
            prop_assert_eq!(read(&pack(&bytes).unwrap()).unwrap(), parts);
        }

        #[test]
        fn a_damaged_chunk_is_an_error_not_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
            let _ = read(&pack(&bytes).unwrap());
        }
    }
}
