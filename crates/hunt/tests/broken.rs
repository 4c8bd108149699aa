//! Logs that are cut, broken or not there: what can be read is searched, the rest is named, the others go on.

#![allow(clippy::unwrap_used)] // a test that can't go on has failed

mod house;

use house::{Asked, index, pack, write};
use std::path::PathBuf;

fn text() -> String {
    let line = |n: u32| format!("{n} {}\n", u64::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    "evil.example\n".to_owned() + &(0..60_000).map(line).collect::<String>() + "evil.example\n"
}

#[test]
fn what_came_before_a_broken_end_is_searched_and_the_next_log_too() {
    let (index, folder) = (index(&["evil.example"]), tempfile::tempdir().unwrap());
    let text = text();
    for end in ["gz", "zst", "bz2", "xz"] {
        let whole = pack(end, text.as_bytes());
        let half = whole.len() / 2;
        let cut = write(folder.path(), &format!("cut.{end}"), &whole[..half]);
        let mut bytes = whole.clone();
        bytes[half..half + 64].iter_mut().for_each(|b| *b ^= 0x55);
        let broken = write(folder.path(), &format!("broken.{end}"), &bytes);
        let sound = write(folder.path(), &format!("sound.{end}"), &whole);
        let followed = write(folder.path(), &format!("followed.{end}"), &[&whole[..], b"something else"].concat());
        let told = Asked::default().of(&index, &[cut, broken, sound, followed]);
        let of = |name: &str| told.out.lines().filter(|line| line.contains(&format!("{name}.{end}:"))).count();
        // bzip2 checks blocks as a whole: its first one may be lost.
        let least = usize::from(end != "bz2");
        assert!((least..2).contains(&of("cut")) && (least..3).contains(&of("broken")), "{end}: {}", told.out);
        assert_eq!((of("sound"), of("followed")), (2, 2), "{end}");
        assert_eq!(told.words.len(), 3, "{end}: {:?}", told.words);
        assert_eq!((told.tally.totals.errors, told.tally.errors.len(), told.tally.totals.files), (3, 3, 4));
        let offset =
            |word: &str| word.split("byte ").nth(1).unwrap().split(' ').next().unwrap().parse::<usize>().unwrap();
        assert!(told.words[0].contains("cut short") && offset(&told.words[0]) <= half, "{:?}", told.words);
        assert!(told.words[1].contains("is broken near"), "{end}: {:?}", told.words);
        assert!(offset(&told.words[1]) + (256 << 10) > half, "{end}: {:?}", told.words);
        assert!(told.words[2].contains(&format!("followed.{end}")), "{:?}", told.words);
    }
}

#[test]
fn bytes_that_are_changed_anywhere_are_an_error_or_other_text_and_never_more() {
    let (index, folder) = (index(&["evil.example"]), tempfile::tempdir().unwrap());
    let text: String = text().chars().take(20_000).collect();
    let mut names = Vec::new();
    for end in ["gz", "zst", "bz2", "xz"] {
        let whole = pack(end, text.as_bytes());
        for n in 0..120_usize {
            let mut bytes = whole.clone();
            // Headers more often than what follows.
            let at = if n < 60 { n } else { n * whole.len() / 121 };
            bytes[at] ^= 1 << (n % 8) | 0x10;
            names.push(write(folder.path(), &format!("{n}.{end}"), &bytes));
            names.push(write(folder.path(), &format!("{n}.cut.{end}"), &whole[..at]));
        }
    }
    let told = Asked::default().of(&index, &names);
    assert_eq!(told.tally.totals.files, names.len() as u64);
    assert!(told.tally.totals.errors > names.len() as u64 / 2, "{:?}", told.tally.totals);
}

#[test]
fn padding_and_empty_members_are_no_errors() {
    let (index, folder) = (index(&["evil.example"]), tempfile::tempdir().unwrap());
    let mut names: Vec<PathBuf> = Vec::new();
    for end in ["gz", "zst", "bz2", "xz"] {
        let member = pack(end, b"evil.example\n");
        let members = [pack(end, b""), member.clone(), pack(end, b""), member].concat();
        names.push(write(folder.path(), &format!("members.{end}"), &members));
        names.push(write(folder.path(), &format!("empty.{end}"), &pack(end, b"")));
        if ["gz", "xz"].contains(&end) {
            names.push(write(folder.path(), &format!("padded.{end}"), &[members, vec![0; 512]].concat()));
        }
    }
    names.push(write(folder.path(), "nothing", b""));
    names.push(write(folder.path(), "text", b"BZh91 evil.example"));
    let told = Asked::default().of(&index, &names);
    assert_eq!(told.words, [""; 0]);
    assert_eq!((told.tally.totals.hits, told.tally.totals.files), (2 * 6 + 1, 12));
}

#[test]
fn xz_that_wants_too_much_memory_is_refused() {
    let (index, folder) = (index(&["evil.example"]), tempfile::tempdir().unwrap());
    let mut options = lzma_rust2::XzOptions::with_preset(0);
    options.lzma_options.dict_size = 128 << 20;
    let mut writer = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
    std::io::Write::write_all(&mut writer, b"evil.example\n").unwrap();
    let log = write(folder.path(), "wide.xz", &writer.finish().unwrap());
    let told = Asked::default().of(&index, &[log, write(folder.path(), "log", b"evil.example\n")]);
    assert_eq!(told.tally.totals.hits, 1);
    assert!(told.words.len() == 1 && told.words[0].contains("wide.xz"), "{:?}", told.words);
}

#[test]
fn what_is_not_there_is_named_in_its_place() {
    let (index, folder) = (index(&["evil.example"]), tempfile::tempdir().unwrap());
    let log = write(folder.path(), "log", b"evil.example\n");
    let missing = folder.path().join("missing");
    let told = Asked::default().of(&index, &[missing.clone(), log]);
    assert_eq!((told.tally.totals.hits, told.tally.totals.files, told.tally.totals.errors), (1, 1, 1));
    assert!(told.words[0].starts_with(&*missing.to_string_lossy()), "{:?}", told.words);
}

#[test]
fn what_is_no_log_is_an_error_and_what_may_be_one_is_searched_all_the_same() {
    let (index, folder) = (index(&["evil.example"]), tempfile::tempdir().unwrap());
    let picture = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR evil.example";
    // As a database has it: a text here and there.
    let strange = [&[0; 90][..], &[1; 8], b" evil.example ", &[0xfe; 400]].concat().repeat(20);
    let mut names = vec![write(folder.path(), "picture", picture), write(folder.path(), "strange", &strange)];
    for end in ["gz", "zst", "bz2", "xz"] {
        names.push(write(folder.path(), &format!("picture.{end}"), &pack(end, picture)));
        names.push(write(folder.path(), &format!("strange.{end}"), &pack(end, &strange)));
    }
    // Cut by rotation while its writer went on where it was.
    let rotated = [&vec![0; 1 << 20][..], b"evil.example\n"].concat();
    names.push(write(folder.path(), "rotated", &rotated));
    let told = Asked::default().of(&index, &names);
    assert_eq!((told.words.len(), told.tally.totals.errors), (10, 10), "{:?}", told.words);
    for pair in told.words.chunks(2) {
        assert!(pair[0].contains("it is a picture, and was not searched"), "{pair:?}");
        assert!(pair[1].contains("it seems to be no text") && pair[1].contains("was searched"), "{pair:?}");
    }
    assert_eq!((told.tally.totals.hits, told.tally.totals.files), (5 * 20 + 1, 6));
    let counted = Asked { show: manara_hunt::Show::Count, ..Asked::default() }.of(&index, &names[..2]);
    assert!(!counted.out.contains("picture"), "no count is one of nothing: {}", counted.out);
}
