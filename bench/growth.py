"""Measures how costs grow with what the node holds, and writes docs/GROWTH.md.

    python bench/growth.py BINARY [--sizes 10000,100000,1000000,10000000] [--database postgres://…]

At each size the node holds that many indicators from lists and up to 100,000 events, each with a value of its own, one
value that all of them share, and tags. Every question is asked over HTTP on a new connection; figures are medians.
With --database the node's data is in a new database on that server.
"""
import argparse, http.client, json, os, pathlib, platform, random, statistics, subprocess, tempfile, threading, time, uuid

parser = argparse.ArgumentParser()
parser.add_argument("binary")
parser.add_argument("--sizes", default="10000,100000,1000000,10000000")
parser.add_argument("--database")
parser.add_argument("--out")
options = parser.parse_args()
root = pathlib.Path(__file__).resolve().parent.parent
manara = str(pathlib.Path(options.binary).resolve())
sizes = [int(size) for size in options.sizes.split(",")]
table = {}


def note(what, size, figure):
    table.setdefault(what, {})[size] = figure
    print(f"{size:>10,}  {what}: {figure}", flush=True)


def run(*command, environment=None):
    started = time.perf_counter()
    done = subprocess.run([manara, *command], capture_output=True, text=True, env=environment)
    assert done.returncode in (0, 3), (command, done.stdout, done.stderr)
    return time.perf_counter() - started, done.stdout


