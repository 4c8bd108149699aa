"""Indicators against logs, beside what else does it: bench/match.py target/release/manara [options]

    --mb 250                      megabytes of each log
    --sizes 10000,100000,…        lengths of the lists, each within the next
    --seeds 11,12,13              a log of each kind for each; other programs get the first only
    --lists DIR                   the big lists (../shared/data/indicators); without them those of fixtures/
    --peers DIR                   programs to compare with are looked for in DIR/bin too
    --limit 120                   seconds that a program may take for one log
    --no-write                    only print

Two kinds of log: R, runs of real lines, S, dense made-up lines; in both values are planted in 27 spellings, and traps
that look like them (crates/matching/tests/plant). Writes the table between its marks in docs/BENCHMARKS.md.
"""

import argparse
import os
import pathlib
import platform
import random
import shutil
import subprocess
import sys
import tempfile
import time

import match_peers
from match_tools import Row, measure, scores

root = pathlib.Path(__file__).resolve().parent.parent
options = argparse.ArgumentParser()
options.add_argument("manara")
options.add_argument("--mb", type=int, default=250)
options.add_argument("--sizes", default="10000,100000,1000000,10000000")
options.add_argument("--seeds", default="11,12,13")
options.add_argument("--lists", type=pathlib.Path, default=root / "../shared/data/indicators")
options.add_argument("--peers", type=pathlib.Path, default=pathlib.Path.home() / ".cargo")
options.add_argument("--limit", type=int, default=120)
options.add_argument("--no-write", action="store_true")
options = options.parse_args()
manara = pathlib.Path(options.manara).resolve()
examples = manara.parent / "examples"
os.environ["PATH"] += f":{options.peers.resolve() / 'bin'}"
sizes = sorted(int(n) for n in options.sizes.split(","))
seeds = [int(n) for n in options.seeds.split(",")]
dice = random.Random(7)

# Of a thousand indicators so many are of each kind, as nodes hold them.
SHARES = {"domains": 664, "ips": 200, "urls": 70, "hashes": 55, "cidr4": 9, "cidr6": 2}


