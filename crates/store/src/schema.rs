//! Migrations: forward only, numbered, each in a transaction of its own.

use crate::{Result, StoreError, engine};
use rusqlite::Connection;

const MIGRATIONS: &[&str] = &[include_str!("../migrations/0001_first.sql")];

/// Brings a store to the newest schema.
pub(crate) fn migrate(conn: &mut Connection) -> Result<()> {
    let known = MIGRATIONS.len() as i64;
    let found = engine::schema_version(conn)?;
    if found > known {
        return Err(StoreError::TooNew { found, known });
    }
    for (number, sql) in (1i64..).zip(MIGRATIONS).skip(usize::try_from(found).unwrap_or(0)) {
        let tx = conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        // Another process may have been faster.
        if engine::schema_version(&tx)? < number {
            tx.execute_batch(sql)?;
            engine::set_schema_version(&tx, number)?;
            tx.commit()?;
        }
    }
    Ok(())
}
