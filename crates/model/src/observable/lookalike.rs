//! Names that look alike: the skeleton of UTS 39 §4, and a folding of our own for Arabic script and
//! for the letters of Kazakh and Urdu, which the skeleton keeps apart.

use unicode_normalization::UnicodeNormalization;
use unicode_security::confusable_detection::skeleton;

/// The key under which two names meet that a hurried reader takes for each other.
#[must_use]
pub fn lookalike(name: &str) -> String {
    let lower: String = name.chars().flat_map(char::to_lowercase).collect();
    // Folded first, so that the skeleton sees one letter; and again, since it may bring marks in.
    let folded: String = lower.nfkd().filter_map(fold).collect();
    let bones: String = skeleton(&folded).collect();
    let bones: String = bones.chars().flat_map(char::to_lowercase).collect();
    // The skeleton writes ش as س and three dots: those dots are no vowel mark, and stay.
    bones.nfkd().filter_map(|c| if is_arabic_mark(c) { Some(c) } else { fold(c) }).collect()
}

/// Vowels and Quranic signs.
fn is_arabic_mark(c: char) -> bool {
    matches!(c, '\u{064b}'..='\u{065f}' | '\u{0670}' | '\u{06d6}'..='\u{06ed}' | '\u{0610}'..='\u{061a}')
}

/// One letter for each family of letters; `None` for what is not seen as a letter of its own.
fn fold(c: char) -> Option<char> {
    Some(match c {
        // Marks: Arabic vowels and Quranic signs, combining diacritics, tatweel, joiners, directions.
        c if is_arabic_mark(c) => return None,
        '\u{0300}'..='\u{036f}' | '\u{0640}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' => return None,
        '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{00ad}' => return None,
        // Hamza and its carriers.
        'آ' | 'أ' | 'إ' | 'ٱ' | 'ٲ' | 'ٳ' => 'ا',
        'ؤ' | 'ٶ' => 'و',
        'ئ' | 'ى' | 'ی' | 'ۍ' | 'ێ' | 'ې' | 'ے' | 'ۓ' | 'ٸ' => 'ي',
        'ء' => return None,
        // Teh marbuta, the hehs of Urdu and Persian.
        'ة' | 'ۃ' | 'ہ' | 'ھ' | 'ە' | 'ۀ' | 'ۂ' => 'ه',
        // Kafs.
        'ک' | 'ڪ' | 'ګ' | 'ڬ' => 'ك',
        'ۋ' | 'ۇ' | 'ۆ' | 'ۈ' => 'و',
        'ں' => 'ن',
        'ٹ' => 'ت',
        'ڈ' => 'د',
        'ڑ' => 'ر',
        // Kazakh Cyrillic beside Russian.
        'қ' | 'ҡ' => 'к',
        'ғ' => 'г',
        'ң' => 'н',
        'ұ' | 'ү' => 'у',
        'ө' => 'о',
        'ә' => 'а',
        'һ' => 'h',
        'в' | 'ʙ' => 'b',
        'і' | 'ї' => 'i',
        'ё' => 'е',
        'й' => 'и',
        // Turkish, Azerbaijani.
        'ı' => 'i',
        'ə' => 'e',
        'ø' => 'o',
        'ł' => 'l',
        'đ' => 'd',
        // Digits of Arabic script.
        '\u{0660}'..='\u{0669}' => char::from(b'0' + (u32::from(c) - 0x0660) as u8),
        '\u{06f0}'..='\u{06f9}' => char::from(b'0' + (u32::from(c) - 0x06f0) as u8),
        _ => c,
    })
}
