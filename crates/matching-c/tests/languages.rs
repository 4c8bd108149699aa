//! The library as programs in C and Python see it.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that can't go on has failed

use manara_matching::{Builder, Kind};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where cargo put the library.
fn library() -> PathBuf {
    let deps = std::env::current_exe().unwrap().parent().unwrap().to_owned();
    [deps.join("libmanara_matching_c.so"), deps.parent().unwrap().join("libmanara_matching_c.so")]
        .into_iter()
        .find(|path| path.exists())
        .expect("cargo builds the library before its tests")
}

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn index(folder: &Path) -> PathBuf {
    let mut builder = Builder::new();
    for kind in Kind::all() {
        let value = match kind {
            Kind::Domain => "evil.example",
            Kind::Ipv4 => "192.0.2.7",
            _ => continue,
        };
        builder.add(kind, value).unwrap();
    }
    let path = folder.join("bad.index");
    std::fs::write(&path, builder.finish()).unwrap();
    path
}

const LOG: &str = "one\nGET hxxp://www.EVIL[.]example/x from 192.0.2.7:80\n";

#[test]
#[cfg(target_os = "linux")]
fn a_program_in_c() {
    let folder = tempfile::tempdir().unwrap();
    let (index, program, library) = (index(folder.path()), folder.path().join("scan"), library());
    let built = Command::new("cc")
        .args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-I"])
        .arg(here("include"))
        .arg(here("tests/scan.c"))
        .arg(&library)
        .arg("-o")
        .arg(&program)
        .output()
        .expect("a C compiler is needed to build this workspace");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let run = |index: &Path| {
        let mut program = Command::new(&program);
        program.env("LD_LIBRARY_PATH", library.parent().unwrap()).arg(index).arg(LOG);
        let out = program.output().unwrap();
        (out.status.code(), String::from_utf8(out.stdout).unwrap())
    };
    let told = "2 indicators\n2:12 domain evil.example www.EVIL[.]example\n2:38 ipv4 192.0.2.7 192.0.2.7\n2 hits, 0 in nothing\n";
    assert_eq!(run(&index), (Some(0), told.to_owned()));
    // Why it failed, cut to the room that there is.
    let (code, said) = run(&folder.path().join("nosuch"));
    assert_eq!((code, said.starts_with("error cannot read the index: "), said.len()), (Some(2), true, 6 + 39 + 1));
    let mut bytes = std::fs::read(&index).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&index, bytes).unwrap();
    assert!(run(&index).1.starts_with("error the index is broken: "), "{}", run(&index).1);
    std::fs::write(&index, "no index").unwrap();
    assert_eq!(run(&index), (Some(2), "error this is no index of indicators\n".to_owned()));
}

#[test]
#[cfg(target_os = "linux")]
fn a_program_in_python() {
    let folder = tempfile::tempdir().unwrap();
    let script = r#"
import sys
from manara_matching import Index
with Index(sys.argv[1]) as index:
    print(len(index), [tuple(hit) for hit in index.scan(sys.argv[2].encode())], index.scan(b""), repr(index.text(99)))
for use in (lambda: index.scan(b""), lambda: Index(sys.argv[1] + ".none")):
    try:
        use()
    except (ValueError, OSError) as error:
        print(type(error).__name__, str(error).split("/")[-1])
"#;
    let out = Command::new("python3")
        .env("PYTHONPATH", here("python"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("MANARA_MATCHING_LIBRARY", library())
        .args(["-c", script])
        .arg(index(folder.path()))
        .arg(LOG)
        .output()
        .expect("python3 is needed to test this workspace");
    let said = String::from_utf8(out.stdout).unwrap();
    let wanted = "2 [(2, 12, 'domain', 'evil.example', b'www.EVIL[.]example', 15, 33), \
                  (2, 38, 'ipv4', '192.0.2.7', b'192.0.2.7', 41, 50)] [] ''\n\
                  ValueError the index was closed\nOSError bad.index.none: cannot read the index: ";
    assert!(said.starts_with(wanted), "{said}\n{}", String::from_utf8_lossy(&out.stderr));
}