class Server:
    def __init__(self, data, environment):
        started = time.perf_counter()
        self.process = subprocess.Popen([manara, "serve", "--data", data, "--listen", "127.0.0.1:0", "--log", "error"],
                                        stdout=subprocess.PIPE, text=True, env=environment)
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[1])
        assert self.get("/readyz", "")[0] == 200
        self.start = time.perf_counter() - started

    def get(self, path, key, method="GET", body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        connection.request(method, path, body, {"Authorization": f"Bearer {key}"} if key else {})
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, data

    def times(self, paths, key):
        times = []
        for path in paths:
            started = time.perf_counter()
            status, _ = self.get(path, key)
            times.append((time.perf_counter() - started) * 1000)
            assert status == 200, path
        times.sort()
        return times

    def memory(self):
        text = pathlib.Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        return next(int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith("Pss:"))

    def stop(self):
        self.process.terminate()
        assert self.process.wait(60) == 0


def events(path, count):
    with open(path, "w") as file:
        file.write("[")
        for n in range(count):
            value = {"type": "domain", "category": "Network activity", "to_ids": True}
            attributes = [{**value, "value": f"own{n}.example.org"}, {**value, "value": "everywhere.example.com"}]
            tags = [{"name": "common"}] + ([{"name": "rare"}] if n % (count // 10) == 0 else [])
            text = "seldom" if n % (count // 10) == 0 else "often"
            event = {"Event": {"uuid": str(uuid.UUID(int=n + 1)), "info": f"{text} seen {n}", "date": "2026-11-24",
                               "timestamp": "1700000000", "distribution": "3", "Tag": tags, "Attribute": attributes}}
            file.write(("," if n else "") + json.dumps(event))
        file.write("]")


def measure(size, folder):
    data = str(folder / f"n{size}")
    environment = dict(os.environ)
    if options.database:
        name = f"growth_{uuid.uuid4().hex}"
        subprocess.run(["psql", options.database, "-qc", f"CREATE DATABASE {name}"], check=True)
        environment["MANARA_DATABASE"] = options.database.rsplit("/", 1)[0] + "/" + name
    _, out = run("init", "--data", data, "--org", "Bench", "--country", "MY", "--admin", "a@b.example", "--json", environment=environment)
    key = json.loads(out)["api_key"]
    run("org", "add", "--data", data, "--name", "Guest", "--country", "TR", environment=environment)
    _, out = run("user", "add", "--data", data, "--org", "Guest", "--email", "g@b.example", "--role", "reader", "--json", environment=environment)
    guest = json.loads(out)["api_key"]
    spent = 0
    for first in range(0, size, 500_000):
        path = folder / f"list{first}.txt"
        path.write_text("".join(f"h{(n * 2654435761) % 2**40:x}.n{n}.example.net\n" for n in range(first, min(size, first + 500_000))))
        spent += run("import", "--data", data, "--tlp", "green", str(path), environment=environment)[0]
    note("add from lists", size, f"{size / spent:,.0f}/s")
    if not options.database:
        disk = sum(f.stat().st_size for f in pathlib.Path(data).iterdir())
        note("on disk, an indicator", size, f"{disk / size:.0f} B")
    count = min(size, 100_000)
    events(folder / "events.json", count)
    seconds = run("import", "--data", data, "--tlp", "green", str(folder / "events.json"), environment=environment)[0]
    note("add events of 2 attributes", size, f"{count / seconds:,.0f}/s")
    server = Server(data, environment)
    dice = random.Random(1)
    some = [(lambda n: f"h{(n * 2654435761) % 2**40:x}.n{n}.example.net")(dice.randrange(size)) for _ in range(1000)]
    times = server.times([f"/api/v1/search?value={value}" for value in some], key)
    note("look up, p50", size, f"{statistics.median(times):.2f} ms")
    note("look up, p99", size, f"{times[990]:.2f} ms")
    for who, secret in [("administrator", key), ("reader", guest)]:
        ask = lambda path, n=50: f"{statistics.median(server.times([path] * n, secret)):.2f} ms"
        note(f"correlate a value of all events (first page, count), {who}", size, ask("/api/v1/search?value=everywhere.example.com", 10))
        note(f"list, first page of 100, {who}", size, ask("/api/v1/records?limit=100"))
        page = json.loads(server.get("/api/v1/records?limit=1000", secret)[1])
        note(f"list, second page of 1,000, {who}", size, ask(f"/api/v1/records?limit=1000&cursor={page['next']}", 10))
        note(f"filter by a tag of all events, {who}", size, ask("/api/v1/records?limit=100&tag=common"))
        note(f"filter by a tag of ten, {who}", size, ask("/api/v1/records?limit=100&tag=rare"))
        note(f"filter by kind, {who}", size, ask("/api/v1/records?limit=100&kind=list"))
        note(f"filter by time, nothing new, {who}", size, ask("/api/v1/records?limit=100&since=2100-01-01T00:00:00Z"))
        note(f"full text, a word of ten events, {who}", size, ask("/api/v1/records?limit=100&text=seldom"))
        note(f"full text, a word of all others, {who}", size, ask("/api/v1/records?limit=100&text=often"))
    note("memory after these questions (PSS)", size, f"{server.memory():.0f} MB")
    # Look-ups at a steady rate while a list comes in.
    path = folder / "more.txt"
    path.write_text("".join(f"m{n}.size{size}.example.net\n" for n in range(400_000)))
    importing = subprocess.Popen([manara, "import", "--data", data, "--tlp", "green", str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    times, lock, begun = [], threading.Lock(), time.perf_counter()

    def ask(worker):
        n = worker
        while importing.poll() is None and time.perf_counter() - begun < 30:
            due = begun + n / 200
            time.sleep(max(0, due - time.perf_counter()))
            started = time.perf_counter()
            server.get(f"/api/v1/search?value={some[n % 1000]}", key)
            with lock:
                times.append((time.perf_counter() - started) * 1000)
            n += 4

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    importing.wait()
    times.sort()
    note("look up at 200/s while importing, p99", size, f"{times[int(len(times) * .99)]:.2f} ms of {len(times)}")
    server.process.kill()
    server.process.wait()
    server = Server(data, environment)
    note("start after kill -9", size, f"{server.start * 1000:.0f} ms")
    note("idle memory (PSS)", size, f"{server.memory():.0f} MB")
    server.stop()
    out = folder / "out"
    seconds, _ = run("export", "--data", data, "--format", "text", "--audience", "org:Guest", "-o", str(out), environment=environment)
    note("export for an organisation, as text", size, f"{sum(1 for _ in open(out)) / seconds:,.0f} values/s")
    seconds, _ = run("verify", "--data", data, environment=environment)
    note("verify", size, f"{seconds:.1f} s")


with tempfile.TemporaryDirectory(dir=root / "target") as folder:
    for size in sizes:
        measure(size, pathlib.Path(folder))

cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.processor())
version = subprocess.run([manara, "--version"], capture_output=True, text=True).stdout.strip()
engine = "PostgreSQL" if options.database else "the embedded engine"
text = f"""# Growth, on {engine}

Made by `make growth` on {time.strftime('%Y-%m-%d')}: {version}, {os.cpu_count()} cores ({cpu}). A node with this many indicators from lists, and as
many events up to 100,000, each with a value of its own and one that they all share. Questions go over HTTP, each on a
connection of its own; figures are medians on a shared machine. What should stay flat does so within a factor of two
where the answer has the same size.

| what | {' | '.join(f'{size:,}' for size in sizes)} |
| --- |{' ---: |' * len(sizes)}
"""
for what, figures in table.items():
    text += f"| {what} | {' | '.join(figures.get(size, '') for size in sizes)} |\n"
(pathlib.Path(options.out) if options.out else root / "docs/GROWTH.md").write_text(text)
