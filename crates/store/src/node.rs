//! The node itself: its identifier, name, key and first organisation.

use crate::people::{NewAccount, Organisation};
use crate::{Result, Store, StoreError, audit, facts, secret};
use manara_model::OrgId;
use manara_model::role::Role;
use rusqlite::{Connection, OptionalExtension};
use std::path::Path;
use uuid::Uuid;

/// What `manara init` shows once.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Made {
    /// The node's identifier.
    pub node: Uuid,
    /// Its organisation.
    pub org: Organisation,
    /// The administrator's e-mail.
    pub admin: String,
    /// Generated, and nowhere else to be read again.
    pub password: String,
    /// Likewise.
    pub api_key: String,
}

/// Name of the node's signing key in the data folder: 32 bytes in hex, mode 0600.
pub const KEY_FILE: &str = "node.key";

impl Store {
    /// Makes a node: store, key, organisation and administrator.
    ///
    /// # Errors
    /// [`StoreError::NodeExists`], [`StoreError::Invalid`] for a bad country or e-mail, and the engine's.
    pub fn init(folder: &Path, org: &str, country: &str, admin: &str) -> Result<(Store, Made)> {
        let organisation = Organisation::new(org, country, true)?;
        crate::people::check_email(admin)?;
        let store = Store::create(folder)?;
        write_key(&folder.join(KEY_FILE))?;
        let (node, pseudonyms) = (Uuid::new_v4(), secret::token(43)?);
        let new = organisation.clone();
        store.write(move |conn| {
            set(conn, "node", &node.to_string())?;
            set(conn, "pseudonym_key", &pseudonyms)?;
            set(conn, "org", &new.uuid.to_string())?;
            new.insert(conn, "cli")?;
            audit::append(conn, "cli", "node.init", &node.to_string(), &new.name)?;
            facts::changed(conn)
        })?;
        let account =
            store.add_account("cli", NewAccount { org: organisation.uuid, email: admin.into(), role: Role::Admin })?;
        let made = Made {
            node,
            org: organisation,
            admin: account.email,
            password: account.password,
            api_key: account.api_key,
        };
        Ok((store, made))
    }

    /// The node's identifier.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where it is missing.
    pub fn node(&self) -> Result<Uuid> {
        let text = get(&*self.reader()?, "node")?;
        text.and_then(|text| text.parse().ok()).ok_or_else(|| StoreError::damaged("the node has no identifier"))
    }

    /// The organisation that runs the node.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where it is missing.
    pub fn node_org(&self) -> Result<OrgId> {
        let text = get(&*self.reader()?, "org")?;
        text.and_then(|text| text.parse().ok())
            .map(OrgId)
            .ok_or_else(|| StoreError::damaged("the node has no organisation"))
    }
}

fn set(conn: &Connection, key: &str, value: &str) -> Result<()> {
    conn.execute(
        "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2",
        (key, value),
    )?;
    Ok(())
}

fn get(conn: &Connection, key: &str) -> Result<Option<String>> {
    Ok(conn.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0)).optional()?)
}

/// The Ed25519 secret key (RFC 8032 §5.1.5: any 32 random bytes), readable by its owner only.
fn write_key(path: &Path) -> Result<()> {
    use std::io::Write;
    let io = |source| StoreError::Io { path: path.to_path_buf(), source };
    let hex: String = secret::random::<32>()?.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(io)?;
    file.write_all(hex.as_bytes()).map_err(io)?;
    file.sync_all().map_err(io)
}
