//! What is said to people, in their language: Fluent files (`locales/`), one folder a language, compiled in. The
//! pages and the report that `manara match` writes take their words from here.
//!
//! What never happens here: a text put together of pieces; an escape for where a text goes, which is whose it is
//! that puts it there.

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use std::sync::LazyLock;
use unic_langid::LanguageIdentifier;

/// A language that people are spoken to in.
pub struct Language {
    /// `en`, `ar`, `fr`.
    pub code: &'static str,
    /// In the language itself.
    pub name: &'static str,
    direction: &'static str,
    bundle: FluentBundle<FluentResource>,
}

/// A handle on a language, for templates.
#[derive(Clone, Copy)]
pub struct Texts(&'static Language);

static LANGUAGES: LazyLock<Vec<Language>> = LazyLock::new(|| {
    vec![language("en", "English", "ltr"), language("ar", "العربية", "rtl"), language("fr", "Français", "ltr")]
});

/// The files of a language: texts of the pages, and of reports.
fn sources(code: &str) -> [&'static str; 2] {
    match code {
        "ar" => [include_str!("../../../locales/ar/main.ftl"), include_str!("../../../locales/ar/match.ftl")],
        "fr" => [include_str!("../../../locales/fr/main.ftl"), include_str!("../../../locales/fr/match.ftl")],
        _ => [include_str!("../../../locales/en/main.ftl"), include_str!("../../../locales/en/match.ftl")],
    }
}

fn language(code: &'static str, name: &'static str, direction: &'static str) -> Language {
    let id: LanguageIdentifier = code.parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![id]);
    // Isolation marks are put by the pages' <bdi>, where they belong.
    bundle.set_use_isolating(false);
    bundle.set_formatter(Some(match code {
        "fr" => |value, _| spelled(value, "fr"),
        _ => |value, _| spelled(value, "en"),
    }));
    // What can't be read is missing, and the test of missing texts fails.
    for source in sources(code) {
        let resource = FluentResource::try_new(source.to_owned()).unwrap_or_else(|(resource, _)| resource);
        bundle.add_resource_overriding(resource);
    }
    Language { code, name, direction, bundle }
}

/// Numbers in texts; everything else is left to Fluent.
fn spelled(value: &FluentValue<'_>, code: &str) -> Option<String> {
    match value {
        FluentValue::Number(number) if number.value.fract() == 0.0 => Some(grouped(number.value as i64, code)),
        _ => None,
    }
}

/// Digits in groups: `12,345`, in French with a narrow space that does not break.
fn grouped(number: i64, code: &str) -> String {
    let digits = number.unsigned_abs().to_string();
    let sign = if number < 0 { "-" } else { "" };
    if digits.len() < 5 {
        return format!("{sign}{digits}");
    }
    let between = if code == "fr" { '\u{202f}' } else { ',' };
    let mut out = sign.to_owned();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(between);
        }
        out.push(digit);
    }
    out
}

/// All languages.
#[must_use]
pub fn languages() -> &'static [Language] {
    &LANGUAGES
}

impl Texts {
    /// The language that was chosen, else the first of those that are accepted (divided by commas), else English.
    #[must_use]
    pub fn choose(chosen: Option<&str>, accepted: Option<&str>) -> Self {
        let wanted = chosen.into_iter().chain(accepted.unwrap_or_default().split(','));
        // `fr-CA;q=0.8` as browsers say it, `fr_CA.UTF-8` as systems do.
        let mut codes = wanted.filter_map(|tag| tag.trim().split(['-', ';', '_', '.']).next());
        let found = codes.find_map(|code| languages().iter().find(|language| language.code.eq_ignore_ascii_case(code)));
        Texts(found.unwrap_or(&LANGUAGES[0]))
    }

    /// Of the language: what `lang=` says.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// `ltr` or `rtl`: what `dir=` says.
    #[must_use]
    pub fn direction(&self) -> &'static str {
        self.0.direction
    }

    /// A text.
    #[must_use]
    pub fn s(&self, key: &str) -> String {
        self.format(key, None)
    }

    /// A text with one named value.
    #[must_use]
    pub fn with(&self, key: &str, name: &str, value: &str) -> String {
        let mut args = FluentArgs::new();
        args.set(name.to_owned(), value.to_owned());
        self.format(key, Some(&args))
    }

    /// A text with a number, `$count`.
    #[must_use]
    pub fn count(&self, key: &str, count: impl Into<Number>) -> String {
        let mut args = FluentArgs::new();
        args.set("count", FluentValue::from(count.into().0));
        self.format(key, Some(&args))
    }

    /// A text with several named numbers.
    #[must_use]
    pub fn numbers(&self, key: &str, numbers: &[(&'static str, i64)]) -> String {
        let mut args = FluentArgs::new();
        for (name, number) in numbers {
            args.set(*name, FluentValue::from(*number));
        }
        self.format(key, Some(&args))
    }

    /// A number as the language writes it, in groups of three digits from ten thousand on.
    #[must_use]
    pub fn number(&self, number: impl Into<Number>) -> String {
        grouped(number.into().0, self.0.code)
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
pub struct Number(i64);

impl<T: Copy + Into<Number>> From<&T> for Number {
    fn from(n: &T) -> Self {
        (*n).into()
    }
}

impl From<u64> for Number {
    fn from(n: u64) -> Self {
        Number(i64::try_from(n).unwrap_or(i64::MAX))
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
        let key = |line: &str| line.split_once(" =").map(|(key, _)| key.to_owned());
        let lines = sources(code).into_iter().flat_map(str::lines);
        lines.filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase())).filter_map(key).collect()
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
    fn long_numbers_have_groups() {
        let say = |code, n: u64| Texts::choose(Some(code), None).number(n);
        assert_eq!(
            (say("en", 9999), say("en", 10_000), say("ar", 1_234_567)),
            ("9999".into(), "10,000".into(), "1,234,567".into())
        );
        assert_eq!(say("fr", 123_456), "123\u{202f}456");
        assert!(Texts::choose(None, None).count("answer-records", 20_000_u64).contains("20,000"));
    }

    #[test]
    fn languages_are_chosen_as_browsers_and_systems_name_them() {
        let choose = |chosen, accepted| Texts::choose(chosen, accepted).code();
        assert_eq!(choose(Some("ar_SA.UTF-8"), None), "ar");
        assert_eq!(choose(None, Some("de, fr-CA;q=0.8, en")), "fr");
        assert_eq!((choose(Some("C.UTF-8"), None), choose(None, None)), ("en", "en"));
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
