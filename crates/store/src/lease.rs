//! Work that only one process at a time may do: whoever has the lease does it, and when that process
//! dies the lease ends by itself. And the lock that keeps two nodes out of one folder.

use crate::engine::params;
use crate::{Result, Store, StoreError};
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::time::Duration;

/// Held while a node serves its folder; the operating system lets go of it with the process.
#[derive(Debug)]
pub struct Serving {
    _lock: Option<File>,
}

impl Store {
    /// Takes a lease, or prolongs one's own; false: another process has it.
    ///
    /// # Errors
    /// The engine's.
    pub fn lease(&self, name: &str, holder: &str, time: Duration) -> Result<bool> {
        let (name, holder) = (name.to_owned(), holder.to_owned());
        let now = jiff::Timestamp::now().as_millisecond();
        let until = now.saturating_add(i64::try_from(time.as_millis()).unwrap_or(i64::MAX));
        self.write(move |tx| {
            tx.execute(
                "INSERT INTO lease (name, holder, until) VALUES (?1, ?2, ?3)
                 ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
                 WHERE lease.holder = excluded.holder OR lease.until < ?4",
                &params![&name, &holder, until, now],
            )
            .map(|rows| rows > 0)
        })
    }

    /// Gives a lease back.
    ///
    /// # Errors
    /// The engine's.
    pub fn release(&self, name: &str, holder: &str) -> Result<()> {
        let (name, holder) = (name.to_owned(), holder.to_owned());
        self.write(move |tx| {
            tx.execute("DELETE FROM lease WHERE name = ?1 AND holder = ?2", &params![&name, &holder]).map(drop)
        })
    }

    /// Makes sure that no other node serves this folder. Several may serve one database server.
    ///
    /// # Errors
    /// [`StoreError::Served`], or what the file system says.
    pub fn serving(&self) -> Result<Serving> {
        if self.place().database.is_some() {
            return Ok(Serving { _lock: None });
        }
        let path = self.folder().join("manara.lock");
        let io = |source| StoreError::Io { path: path.clone(), source };
        let mut file = File::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut process = String::new();
                let _ = file.read_to_string(&mut process);
                return Err(StoreError::Served(self.folder().to_path_buf(), process.trim().to_owned()));
            }
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(io)?;
        Ok(Serving { _lock: Some(file) })
    }
}
