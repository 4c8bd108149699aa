//! Lists of values: one a line, of any type, defanged or not.

use manara_matching::{Builder, Kind};
use manara_model::observable::guess_listed;

/// The value of a line. A remark starts the line, or stands behind a space: URLs have `#` too.
#[must_use]
pub fn value(line: &str) -> Option<&str> {
    let value = line.split(" #").next().unwrap_or_default().trim();
    (!value.is_empty() && !value.starts_with('#')).then_some(value)
}

/// Adds a value; whether it is one that logs can be searched for comes back.
pub fn add(builder: &mut Builder, value: &str) -> bool {
    let known = guess_listed(value).and_then(|o| Some((Kind::by_name(o.ty().name())?, o.value().to_owned())));
    let known = known.or_else(|| Some((manara_matching::guess(value)?, value.to_owned())));
    known.is_some_and(|(kind, value)| builder.add(kind, &value).is_ok())
}
