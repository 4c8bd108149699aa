//! Any bytes through any reader: the first byte chooses it, 0 lets the program find out.
#![no_main]

use libfuzzer_sys::fuzz_target;
use manara_formats::{Input, Limits, detect, formats, read};
use manara_model::record::{PartDraft, RecordDraft, Rejection, Sink};
use std::convert::Infallible;

struct Nothing;

impl Sink for Nothing {
    type Error = Infallible;
    fn begin(&mut self, _: RecordDraft) -> Result<bool, Infallible> {
        Ok(true)
    }
    fn part(&mut self, _: PartDraft) -> Result<(), Infallible> {
        Ok(())
    }
    fn end(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
    fn abandon(&mut self) {}
    fn reject(&mut self, _: Rejection) {}
    fn warn(&mut self, _: Rejection) {}
}

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let limits = Limits { bytes: 1 << 20, document: 1 << 20, ..Limits::default() };
    let Ok(mut input) = Input::from_reader("input", bytes, limits) else { return };
    let readers: Vec<_> = formats().iter().filter(|format| format.reads).collect();
    let format = match usize::from(*choice) % (readers.len() + 1) {
        0 => match detect(&mut input) {
            Ok(format) => format,
            Err(_) => return,
        },
        n => readers[n - 1],
    };
    let _ = read(format, &mut input, &mut Nothing);
});
