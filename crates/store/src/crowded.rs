//! Values that stand in very many records: what everybody has in common tells nothing about anybody. They
//! are counted over the whole index, which is work for an administrator's word or a job, never for a reader.

use crate::engine::params;
use crate::{Result, Store, StoreError};
use manara_model::observable::{Observable, Privacy, Type};

impl Store {
    /// The values that stand in more than `records` records, those in most first, at most `most` of them;
    /// without those that are somebody's: nobody walks through persons, one asks for a value that one knows.
    /// Whoever shows them asks a view how many of the records its audience may see.
    ///
    /// # Errors
    /// The engine's.
    pub fn crowded_values(&self, records: i64, most: u32) -> Result<Vec<Observable>> {
        let reader = self.reader()?;
        let sql = "SELECT observable FROM occurrence GROUP BY observable HAVING count(DISTINCT record) > ?1
                   ORDER BY count(DISTINCT record) DESC, observable LIMIT ?2";
        let numbers = reader.all(sql, &params![records, most], |row| row.get::<i64>(0))?;
        let mut found = Vec::with_capacity(numbers.len());
        for number in numbers {
            let sql = "SELECT type, value FROM observable WHERE id = ?1";
            let (ty, value) =
                reader.one(sql, &params![number], |row| Ok((row.get::<u16>(0)?, row.get::<String>(1)?)))?;
            let ty = Type::by_code(ty).ok_or_else(|| StoreError::damaged("an unknown observable type"))?;
            if ty.row().privacy == Privacy::None {
                found.push(Observable::from_store(ty, value));
            }
        }
        Ok(found)
    }
}