def lines(name):
    big = options.lists / f"{name}.txt.zst"
    if options.lists.is_dir():
        return subprocess.run(["zstd", "-dcq", str(big)], check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    return (root / f"fixtures/indicators/{name}-2000.txt").read_text().split()


def made_up(name):
    """For what the lists do not have enough of."""
    if name == "hashes":
        return f"{dice.getrandbits(256):064x}"
    if name == "ips":
        return ".".join(str(dice.randrange(1, 255)) for _ in range(4))
    if name == "cidr4":
        return f"{dice.randrange(1, 223)}.{dice.randrange(256)}.{dice.randrange(256)}.0/24"
    if name == "cidr6":
        return f"2a{dice.randrange(256):02x}:{dice.randrange(65536):x}:{dice.randrange(65536):x}::/48"
    host = f"{dice.getrandbits(44):x}.{dice.choice(['com', 'net', 'org', 'xyz', 'info', 'top', 'ru', 'cn'])}"
    return host if name == "domains" else f"http://{host}/{dice.getrandbits(40):x}"


def lists(folder):
    """Files with as many indicators as asked for, each the beginning of the next, and how many are made up."""
    kinds, invented = {}, {}
    for name in SHARES:
        kinds[name] = list(dict.fromkeys(lines(name)))
        dice.shuffle(kinds[name])
    scripts = (root / "fixtures/indicators/idn-200.txt").read_text().split()
    kinds["domains"] = scripts[:40] + [name for name in kinds["domains"] if name not in set(scripts[:40])]
    files, taken = [], {name: 0 for name in SHARES}
    out, added = folder / "all.txt", 0
    with open(out, "w") as all_of_them:
        for size in sizes:
            invented[size] = invented.get(max((s for s in sizes if s < size), default=0), 0)
            for name, share in SHARES.items():
                # Beyond a million only names: longer lists are of names.
                want = min(size, 1_000_000) * share // 1000 + (max(0, size - 1_000_000) if name == "domains" else 0)
                for n in range(taken[name], want):
                    if n < len(kinds[name]):
                        all_of_them.write(kinds[name][n] + "\n")
                    else:
                        all_of_them.write(made_up(name) + "\n")
                        invented[size] += 1
                added += want - taken[name]
                taken[name] = want
            all_of_them.flush()
            files.append(folder / f"list-{size}.txt")
            shutil.copy(out, files[-1])
    return dict(zip(sizes, files)), invented


def index_and_match(size, list_file, logs, folder):
    """The built program, as a user starts it: everything from start to end counts."""
    index = folder / "bad.index"
    build = measure([manara, "index", "build", "-o", index, list_file], limit=600)
    row = Row("manara match, whole process", build=build.cpu, index=index.stat().st_size)
    for kind in "RS":
        log = logs[kind, seeds[0]]
        hits = folder / "hits.jsonl"
        threads = ["--threads", "1"] if "--threads" in match_help else []
        one = min((measure([manara, "match", "--index", index, "--format", "jsonl", *threads, log.path], out=hits) for _ in range(3)), key=lambda run: run.cpu)
        row.speed[kind] = log.size / one.cpu / 1e6
        row.memory = max(row.memory, one.peak)
        if threads:
            two = min(measure([manara, "match", "--index", index, "--format", "jsonl", "--threads", "2", log.path], out=hits).wall for _ in range(3))
            row.two[kind] = log.size / two / 1e6
    for log in logs.values():
        measure([manara, "match", "--index", index, "--format", "jsonl", log.path], out=hits)
        row.add(scores.json_lines(hits, log))
    index.unlink()
    return row


def library(size, list_file, logs):
    """Scan only, time of one thread: the example of the crate."""
    first = [text for kind in "RS" for text in (logs[kind, seeds[0]].path, logs[kind, seeds[0]].truth)]
    others = [text for (_, seed), log in logs.items() if seed != seeds[0] for text in (log.path, log.truth)]
    told = scores.told(measure([examples / "bench", list_file, *first], limit=900).output)
    if others:
        told += scores.told(measure([examples / "bench", list_file, *others], limit=900, environment={"ONLY": "scanner", "RUNS": "1"}).output)
    index = next(one for one in told if one["what"] == "index")
    rows = {}
    names = {"floor": "floor: counting lines", "scanner Portable": "scanner, plain code", "set of tokens": "set of tokens, fast hash"}
    for one in told:
        what = one["what"]
        if what in ("index", "set"):
            continue
        log = next(log for log in logs.values() if str(log.path) == one["log"])
        two = what.endswith(", two threads")
        row = rows.setdefault("scanner" if what.startswith("scanner") and "Portable" not in what else what, Row(names.get(what, "**scanner**, scan only")))
        if log.seed == seeds[0]:
            (row.two if two else row.speed)[log.kind] = one["mb_s"]
        if "planted" in one:
            row.add(scores.Score(one["planted"], one["found"], one["traps"], one["sprung"]))
    rows["scanner"].build, rows["scanner"].index = index["build_s"], index["bytes"]
    rows["set of tokens"].build = next(one["build_s"] for one in told if one["what"] == "set")
    print(f"{size:,}: opened in {index['open_ms']} ms, verified in {index['verify_ms']} ms, {index['refused']} refused", flush=True)
    return [rows[name] for name in ("floor", "scanner", "scanner Portable", "set of tokens")]


def table(done, invented):
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.processor())
    programs = "; ".join(f"{name} {version}" for name, version in match_peers.versions().items())
    text = [f"""
## Matching

Made by `make bench-match` on {time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores ({cpu}), load {os.getloadavg()[1]:.1f}. R: {options.mb} MB of real
lines, S: {options.mb} MB of dense made-up ones, seeds {options.seeds}; other programs get the first seed only. MB/s are R / S; *scan only* is time
of the scanning thread, best of three; whole processes are user and system time, reading and building what they build at start
included; two threads are time by the clock. Found and traps: all seeds that a program got. Programs: {programs}.

| list | program | MB/s, one core | two threads | peak memory | build | index | planted found | traps sprung |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"""]
    for size, rows in done:
        more = f", {invented[size]:,} of them made up" if invented[size] else ""
        for n, row in enumerate(rows):
            text.append(f"| {f'{size:,}{more}' if n == 0 else ''} | {row.cells()} |")
    text += ["", *match_peers.REMARKS, ""]
    return "\n".join(text)


with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="manara-match-") as place:
    folder = pathlib.Path(place)
    match_help = subprocess.run([manara, "match", "--help"], capture_output=True, text=True).stdout
    files, invented = lists(folder)
    logs = {}
    for kind, name in (("R", "real"), ("S", "dense")):
        for seed in seeds:
            log = scores.Log(kind, seed, folder / f"{name}-{seed}.log", folder / f"{name}-{seed}.tsv")
            measure([examples / "plant", name, str(seed), str(options.mb), files[sizes[0]], log.path, log.truth], limit=300)
            logs[kind, seed] = log
    done = []
    for size in sizes:
        rows = [*library(size, files[size], logs), index_and_match(size, files[size], logs, folder)]
        if size <= 1_000_000:
            rows += match_peers.rows(files[size], {kind: logs[kind, seeds[0]] for kind in "RS"}, folder, options.limit)
        done.append((size, rows))
        for row in rows:
            print(f"{size:,} | {row.cells()}", flush=True)
    text = table(done, invented)
    print(text)
    if not options.no_write:
        path = root / "docs/BENCHMARKS.md"
        before, _, after = path.read_text().partition("<!-- match -->")
        _, _, after = after.partition("<!-- /match -->")
        path.write_text(f"{before.rstrip()}\n\n<!-- match -->{text}<!-- /match -->{after or chr(10)}")
