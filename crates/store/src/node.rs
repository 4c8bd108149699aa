//! The node itself: its identifier, name, key and first organisation.

use crate::engine::{Conn, FILE, Place, Use, params};
use crate::facts::PSEUDONYM_KEY;
use crate::people::{NewAccount, Organisation};
use crate::seal::{self, KEY_FILE};
use crate::tx::Tx;
use crate::{Result, Store, StoreError, audit, secret};
use manara_model::OrgId;
use manara_model::role::Role;
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

impl Store {
    /// Makes a node: store, key, organisation and administrator.
    ///
    /// # Errors
    /// [`StoreError::NodeExists`], [`StoreError::Invalid`] for a bad country or e-mail, and the engine's.
    pub fn init(place: impl Into<Place>, org: &str, country: &str, admin: &str) -> Result<(Store, Made)> {
        Self::init_for(place, Organisation::new(org, country, true)?, admin)
    }

    /// The same for an organisation that is known elsewhere: it keeps its identifier.
    ///
    /// # Errors
    /// As [`Store::init`].
    pub fn init_for(place: impl Into<Place>, organisation: Organisation, admin: &str) -> Result<(Store, Made)> {
        if organisation.uuid.0.is_nil() {
            return Err(StoreError::Invalid("an identifier of zeros is nobody's; give the organisation's own".into()));
        }
        crate::people::check_email(admin)?;
        let store = Store::create(place)?;
        let (node, pseudonyms) = (Uuid::new_v4(), store.seal.close(PSEUDONYM_KEY, &secret::token(43)?)?);
        let new = organisation.clone();
        store.write(move |tx| {
            set(tx, "node", &node.to_string())?;
            set(tx, PSEUDONYM_KEY, &pseudonyms)?;
            set(tx, "org", &new.uuid.to_string())?;
            audit::append(tx, "cli", "node.init", &node.to_string(), &new.name)?;
            tx.facts_changed();
            new.insert(tx, "cli")
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

    /// The first schema kept the key of pseudonyms as it is.
    pub(crate) fn seal_old(&self) -> Result<()> {
        match get(&*self.reader()?, PSEUDONYM_KEY)? {
            Some(open) if !seal::is_sealed(&open) => {
                let sealed = self.seal.close(PSEUDONYM_KEY, &open)?;
                self.write(move |tx| {
                    tx.facts_changed();
                    set(tx, PSEUDONYM_KEY, &sealed)
                })
            }
            _ => Ok(()),
        }
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

/// Was a node begun here that never got its identity? Then nothing can have been taken in.
pub(crate) fn is_unfinished(place: &Place) -> Result<bool> {
    if place.database.is_none() && !place.folder.join(FILE).exists() {
        return Ok(false);
    }
    let conn = Conn::open(place, Use::Write)?;
    Ok(conn.schema_version()? > 0 && get(&conn, "node")?.is_none())
}

pub(crate) fn set(tx: &Tx<'_>, key: &str, value: &str) -> Result<()> {
    tx.execute(
        "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        &params![key, value],
    )
    .map(drop)
}

pub(crate) fn get(conn: &Conn, key: &str) -> Result<Option<String>> {
    conn.first("SELECT value FROM meta WHERE key = ?1", &params![key], |row| row.get(0))
}

/// The Ed25519 secret key (RFC 8032 §5.1.5: any 32 random bytes), readable by its owner only; one that is
/// there already is kept.
pub(crate) fn write_key(folder: &Path) -> Result<()> {
    use std::io::Write;
    let path = &folder.join(KEY_FILE);
    if path.exists() {
        return Ok(());
    }
    let io = |source| StoreError::Io { path: path.to_path_buf(), source };
    let hex = seal::to_hex(&secret::random::<32>()?);
    // Whole under its name, or not there.
    let part = folder.join("node.key.part");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&part).map_err(io)?;
    file.write_all(hex.as_bytes()).map_err(io)?;
    file.sync_all().map_err(io)?;
    std::fs::rename(&part, path).map_err(io)
}
