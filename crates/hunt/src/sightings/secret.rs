//! Own hosts leave as keyed pseudonyms: the same host is the same pseudonym for whoever holds the key, and nobody
//! without it can find out the host by trying all addresses. The key never leaves.

use manara_model::policy::Redactor;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::IpAddr;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Bytes of a key, as hexadecimal digits in its file.
const KEY: usize = 32;
/// Bytes that a pseudonym adds to a source's name: `, host px-` and 32 hexadecimal digits.
const ADDED: usize = 42;

/// Why a key of pseudonyms cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// It cannot be read or made.
    #[error("{0}: {1}")]
    Io(PathBuf, io::Error),
    /// Others may read it.
    #[error("{0}: others on this machine may read this key: chmod 600")]
    Open(PathBuf),
    /// The file is something else.
    #[error("{0}: a key is {digits} hexadecimal digits; name a file that is not there, and one is made", digits = 2 * KEY)]
    Foreign(PathBuf),
}

/// Makes pseudonyms of own hosts.
#[derive(Clone)]
pub struct HostKey([u8; KEY]);

impl std::fmt::Debug for HostKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HostKey")
    }
}

impl HostKey {
    /// Bytes that it adds to a source's name.
    pub const ADDED: usize = ADDED;

    /// Of a key that is known.
    #[must_use]
    pub fn from_bytes(key: &[u8; KEY]) -> HostKey {
        HostKey(*key)
    }

    /// Reads a key, or makes one where no file is. Whether it was made comes back.
    ///
    /// # Errors
    /// It is no key, others may read it, or it cannot be read or made.
    pub fn open(path: &Path) -> Result<(HostKey, bool), SecretError> {
        match File::open(path) {
            Ok(file) => Ok((HostKey::read(file, path)?, false)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((HostKey::make(path)?, true)),
            Err(error) => Err(SecretError::Io(path.to_owned(), error)),
        }
    }

    fn read(file: File, path: &Path) -> Result<HostKey, SecretError> {
        let io = |error| SecretError::Io(path.to_owned(), error);
        if file.metadata().map_err(io)?.permissions().mode() & 0o077 != 0 {
            return Err(SecretError::Open(path.to_owned()));
        }
        let mut text = String::new();
        let read = file.take(2 * KEY as u64 + 3).read_to_string(&mut text);
        let foreign = || SecretError::Foreign(path.to_owned());
        match read {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(foreign()),
            Err(error) => return Err(io(error)),
        }
        let digits: Option<Vec<u8>> = text.trim_end().chars().map(|c| Some(c.to_digit(16)? as u8)).collect();
        let digits = digits.filter(|digits| digits.len() == 2 * KEY).ok_or_else(foreign)?;
        let mut key = [0; KEY];
        key.iter_mut().zip(digits.chunks(2)).for_each(|(byte, two)| *byte = two[0] << 4 | two[1]);
        Ok(HostKey(key))
    }

    fn make(path: &Path) -> Result<HostKey, SecretError> {
        let io = |error| SecretError::Io(path.to_owned(), error);
        let mut key = [0; KEY];
        getrandom::fill(&mut key).map_err(|error| io(io::Error::other(error.to_string())))?;
        let digits: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(io)?;
        let written = file.write_all(format!("{digits}\n").as_bytes()).and_then(|()| file.sync_all());
        if let Err(error) = written {
            // Half a key would be refused for ever.
            let _ = std::fs::remove_file(path);
            return Err(io(error));
        }
        Ok(HostKey(key))
    }

    /// A source's name with the pseudonym of a host. An IPv4 address is the same as when it is mapped into IPv6.
    #[must_use]
    pub fn source(&self, source: &str, host: IpAddr) -> String {
        let host = host.to_canonical().to_string();
        format!("{source}, host {}", Redactor::new(&self.0).pseudonym("host", &host))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test that can't go on has failed
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_pseudonym_is_the_keys_and_the_hosts() {
        let (one, two) = (HostKey::from_bytes(&[1; KEY]), HostKey::from_bytes(&[2; KEY]));
        let host = |text: &str| text.parse().unwrap();
        let told = one.source("s", host("10.0.0.1"));
        assert_eq!(told.len(), 1 + HostKey::ADDED);
        // Python: hmac.new(b"\1" * 32, b"host\0" + b"10.0.0.1", "sha256").hexdigest()[:32]
        assert_eq!(told, "s, host px-534dc9b83600f9c692277cfb336ab20f");
        assert_eq!(one.source("s", host("::ffff:10.0.0.1")), told);
        assert_ne!(one.source("s", host("10.0.0.2")), told);
        assert_ne!(two.source("s", host("10.0.0.1")), told);
        assert!(!format!("{one:?}").contains('1'), "a key is in no message");
    }

    #[test]
    fn a_key_is_made_once_and_nobody_else_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let (made, new) = HostKey::open(&path).unwrap();
        assert!(new);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let (read, new) = HostKey::open(&path).unwrap();
        assert!(!new);
        assert_eq!(made.0, read.0);
        assert_ne!(HostKey::open(&folder.path().join("other")).unwrap().0.0, made.0);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(HostKey::open(&path), Err(SecretError::Open(_))));
        for text in ["", "00", &"0".repeat(66), &"g".repeat(64)] {
            let path = folder.path().join("foreign");
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            assert!(matches!(HostKey::open(&path), Err(SecretError::Foreign(_))), "{text:?}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text, "and it is left alone");
        }
    }
}
