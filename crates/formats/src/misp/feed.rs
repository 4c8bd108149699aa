//! A MISP feed: a directory with `manifest.json`, `hashes.csv` and one file an event, which any MISP
//! can fetch.

use super::MispWriter;
use crate::writer::{WriteOptions, Writer};
use manara_model::{Cleared, Head, Part};
use md5::{Digest, Md5};
use serde_json::{Map, Value, json};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Writes a feed into a directory.
pub struct FeedWriter {
    folder: PathBuf,
    options: WriteOptions,
    manifest: Map<String, Value>,
    hashes: BufWriter<File>,
    open: Option<(String, Value, MispWriter<BufWriter<File>>)>,
    seen_parts: bool,
}

impl FeedWriter {
    /// A feed in this directory, which is made where it does not exist.
    ///
    /// # Errors
    /// The file system's.
    pub fn new(folder: &Path, options: WriteOptions) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let hashes = BufWriter::new(File::create(folder.join("hashes.csv"))?);
        Ok(FeedWriter { folder: folder.into(), options, manifest: Map::new(), hashes, open: None, seen_parts: false })
    }
}

impl Writer for FeedWriter {
    fn head(&mut self, head: &Cleared<Head>) -> io::Result<()> {
        let uuid = head.uuid.to_string();
        let field =
            |name: &str| serde_json::from_str::<Value>(&head.skeleton).ok().and_then(|body| body.get(name).cloned());
        let date = manara_model::record::rfc3339(head.created.unwrap_or(head.received));
        let entry = json!({
            "info": head.title,
            "Orgc": field("Orgc").unwrap_or_else(|| json!({"name": head.owner_name})),
            "analysis": field("analysis").unwrap_or_else(|| json!("2")),
            "threat_level_id": field("threat_level_id").unwrap_or_else(|| json!("4")),
            "date": date.get(..10),
            "timestamp": (head.modified.unwrap_or(head.received) / 1000).to_string(),
            "Tag": head.tags.iter().map(|name| json!({"name": name})).collect::<Vec<_>>(),
        });
        let file = BufWriter::new(File::create(self.folder.join(format!("{uuid}.json")))?);
        let mut writer = MispWriter::single(file, self.options.clone());
        writer.head(head)?;
        self.seen_parts = head.format == "misp" || matches!(head.kind.as_str(), "list" | "report" | "advisory");
        self.open = Some((uuid, entry, writer));
        Ok(())
    }

    fn part(&mut self, part: &Cleared<Part>) -> io::Result<()> {
        let Some((uuid, _, writer)) = &mut self.open else { return Ok(()) };
        for found in &part.found {
            self.seen_parts = true;
            // By the MD5 of a value those who cache the feed find it again.
            let hash = Md5::digest(found.observable.value().as_bytes());
            let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            writeln!(self.hashes, "{hex},{uuid}")?;
        }
        writer.part(part)
    }

    fn end(&mut self) -> io::Result<()> {
        if let Some((uuid, entry, mut writer)) = self.open.take() {
            writer.end()?;
            writer.finish()?;
            if self.seen_parts {
                self.manifest.insert(uuid, entry);
            } else {
                std::fs::remove_file(self.folder.join(format!("{uuid}.json")))?;
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.hashes.flush()?;
        let manifest = serde_json::to_vec(&self.manifest)?;
        std::fs::write(self.folder.join("manifest.json"), manifest)
    }

    fn held_back(&self) -> crate::HeldBack {
        crate::HeldBack::default()
    }
}
