//! Any text as a value: what it is taken for reads the same when it is read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use manara_model::observable::guess;

fuzz_target!(|text: &str| {
    if let Some(observable) = guess(text) {
        let again = guess(observable.value());
        assert!(
            again.as_ref().is_none_or(|again| again.ty() != observable.ty() || again.value() == observable.value()),
            "{text:?} is {observable:?}, and that is {again:?}"
        );
        let _ = observable.reach();
    }
});
