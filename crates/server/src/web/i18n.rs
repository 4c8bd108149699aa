//! Texts of the pages: those of `manara-texts`.

pub(crate) use manara_texts::{Language, Texts, languages};

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_text_that_a_page_asks_for_exists() {
        let said = |key: &&String| Texts::choose(None, None).s(key) != **key;
        let templates = [
            include_str!("../../templates/base.html"),
            include_str!("../../templates/login.html"),
            include_str!("../../templates/macros.html"),
            include_str!("../../templates/search.html"),
            include_str!("../../templates/records.html"),
            include_str!("../../templates/record.html"),
            include_str!("../../templates/import.html"),
            include_str!("../../templates/account.html"),
            include_str!("../../templates/error.html"),
        ];
        let mut used = BTreeSet::new();
        for template in templates {
            for piece in template.split("page.t.").skip(1) {
                if let Some(key) = piece.split('"').nth(1).filter(|_| piece.starts_with(['s', 'c', 'w'])) {
                    used.insert(key.to_owned());
                }
            }
        }
        let rules = include_str!("record.rs").split('"').filter(|text| text.starts_with("why-"));
        used.extend(rules.map(str::to_owned));
        let done = include_str!("account.rs").split('"').filter(|text| text.starts_with("account-"));
        used.extend(done.map(str::to_owned));
        assert!(used.len() > 50);
        let missing: Vec<_> = used.iter().filter(|key| !said(key)).collect();
        // `code()` and `direction()` take no text: what follows them is an attribute.
        let missing: Vec<_> = missing.into_iter().filter(|key| key.contains('-')).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
