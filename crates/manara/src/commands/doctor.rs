//! `manara doctor`: what could go wrong, looked for before it does, each finding with what to do.

use crate::cli::{DoctorArgs, Place};
use crate::output;
use crate::settings::{self, Settings};
use manara_store::{KEY_FILE, Store, health};
use serde::Serialize;
use std::path::Path;
use std::process::ExitCode;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Grade {
    Good,
    Look,
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    what: &'static str,
    grade: Grade,
    found: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    advice: String,
}

fn good(what: &'static str, found: impl Into<String>) -> Finding {
    Finding { what, grade: Grade::Good, found: found.into(), advice: String::new() }
}

fn look(what: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Finding {
    Finding { what, grade: Grade::Look, found: found.into(), advice: advice.into() }
}

fn bad(what: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Finding {
    Finding { what, grade: Grade::Bad, found: found.into(), advice: advice.into() }
}

pub(crate) fn run(place: &Place, args: &DoctorArgs) -> anyhow::Result<ExitCode> {
    let settings = Settings::read(place, None)?;
    let location = settings::location(place)?;
    let mut findings = vec![
        permissions(&location.folder, "data folder", 0o077),
        permissions(&location.folder.join(KEY_FILE), "node key", 0o077),
        disk(&location.folder),
        clock(&location.folder),
        files(),
        listening(settings.get("listen")),
        backups(&settings),
    ];
    match Store::open(location) {
        Ok(store) => findings.extend(inside(&store, args.deep)),
        Err(error) => findings.push(bad("store", error.to_string(), "the node can't start before this is mended")),
    }
    let worst = findings.iter().any(|finding| finding.grade == Grade::Bad);
    if args.output.json {
        output::json(&findings)?;
    } else {
        for finding in &findings {
            let mark = match finding.grade {
                Grade::Good => "good",
                Grade::Look => "LOOK",
                Grade::Bad => "BAD ",
            };
            output::line(format!("{mark}  {:<12}  {}", finding.what, output::safe(&finding.found)))?;
            if !finding.advice.is_empty() {
                output::line(format!("{:20}→ {}", "", finding.advice))?;
            }
        }
    }
    Ok(if worst { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

#[cfg(unix)]
fn permissions(path: &Path, what: &'static str, others: u32) -> Finding {
    use std::os::unix::fs::PermissionsExt;
    match std::fs::metadata(path) {
        Err(error) => bad(what, format!("{}: {error}", path.display()), "restore it from a backup"),
        Ok(meta) if meta.permissions().mode() & others != 0 => bad(
            what,
            format!("{} may be read by others (mode {:o})", path.display(), meta.permissions().mode() & 0o777),
            format!("chmod go= {}", path.display()),
        ),
        Ok(_) => good(what, format!("{} is its owner's alone", path.display())),
    }
}

#[cfg(not(unix))]
fn permissions(path: &Path, what: &'static str, _others: u32) -> Finding {
    good(what, path.display().to_string())
}

fn disk(folder: &Path) -> Finding {
    let database = std::fs::metadata(folder.join("manara.db")).map_or(0, |meta| meta.len());
    match health::free(folder) {
        None => look("disk", "free space can't be told here", "watch it yourself"),
        Some(free) => {
            let found = format!("{} MB free, the database has {} MB", free >> 20, database >> 20);
            if free < health::LEAST_FREE {
                bad("disk", found, "make room: the node takes nothing in below 64 MB")
            } else if free < database.saturating_mul(2) {
                look("disk", found, "a backup or an upgrade needs as much again as the database: make room")
            } else {
                good("disk", found)
            }
        }
    }
}

/// Nothing here may reach out to ask for the time; but what was written last can't be of tomorrow.
fn clock(folder: &Path) -> Finding {
    let now = std::time::SystemTime::now();
    let newest = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let newest = newest.filter_map(|entry| entry.metadata().ok()?.modified().ok()).max();
    let time = jiff::Timestamp::now();
    let built = 1_790_000_000; // September 2026
    if time.as_second() < built {
        return bad(
            "clock",
            format!("it is {time} here"),
            "the clock is behind: set it, and keep it set (chrony, systemd-timesyncd)",
        );
    }
    match newest {
        Some(newest) if newest > now + std::time::Duration::from_secs(120) => bad(
            "clock",
            format!("it is {time}, but files here are newer"),
            "the clock went back: set it, and keep it set",
        ),
        _ => good("clock", format!("it is {time}")),
    }
}

fn files() -> Finding {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find(|line| line.starts_with("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().nth(3)).and_then(|number| number.parse::<u64>().ok());
    match soft {
        Some(files) if files < 1024 => look(
            "limits",
            format!("{files} open files"),
            "1024 or more are needed for many clients: ulimit -n, or LimitNOFILE=",
        ),
        Some(files) => good("limits", format!("{files} open files")),
        None => look("limits", "the limit of open files can't be told here", "1024 or more are needed"),
    }
}

fn listening(address: &str) -> Finding {
    let local = address.starts_with("127.") || address.starts_with("localhost") || address.starts_with("[::1]");
    if local {
        good("TLS", format!("{address} is reached from this machine only"))
    } else {
        look(
            "TLS",
            format!("{address} is reached from elsewhere, and the node speaks plain HTTP"),
            "put a reverse proxy with TLS before it, and let the node listen on 127.0.0.1",
        )
    }
}

fn backups(settings: &Settings) -> Finding {
    let folder = settings.get("backup_dir");
    if folder.is_empty() {
        return look("backups", "none are scheduled", "set backup_dir in manara.toml, on another disk than the data");
    }
    match manara_server::newest_backup(Path::new(folder)) {
        Some((path, age)) => {
            let every = settings.number("backup_every_hours").unwrap_or(24);
            let found = format!("{} is {} hours old", path.display(), age.as_secs() / 3600);
            if age.as_secs() > every * 2 * 3600 {
                bad("backups", found, "is `manara serve` running, and has the folder room? See its log")
            } else {
                good("backups", found)
            }
        }
        None => {
            look("backups", format!("{folder} holds none yet"), "the first is made soon after `manara serve` starts")
        }
    }
}

fn inside(store: &Store, deep: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    match store.health() {
        Ok(health) => {
            let schema = format!("{}, schema {} of {}", health.engine, health.schema.0, health.schema.1);
            findings.push(match health.problems().first() {
                None => good("store", schema),
                Some(problem) => bad("store", problem.clone(), "the node can't do its work before this is mended"),
            });
        }
        Err(error) => {
            findings.push(bad("store", error.to_string(), "run `manara verify`; restore a backup if it says so"))
        }
    }
    match store.accounts() {
        Ok(accounts) => {
            let admins = accounts.iter().filter(|a| a.role.has(manara_model::role::Right::Admin) && !a.disabled);
            let open: Vec<&str> = admins.filter(|a| !a.second_factor).map(|a| a.email.as_str()).collect();
            findings.push(if open.is_empty() {
                good("accounts", "every administrator has a second factor")
            } else {
                look(
                    "accounts",
                    format!("administrators without a second factor: {}", open.join(", ")),
                    "manara user totp --email NAME",
                )
            });
        }
        Err(error) => findings.push(bad("accounts", error.to_string(), "run `manara verify`")),
    }
    if deep {
        findings.push(match store.verify() {
            Ok(verdict) if verdict.problems.is_empty() => {
                good("integrity", format!("{} records and {} audit entries agree", verdict.records, verdict.audit))
            }
            Ok(verdict) => bad(
                "integrity",
                verdict.problems.join("; "),
                "restore a backup, and keep the damaged files for those who look into it",
            ),
            Err(error) => bad("integrity", error.to_string(), "restore a backup"),
        });
    }
    findings
}
