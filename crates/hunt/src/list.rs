//! Lists of values: one a line, of any type, defanged or not.

use manara_matching::{Builder, Kind};
use manara_model::observable::{Observable, is_local, listed, split_remark};

/// What stands on a line before a remark; `None` where that is nothing, or the machine's own name in a hosts file.
#[must_use]
pub fn value(line: &str) -> Option<&str> {
    let (value, _) = split_remark(line);
    let known = !value.is_empty() && (!is_local(value) || !listed(value).is_empty());
    known.then_some(value)
}

/// Adds what a line says; whether it is something that logs can be searched for comes back.
pub fn add(builder: &mut Builder, value: &str) -> bool {
    let known = |o: Observable| Some((Kind::by_name(o.ty().name())?, o.value().to_owned()));
    let mut all: Vec<(Kind, String)> = listed(value).into_iter().filter_map(known).collect();
    if all.is_empty() {
        all.extend(manara_matching::guess(value).map(|kind| (kind, value.to_owned())));
    }
    let added = all.iter().filter(|(kind, value)| builder.add(*kind, value).is_ok()).count();
    added > 0
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test that can't go on has failed
mod tests {
    use super::*;
    use manara_matching::Index;

    #[test]
    fn lists_are_read_as_import_reads_them() {
        let text = "; a remark\n! one more\n// and one\n# 1.1.1.1\n1.2.3.4\t7\n0.0.0.0 one.example two.example ; why\n\
                    127.0.0.1 localhost\n::1 ip6-localhost\nhttp://evil.example/a#b // why\n*.below.example\tx\n???\n";
        let mut builder = Builder::new();
        let values: Vec<&str> = text.lines().filter_map(value).collect();
        let refused: Vec<&&str> = values.iter().filter(|value| !add(&mut builder, value)).collect();
        assert_eq!(refused, [&"???"]);
        let index = Index::from_bytes(builder.finish()).unwrap();
        let found: Vec<&str> = (0..index.len()).map(|n| index.text(n)).collect();
        assert_eq!(found, ["1.2.3.4", "one.example", "two.example", "http://evil.example/a", "*.below.example"]);
    }
}
