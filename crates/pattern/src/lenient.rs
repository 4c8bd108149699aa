//! Strict and tolerant: what other tools write although the standard does not have it, by name.

use crate::Span;
use std::fmt;

/// How a pattern is read and matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// As the standard has it.
    #[default]
    Strict,
    /// Also what other tools write; each use is noted.
    Tolerant,
}

impl Mode {
    pub(crate) fn tolerant(self) -> bool {
        self == Mode::Tolerant
    }
}

/// What was let pass in tolerant mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Leniency {
    /// A backslash before something else than a quote or a backslash stands for itself.
    LoneBackslash,
    /// A string in double or typographic quotes.
    Quotes,
    /// A keyword, `true` or `false` in other letter case.
    LetterCase,
    /// A name with a hyphen in a path without quotes: `hashes.SHA-256`.
    UnquotedKey,
    /// Times of START and STOP as plain strings, as STIX 2.0 had them.
    PlainTime,
    /// NOT before the path instead of before the operator.
    LeadingNot,
    /// Constants of several types in one set.
    MixedSet,
    /// A number was compared with a text that is one: `'443'` and `443`.
    NumberLikeText,
    /// A list was looked into without `[*]`.
    ImplicitAny,
    /// `[*]` looked into a dictionary.
    AnyOfDictionary,
    /// A hash, or the name of its algorithm, in another spelling: `SHA256`, capital digits.
    HashSpelling,
    /// A reference to an object that the observation's `object_refs` does not list.
    UnlistedReference,
}

impl Leniency {
    /// A name for programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Leniency::LoneBackslash => "lone-backslash",
            Leniency::Quotes => "quotes",
            Leniency::LetterCase => "letter-case",
            Leniency::UnquotedKey => "unquoted-key",
            Leniency::PlainTime => "plain-time",
            Leniency::LeadingNot => "leading-not",
            Leniency::MixedSet => "mixed-set",
            Leniency::NumberLikeText => "number-like-text",
            Leniency::ImplicitAny => "implicit-any",
            Leniency::AnyOfDictionary => "any-of-dictionary",
            Leniency::HashSpelling => "hash-spelling",
            Leniency::UnlistedReference => "unlisted-reference",
        }
    }
}

impl fmt::Display for Leniency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Leniency::LoneBackslash => "a backslash that escapes nothing was taken for itself; write \\\\",
            Leniency::Quotes => "the string is not in single quotes",
            Leniency::LetterCase => "the word is not in the standard's letter case",
            Leniency::UnquotedKey => "a name with a hyphen needs quotes in a path",
            Leniency::PlainTime => "the time is a plain string; the standard has t'…'",
            Leniency::LeadingNot => "NOT stands before the operator in the standard, not before the path",
            Leniency::MixedSet => "the set has constants of several types",
            Leniency::NumberLikeText => "a number and a text that is one were compared as numbers",
            Leniency::ImplicitAny => "a list was looked into without [*]",
            Leniency::AnyOfDictionary => "[*] looked into a dictionary",
            Leniency::HashSpelling => "a hash or its algorithm's name was compared without regard to spelling",
            Leniency::UnlistedReference => "a reference was followed to an object that object_refs does not list",
        })
    }
}

/// A use of leniency, and the place that needed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Note {
    /// What.
    pub leniency: Leniency,
    /// Where in the pattern.
    pub span: Span,
}
