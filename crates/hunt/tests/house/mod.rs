//! A search as a test sees it: an index, logs, and what was written.
#![allow(dead_code, unreachable_pub)]

use manara_hunt::{
    Allow, Days, Format, Hosts, Hunt, Indexes, Printer, Show, Standing, Style, Tally, Telling, Walk, Wants, Watch,
};
use manara_matching::{Builder, Index};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

pub fn index(values: &[&str]) -> Index {
    let mut builder = Builder::new();
    for value in values {
        assert!(manara_hunt::list::add(&mut builder, value), "{value}");
    }
    Index::from_bytes(builder.finish()).unwrap()
}

/// What was said.
#[derive(Debug, Default)]
pub struct Words(pub Vec<String>);

impl Watch for Words {
    fn word(&mut self, text: &str) {
        self.0.push(text.to_owned());
    }
    fn standing(&mut self, _: &Standing<'_>) {}
}

pub struct Asked<'a> {
    pub format: Format,
    pub show: Show,
    pub context: Option<usize>,
    pub threads: usize,
    pub allow: Option<&'a Allow>,
    pub tally: bool,
}

impl Default for Asked<'_> {
    fn default() -> Self {
        Asked { format: Format::Text, show: Show::Hits, context: None, threads: 2, allow: None, tally: true }
    }
}

pub struct Told {
    pub out: String,
    pub tally: Tally,
    pub words: Vec<String>,
}

impl Asked<'_> {
    pub fn of(&self, index: &Index, logs: &[PathBuf]) -> Told {
        self.of_several(std::slice::from_ref(index), logs)
    }

    pub fn of_several(&self, indexes: &[Index], logs: &[PathBuf]) -> Told {
        let indexes = Indexes::new(indexes);
        let (hosts, stop) = (Hosts::new(), AtomicBool::new(false));
        let wants = Wants { field: self.format != Format::Text, tally: self.tally, context: self.context };
        let days = Days::until(jiff::civil::date(2026, 1, 15));
        let hunt = Hunt { indexes, threads: self.threads, wants, allow: self.allow, hosts: &hosts, days, stop: &stop };
        let style =
            Style { format: self.format, show: self.show, context: self.context, header: true, safe: str::to_owned };
        let mut words = Words::default();
        let mut telling = Telling::new(indexes, Printer::new(Vec::new(), style).unwrap(), self.tally, &mut words);
        hunt.run(Walk::new(logs), &|_| Some(Default::default()), &mut telling).unwrap();
        let (mut printer, mut tally) = telling.finish();
        tally.totals.seconds = 0.0;
        Told { out: String::from_utf8(std::mem::take(printer.out())).unwrap(), tally, words: words.0 }
    }
}

/// Packs as a name's end says.
pub fn pack(name: &str, bytes: &[u8]) -> Vec<u8> {
    match name.rsplit('.').next().unwrap() {
        "gz" => {
            let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            writer.write_all(bytes).unwrap();
            writer.finish().unwrap()
        }
        "zst" => {
            let mut writer = zstd::Encoder::new(Vec::new(), 1).unwrap();
            // As the command does; without it a broken byte may go unseen.
            writer.include_checksum(true).unwrap();
            writer.write_all(bytes).unwrap();
            writer.finish().unwrap()
        }
        "bz2" => {
            let mut writer = crabz2::writer(Vec::new(), crabz2::Level::FASTEST);
            writer.write_all(bytes).unwrap();
            writer.finish().unwrap()
        }
        "xz" => {
            let options = lzma_rust2::XzOptions::with_preset(1);
            let mut writer = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
            writer.write_all(bytes).unwrap();
            writer.finish().unwrap()
        }
        _ => bytes.to_vec(),
    }
}

pub fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}
