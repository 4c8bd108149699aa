"""Measures one database with several `manara serve` processes, and writes the table of docs/scaling.md.

    scripts/postgres.sh python bench/scaling.py BINARY     (POSTGRES_OPTIONS=" " keeps fsync on, as it must be)

Two client processes with four connections each ask over HTTP for ten seconds: look-ups, then new events of ten attributes.
The embedded engine is measured in the same run. Everything shares the machine, the clients included.
"""
import http.client, json, multiprocessing, os, pathlib, platform, random, subprocess, sys, tempfile, threading, time, uuid

root = pathlib.Path(__file__).resolve().parent.parent
manara = str(pathlib.Path(sys.argv[1]).resolve())
server = os.environ.get("MANARA_TEST_POSTGRES")
SECONDS, VALUES = 10, 100_000


def client(ports, key, kind, seed, counts):
    """Four connections; puts how many answers came, and their times, into the queue."""
    times, lock = [], threading.Lock()

    def run(worker):
        dice = random.Random(seed * 10 + worker)
        connection = http.client.HTTPConnection("127.0.0.1", ports[(seed * 4 + worker) % len(ports)], timeout=60)
        ends = time.perf_counter() + SECONDS
        mine = []
        while time.perf_counter() < ends:
            if kind == "look up":
                method, path, body = "GET", f"/api/v1/search?value=n{dice.randrange(VALUES)}.example.net", None
            else:
                attributes = [{"type": "domain", "to_ids": True, "value": f"{dice.getrandbits(60):x}.example.org"} for _ in range(10)]
                method, path = "POST", "/api/v1/records?tlp=green"
                body = json.dumps({"Event": {"uuid": str(uuid.uuid4()), "info": "scaling", "timestamp": "1700000000", "Attribute": attributes}})
            started = time.perf_counter()
            connection.request(method, path, body, {"Authorization": f"Bearer {key}", "Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            assert answer.status in (200, 201), answer.status
            mine.append(time.perf_counter() - started)
        with lock:
            times.extend(mine)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    counts.put(times)


def measure(database, processes, folder):
    data = str(folder / uuid.uuid4().hex)
    environment = dict(os.environ)
    if database:
        name = f"scaling_{uuid.uuid4().hex}"
        subprocess.run(["psql", database, "-qc", f"CREATE DATABASE {name}"], check=True)
        environment["MANARA_DATABASE"] = database.rsplit("/", 1)[0] + "/" + name
    run = lambda *command: subprocess.run([manara, *command, "--data", data], capture_output=True, text=True, env=environment, check=True).stdout
    key = json.loads(run("init", "--org", "Bench", "--country", "MY", "--admin", "a@b.example", "--json"))["api_key"]
    (folder / "list.txt").write_text("".join(f"n{n}.example.net\n" for n in range(VALUES)))
    started = time.perf_counter()
    run("import", "--tlp", "green", str(folder / "list.txt"))
    figures = [f"{VALUES / (time.perf_counter() - started):,.0f}/s"]
    nodes = []
    for _ in range(processes):
        node = subprocess.Popen([manara, "serve", "--data", data, "--listen", "127.0.0.1:0", "--log", "error"], stdout=subprocess.PIPE, text=True, env=environment)
        nodes.append((node, int(node.stdout.readline().rsplit(":", 1)[1])))
    for kind in ("look up", "event"):
        counts = multiprocessing.Queue()
        clients = [multiprocessing.Process(target=client, args=([port for _, port in nodes], key, kind, n, counts)) for n in range(2)]
        [process.start() for process in clients]
        times = sorted(counts.get() + counts.get())
        [process.join() for process in clients]
        figures.append(f"{len(times) / SECONDS:,.0f}/s, p99 {times[int(len(times) * .99)] * 1000:.1f} ms")
    for node, _ in nodes:
        node.terminate()
        assert node.wait(30) == 0
    run("verify")
    return figures


rows = []
with tempfile.TemporaryDirectory(dir=root / "target") as folder:
    folder = pathlib.Path(folder)
    plan = [("embedded", None, 1)] + ([("PostgreSQL", server, n) for n in (1, 2, 4)] if server else [])
    for engine, database, processes in plan:
        figures = measure(database, processes, folder)
        rows.append(f"| {engine}, {processes} process{'es' if processes > 1 else ''} | {' | '.join(figures)} |")
        print(rows[-1], flush=True)
cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.processor())
text = f"""Made by `make scaling` on {time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores ({cpu}) for clients, nodes and database together:

| what serves | list of {VALUES:,} comes in | look-ups | new events of ten attributes |
| --- | ---: | ---: | ---: |
""" + "\n".join(rows) + "\n"
path = root / "docs/scaling.md"
if path.exists():
    before, _, after = path.read_text().partition("<!-- figures -->")
    _, _, after = after.partition("<!-- /figures -->")
    path.write_text(f"{before}<!-- figures -->\n{text}<!-- /figures -->{after}")
