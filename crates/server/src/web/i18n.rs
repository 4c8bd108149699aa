//! Texts of the pages: Fluent files, one folder a language, compiled in.

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use std::sync::LazyLock;
use unic_langid::LanguageIdentifier;

/// A language of the pages.
pub(crate) struct Language {
    pub(crate) code: &'static str,
    /// In the language itself.
    pub(crate) name: &'static str,
    direction: &'static str,
    bundle: FluentBundle<FluentResource>,
}

/// A handle on a language, for templates.
#[derive(Clone, Copy)]
pub(crate) struct Texts(&'static Language);

static LANGUAGES: LazyLock<Vec<Language>> = LazyLock::new(|| {
    vec![
        language("en", "English", "ltr", include_str!("../../../../locales/en/main.ftl")),
        language("ar", "العربية", "rtl", include_str!("../../../../locales/ar/main.ftl")),
        language("fr", "Français", "ltr", include_str!("../../../../locales/fr/main.ftl")),
    ]
});

fn language(code: &'static str, name: &'static str, direction: &'static str, source: &str) -> Language {
    let id: LanguageIdentifier = code.parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![id]);
    // Isolation marks are put by the pages' <bdi>, where they belong.
    bundle.set_use_isolating(false);
    // What can't be read is missing, and the test of missing texts fails.
    let resource = FluentResource::try_new(source.to_owned()).unwrap_or_else(|(resource, _)| resource);
    bundle.add_resource_overriding(resource);
    Language { code, name, direction, bundle }
}

/// All languages.
pub(crate) fn languages() -> &'static [Language] {
    &LANGUAGES
}

impl Texts {
    /// The language chosen by cookie, else the first that the browser asks for, else English.
    pub(crate) fn choose(chosen: Option<&str>, accepted: Option<&str>) -> Self {
        let wanted = chosen.into_iter().chain(accepted.unwrap_or_default().split(','));
        let mut codes = wanted.filter_map(|tag| tag.trim().split(['-', ';']).next());
        let found = codes.find_map(|code| languages().iter().find(|language| language.code.eq_ignore_ascii_case(code)));
        Texts(found.unwrap_or(&LANGUAGES[0]))
    }

    pub(crate) fn code(&self) -> &'static str {
        self.0.code
    }

    pub(crate) fn direction(&self) -> &'static str {
        self.0.direction
    }

    /// A text.
    pub(crate) fn s(&self, key: &str) -> String {
        self.format(key, None)
    }

    /// A text with one named value.
    pub(crate) fn with(&self, key: &str, name: &str, value: &str) -> String {
        let mut args = FluentArgs::new();
        args.set(name.to_owned(), value.to_owned());
        self.format(key, Some(&args))
    }

    /// A text with a number, `$count`.
    pub(crate) fn count(&self, key: &str, count: impl Into<Number>) -> String {
        let mut args = FluentArgs::new();
        args.set("count", FluentValue::from(count.into().0));
        self.format(key, Some(&args))
    }

    /// A text with several named numbers.
    pub(crate) fn numbers(&self, key: &str, numbers: &[(&'static str, i64)]) -> String {
        let mut args = FluentArgs::new();
        for (name, number) in numbers {
            args.set(*name, FluentValue::from(*number));
        }
        self.format(key, Some(&args))
    }

    fn format(&self, key: &str, args: Option<&FluentArgs<'_>>) -> String {
        let pattern = self.0.bundle.get_message(key).and_then(|message| message.value());
        match pattern {
            Some(pattern) => self.0.bundle.format_pattern(pattern, args, &mut Vec::new()).into_owned(),
            None => key.to_owned(),
        }
    }
}

/// A count from whatever templates have (references included).
pub(crate) struct Number(i64);

impl From<&i64> for Number {
    fn from(n: &i64) -> Self {
        Number(*n)
    }
}

impl From<i64> for Number {
    fn from(n: i64) -> Self {
        Number(n)
    }
}

impl From<usize> for Number {
    fn from(n: usize) -> Self {
        Number(i64::try_from(n).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn keys(code: &str) -> BTreeSet<String> {
        let source = match code {
            "en" => include_str!("../../../../locales/en/main.ftl"),
            "ar" => include_str!("../../../../locales/ar/main.ftl"),
            _ => include_str!("../../../../locales/fr/main.ftl"),
        };
        let key = |line: &str| line.split_once(" =").map(|(key, _)| key.to_owned());
        source.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase())).filter_map(key).collect()
    }

    #[test]
    fn every_language_has_every_text_and_can_say_it() {
        let english = keys("en");
        assert!(english.len() > 50);
        for language in languages() {
            assert_eq!(keys(language.code), english, "{}", language.code);
            for key in &english {
                let text = Texts(language).count(key, 3_i64);
                assert_ne!(&text, key, "{} has no text for {key}", language.code);
            }
        }
    }

    #[test]
    fn every_text_that_a_page_asks_for_exists() {
        let english = keys("en");
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
        let missing: Vec<_> = used.difference(&english).collect();
        // `code()` and `direction()` take no text: what follows them is an attribute.
        let missing: Vec<_> = missing.into_iter().filter(|key| key.contains('-')).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn arabic_counts_in_six_ways() {
        let arabic = Texts::choose(Some("ar"), None);
        let forms: BTreeSet<String> = [0_i64, 1, 2, 3, 11, 100]
            .iter()
            .map(|n| arabic.count("answer-records", *n).replace(|c: char| c.is_ascii_digit(), ""))
            .collect();
        assert_eq!(forms.len(), 6);
    }
}
