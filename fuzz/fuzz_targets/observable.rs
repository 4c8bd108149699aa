//! Any text as a value of any type: its normal form is its own normal form, and guessing does not fail.
#![no_main]

use libfuzzer_sys::fuzz_target;
use manara_model::observable::{Type, guess, normalise};

fuzz_target!(|input: (u16, &str)| {
    let (code, text) = input;
    if let Some(observable) = guess(text) {
        let _ = (observable.reach(), observable.defang(), observable.lookalike());
    }
    let Some(ty) = Type::by_code(code % 256) else { return };
    if let Ok(observable) = normalise(ty, text) {
        let again = normalise(observable.ty(), observable.value());
        assert_eq!(again.as_ref().ok(), Some(&observable), "{text:?} as {}", ty.name());
    }
});
