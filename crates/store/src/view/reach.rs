//! Looking around a value: names under a domain, addresses in a network, networks that hold an
//! address, values that begin alike. Only values that a visible record mentions are told.

use super::View;
use crate::engine::{Value, params};
use crate::{Result, StoreError, index};
use manara_model::Audience;
use manara_model::observable::{Observable, Privacy, Reach, Type};

impl View<'_> {
    /// Names below a domain and URLs and mail addresses there; addresses and networks inside a
    /// network. At most `limit`, in the order of the index.
    ///
    /// # Errors
    /// The engine's.
    pub fn below(&self, reach: &Reach, limit: u32) -> Result<Vec<Observable>> {
        let (kind, from) = index::reach_key(reach);
        let to = match reach {
            // The key ends in a dot: the first key that is not below it ends in the next character.
            Reach::Name(_) => {
                let mut to = from.clone();
                if let Some(last) = to.last_mut() {
                    *last += 1;
                }
                to
            }
            Reach::Net { addr, len } => {
                let mut last = u128::from_be_bytes(*addr);
                last |= u128::MAX.checked_shr(u32::from(*len)).unwrap_or(0);
                let mut to = last.to_be_bytes().to_vec();
                to.push(u8::MAX);
                to
            }
        };
        self.visible(
            "SELECT o.id, o.type, o.value FROM reach x JOIN observable o ON o.id = x.observable
             WHERE x.kind = ?1 AND x.key >= ?2 AND x.key < ?3",
            params![kind, from, to].to_vec(),
            limit,
        )
        .map(|found| match reach {
            // A network with the same first address but shorter is around it, not in it.
            Reach::Net { len, .. } => found
                .into_iter()
                .filter(|o| matches!(o.reach(), Some(Reach::Net { len: own, .. }) if own >= *len))
                .collect(),
            Reach::Name(_) => found,
        })
    }

    /// Networks that hold an address (or a smaller network): one look-up for each possible length.
    ///
    /// # Errors
    /// The engine's.
    pub fn around(&self, reach: &Reach) -> Result<Vec<Observable>> {
        let mut found = Vec::new();
        match reach {
            Reach::Net { addr, len } => {
                let address = u128::from_be_bytes(*addr);
                for shorter in (0..*len).rev() {
                    let mask = u128::MAX.checked_shl(128 - u32::from(shorter)).unwrap_or(0);
                    let net = Reach::Net { addr: (address & mask).to_be_bytes(), len: shorter };
                    found.extend(self.exactly(&net)?);
                }
            }
            Reach::Name(name) => {
                let mut name = name.as_str();
                while let Some((parent, _)) = name.rsplit_once('.') {
                    found.extend(self.exactly(&Reach::Name(parent.to_owned()))?);
                    name = parent;
                }
                // URLs and mail addresses at a parent are its neighbours, not its parents.
                found.retain(|observable| observable.ty().name() == "domain");
            }
        }
        Ok(found)
    }

    fn exactly(&self, reach: &Reach) -> Result<Vec<Observable>> {
        let (kind, key) = index::reach_key(reach);
        self.visible(
            "SELECT o.id, o.type, o.value FROM reach x JOIN observable o ON o.id = x.observable
             WHERE x.kind = ?1 AND x.key = ?2",
            params![kind, key].to_vec(),
            100,
        )
    }

    /// Values of a type that begin alike.
    ///
    /// # Errors
    /// The engine's.
    pub fn beginning(&self, ty: Type, prefix: &str, limit: u32) -> Result<Vec<Observable>> {
        let Some(to) = after_prefix(prefix) else { return Ok(Vec::new()) };
        let sql = format!(
            "SELECT o.id, o.type, o.value FROM observable o WHERE o.type = ?1 AND {}",
            self.conn.between("o.value", 2, 3)
        );
        self.visible(&sql, params![ty.code(), prefix, to].to_vec(), limit)
    }

    /// Runs a query for observables and keeps those that a visible record mentions.
    fn visible(&self, sql: &str, mut values: Vec<Value<'_>>, limit: u32) -> Result<Vec<Observable>> {
        values.push(limit.into());
        let limit_at = values.len();
        let values = self.and_labels(values);
        let sql = format!(
            "{sql} AND EXISTS (SELECT 1 FROM occurrence c JOIN record r ON r.id = c.record AND r.state = 1
                               WHERE c.observable = o.id{}{}) LIMIT ?{limit_at}",
            self.only("c.label", limit_at + 1),
            self.only("r.label", limit_at + 1),
        );
        let mut found = Vec::new();
        self.conn.all(&sql, &values, |row| {
            let ty = Type::by_code(row.get(1)?).ok_or_else(|| StoreError::damaged("an unknown observable type"))?;
            // Nobody walks through other people's subscribers: to ask for one, one must know it.
            let personal = ty.row().privacy != Privacy::None && self.audience != Audience::Node;
            if !personal {
                found.push(Observable::from_store(ty, row.get(2)?));
            }
            Ok(())
        })?;
        Ok(found)
    }
}

/// The first text after all those that begin with `prefix`.
fn after_prefix(prefix: &str) -> Option<String> {
    let last = prefix.chars().next_back()?;
    let next = char::from_u32(u32::from(last) + 1).or_else(|| char::from_u32(u32::from(last) + 0x801))?;
    Some(format!("{}{next}", &prefix[..prefix.len() - last.len_utf8()]))
}
