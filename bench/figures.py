"""Measures the node and writes the table of docs/BENCHMARKS.md.

    python bench/figures.py target/release/manara [--lists DIR]

The big lists (1.5 million indicators) are read from --lists, or ../shared/data/indicators, where they are;
otherwise the small ones of fixtures/ stand in, and the table says so.
"""

import json
import os
import pathlib
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid

manara = str(pathlib.Path(sys.argv[1]).resolve())
root = pathlib.Path(__file__).resolve().parent.parent
lists = pathlib.Path(sys.argv[sys.argv.index("--lists") + 1]) if "--lists" in sys.argv else root / "../shared/data/indicators"
big = lists.is_dir()
rows = []


def row(what, figure, target=""):
    rows.append((what, figure, target))
    print(f"{what}: {figure}", flush=True)


def run(*command):
    """Wall seconds, highest memory seen in MB (sampled), output."""
    started, peak = time.perf_counter(), 0
    with tempfile.TemporaryFile() as answer:
        process = subprocess.Popen([manara, *command], stdout=answer, stderr=subprocess.DEVNULL)
        while process.poll() is None:
            try:
                text = pathlib.Path(f"/proc/{process.pid}/status").read_text()
                peak = max([peak] + [int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith("VmHWM")])
            except OSError:
                pass
            time.sleep(0.002)
        seconds = time.perf_counter() - started
        assert process.returncode in (0, 3), command
        answer.seek(0)
        return seconds, peak, answer.read()


def size(folder):
    return sum(f.stat().st_size for f in pathlib.Path(folder).iterdir())


def event(attributes, seed):
    dice = random.Random(seed)
    kinds = [("domain", lambda: f"{dice.getrandbits(60):x}.example.com"), ("ip-dst", lambda: ".".join(str(dice.randrange(1, 255)) for _ in range(4))),
             ("sha256", lambda: f"{dice.getrandbits(256):064x}"), ("url", lambda: f"http://{dice.getrandbits(50):x}.example.com/{dice.getrandbits(40):x}")]
    body = []
    for n in range(attributes):
        kind, value = kinds[n % 4]
        body.append({"uuid": str(uuid.UUID(int=dice.getrandbits(128), version=4)), "type": kind, "category": "Network activity", "to_ids": True,
                     "distribution": "5", "timestamp": "1700000000", "comment": f"seen by sensor {n % 50}", "value": value()})
    return {"Event": {"uuid": str(uuid.UUID(int=dice.getrandbits(128), version=4)), "info": f"{attributes} attributes", "date": "2026-11-24",
                      "timestamp": "1700000000", "distribution": "3", "Attribute": body}}


