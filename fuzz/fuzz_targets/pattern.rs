//! Any text as a pattern, any JSON as observations: what is read is printed and read again as the same,
//! and a stream finds what the pattern finds alone.
#![no_main]

use libfuzzer_sys::fuzz_target;
use manara_pattern::{Batch, Mode, Outcome, Watch, explain, matches, parse};

fuzz_target!(|input: (bool, &str, &str)| {
    let (tolerant, text, data) = input;
    let mode = if tolerant { Mode::Tolerant } else { Mode::Strict };
    let pattern = match parse(text, mode) {
        Ok(pattern) => pattern,
        Err(error) => {
            assert!(error.span().start <= text.len() && !error.to_string().is_empty());
            return;
        }
    };
    let printed = pattern.to_string();
    // Escapes can make a text that was near the limit longer than it.
    if printed.len() <= manara_pattern::MAX_LENGTH {
        assert_eq!(parse(&printed, mode).as_ref(), Ok(&pattern), "{text:?} as {printed:?}");
    }
    let _ = (explain(&pattern), pattern.warnings(), pattern.atoms().count());
    let Ok(batch) = Batch::read(data, mode) else { return };
    let alone = matches(&pattern, &batch);
    let mut watch = Watch::new(std::slice::from_ref(&pattern));
    watch.observe(&batch, &mut |_| {});
    watch.finish(&mut |_| {});
    let Some(report) = watch.report(0) else { return };
    if alone.outcome != Outcome::GaveUp && report.gave_up == 0 && report.forgotten == 0 {
        assert_eq!(report.matched, alone.matched(), "{printed} on {data}");
    }
});
