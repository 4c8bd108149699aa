//! Words for the full-text index, the same for both engines and for what is asked: letters and digits,
//! folded to lower case without accents, vowel signs or stretching, so that "Café" finds "cafe" and
//! an Arabic word is found with and without its marks.

use std::collections::BTreeSet;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Longer words are found by this many of their characters.
const WORD_CHARS: usize = 100;
/// Distinct words of one entry of the index, in bytes: PostgreSQL takes one megabyte.
const ENTRY_BYTES: usize = 256 * 1024;
/// U+0640 stretches Arabic words and means nothing.
const TATWEEL: char = '\u{640}';

/// The folded words of a text, in order.
pub(crate) fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !(c.is_alphanumeric() || is_combining_mark(c) || c == TATWEEL)).filter_map(|word| {
        let folded: String = word
            .nfkd()
            .filter(|c| !is_combining_mark(*c) && *c != TATWEEL)
            .flat_map(char::to_lowercase)
            // What folding brings in besides letters (a fraction's slash) would be syntax elsewhere.
            .filter(|c| c.is_alphanumeric())
            .take(WORD_CHARS)
            .collect();
        (!folded.is_empty()).then_some(folded)
    })
}

/// The distinct words of a text, in as many entries as they need.
pub(crate) fn entries(text: &str) -> Vec<String> {
    let distinct: BTreeSet<String> = words(text).collect();
    let mut entries: Vec<String> = Vec::new();
    for word in distinct {
        match entries.last_mut() {
            Some(entry) if entry.len() + word.len() < ENTRY_BYTES => {
                entry.push(' ');
                entry.push_str(&word);
            }
            _ => entries.push(word),
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_however_they_are_dressed() {
        let found = |text: &str| words(text).collect::<Vec<_>>().join(" ");
        assert_eq!(found("Café—NAÏVE ½ x_y"), "cafe naive 12 x y");
        assert_eq!(found("مُحَمَّد"), found("محمد"));
        assert_eq!(found("العـــربية أخبار"), "العربية اخبار");
        assert_eq!(found("İstanbul"), "istanbul");
        assert_eq!(found("'); DROP TABLE x & !(a | b):*"), "drop table x a b");
    }

    #[test]
    fn many_words_become_several_entries() {
        let text: String = (0..100_000).map(|n| format!("word{n} ")).collect();
        let entries = entries(&text);
        assert!(entries.len() > 1 && entries.iter().all(|entry| entry.len() <= ENTRY_BYTES));
        assert_eq!(entries.iter().map(|entry| entry.split(' ').count()).sum::<usize>(), 100_000);
    }
}