class Server:
    def __init__(self, data):
        started = time.perf_counter()
        self.process = subprocess.Popen([manara, "serve", "--data", data, "--listen", "127.0.0.1:0", "--log", "error"], stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split()[-1]
        urllib.request.urlopen(self.url + "/readyz").read()
        self.start = time.perf_counter() - started

    def memory(self):
        text = pathlib.Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        return next(int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith("Pss:"))

    def get(self, path, key):
        request = urllib.request.Request(self.url + path, headers={"Authorization": f"Bearer {key}"})
        with urllib.request.urlopen(request) as answer:
            return answer.read()

    def close(self):
        self.process.terminate()
        assert self.process.wait(timeout=30) == 0


def look_ups(data, key, values, name):
    """One connection each, as a script would ask; so the figure is an upper bound."""
    server = Server(data)
    idle = server.memory()
    times = []
    for value in values:
        started = time.perf_counter()
        json.loads(server.get(f"/api/v1/search?value={value}", key))
        times.append((time.perf_counter() - started) * 1000)
    times.sort()
    row(f"look-up over HTTP, {name}", f"p50 {statistics.median(times):.2f} ms, p99 {times[int(len(times) * .99)]:.2f} ms", "p99 ≤ 1 ms")
    row(f"cold start to first answer, {name}", f"{server.start * 1000:.0f} ms", "≤ 200 ms")
    row(f"memory idle after start, {name}", f"{idle:.0f} MB (PSS)", "≤ 64 MB")
    row(f"memory after {len(values)} look-ups, {name}", f"{server.memory():.0f} MB (PSS)", "≤ 64 MB")
    server.close()


with tempfile.TemporaryDirectory(dir=root / "target") as folder:
    folder = pathlib.Path(folder)
    for name, attributes in [("10,000", 10_000), ("100,000", 100_000)]:
        data = str(folder / f"event{attributes}")
        run("init", "--data", data, "--org", "Bench", "--country", "MY", "--admin", "a@b.example")
        (folder / "event.json").write_text(json.dumps(event(attributes, attributes)))
        seconds, memory, _ = run("import", "--data", data, str(folder / "event.json"))
        row(f"import of one event with {name} attributes", f"{seconds:.2f} s ({attributes / seconds:,.0f}/s), peak {memory:.0f} MB", "≤ 0.3 s" if attributes == 10_000 else "≤ 3 s")
        seconds, memory, _ = run("export", "--data", data, "--format", "misp", "--audience", "self", "-o", str(folder / "out.json"))
        row(f"export of it as MISP JSON", f"{seconds:.2f} s")

    names = ["domains.txt.zst", "ips.txt.zst", "urls.txt.zst", "hashes.txt.zst"] if big else ["domains-2000.txt", "ips-2000.txt", "urls-2000.txt", "hashes-2000.txt"]
    source = lists if big else root / "fixtures/indicators"
    data = str(folder / "lists")
    _, _, out = run("init", "--data", data, "--org", "Bench", "--country", "MY", "--admin", "a@b.example", "--json")
    key = json.loads(out)["api_key"]
    total, spent = 0, 0.0
    for name in names:
        seconds, memory, out = run("import", "--data", data, "--tlp", "green", "--json", str(source / name))
        count = json.loads(out)["observables"]
        total, spent = total + count, spent + seconds
        row(f"import of {name}", f"{count:,} values, {seconds:.2f} s ({count / seconds:,.0f}/s), peak {memory:.0f} MB", "≥ 150,000/s")
    row("all lists", f"{total:,} values, {spent:.2f} s ({total / spent:,.0f}/s)", "≥ 150,000/s")
    row("on disk", f"{size(data) / 1e6:.0f} MB, {size(data) / total:.0f} bytes a value", "≤ 200")
    seconds, memory, _ = run("import", "--data", data, "--tlp", "green", "--json", str(source / names[0]))
    row("the same list again", f"{seconds:.2f} s")
    seconds, memory, _ = run("export", "--data", data, "--format", "hosts", "--audience", "self", "-o", str(folder / "hosts"))
    row("export as hosts file", f"{seconds:.2f} s")
    seconds, _, out = run("verify", "--data", data)
    row("manara verify", f"{seconds:.2f} s")
    text = subprocess.run(["zstd", "-dc", str(source / names[0])], capture_output=True, text=True).stdout if big else (source / names[0]).read_text()
    known = text.split()
    dice = random.Random(1)
    values = [dice.choice(known) for _ in range(1500)] + [f"{dice.getrandbits(60):x}.example.org" for _ in range(500)]
    dice.shuffle(values)
    look_ups(data, key, values, f"{total:,} values")
    many = folder / "many"
    many.mkdir()
    for n in range(2000):
        body = event(3, n)
        body["Event"]["Attribute"].append({"type": "domain", "value": "everywhere.example.com", "to_ids": True})
        (many / f"{n}.json").write_text(json.dumps(body))
    data = str(folder / "audiences")
    _, _, out = run("init", "--data", data, "--org", "Bench", "--country", "MY", "--admin", "a@b.example", "--json")
    key = json.loads(out)["api_key"]
    run("org", "add", "--data", data, "--name", "Guest", "--country", "TR")
    guest = json.loads(run("user", "add", "--data", data, "--org", "Guest", "--email", "g@b.example", "--role", "reader", "--json")[2])["api_key"]
    seconds, memory, _ = run("import", "--data", data, "--tlp", "green", str(many))
    row("import of 2,000 small events that share a value", f"{seconds:.2f} s ({2000 / seconds:,.0f}/s)")
    server = Server(data)
    lists_of = {}
    for who, secret in [("administrator", key), ("least-privileged reader", guest)]:
        times = []
        for _ in range(200):
            started = time.perf_counter()
            page = json.loads(server.get("/api/v1/records?limit=100", secret))
            times.append((time.perf_counter() - started) * 1000)
            assert len(page["records"]) == 100
        lists_of[who] = statistics.median(times)
    ratio = lists_of["least-privileged reader"] / lists_of["administrator"]
    row("a page of 100 records, least-privileged reader against administrator", f"{lists_of['least-privileged reader']:.2f} ms, {lists_of['administrator']:.2f} ms: {ratio:.2f} ×", "≤ 1.5 ×")
    server.close()
    small = str(folder / "small")
    _, _, out = run("init", "--data", small, "--org", "Bench", "--country", "MY", "--admin", "a@b.example", "--json")
    (folder / "small.txt").write_text("\n".join(known[:10_000]) + "\n")
    run("import", "--data", small, "--tlp", "green", str(folder / "small.txt"))
    look_ups(small, json.loads(out)["api_key"], [dice.choice(known[:10_000]) for _ in range(2000)], "10,000 values")

cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.processor())
version = subprocess.run([manara, "--version"], capture_output=True, text=True).stdout.strip()
head = f"""# Figures

Made by `make bench` on {time.strftime('%Y-%m-%d')}: {version}, {os.cpu_count()} cores ({cpu}), {platform.system()} {platform.release().split('-')[0]},
{'the lists of 1.5 million indicators' if big else 'the small lists of fixtures/ (the big ones were not found)'}. Whole processes, start and flush to disk
included; one run each, on a shared machine: read them as orders of magnitude. Targets are those of the design.

| what | figure | target |
| --- | --- | --- |
"""
path = root / "docs/BENCHMARKS.md"
# What other measurements wrote stays.
_, mark, others = path.read_text().partition("<!-- match -->") if path.exists() else ("", "", "")
path.write_text(head + "".join(f"| {a} | {b} | {c} |\n" for a, b, c in rows) + (f"\n{mark}{others}" if mark else ""))
