"""A TAXII 2.1 server under load: `bench/taxii.py --manara target/release/manara` makes a node with a box of 100,000
objects (`--objects N`) and measures it; `--base http://…/taxii2/ --user U --password P` (or `--key K`) measures any
server, into the first collection that may be read and written. `--peer medallion` starts OASIS' server beside it, with
as many objects as it bears. Prints a table.

Requests a second are `wrk`'s (two threads, eight connections that are kept, ten seconds), where it is installed;
otherwise four processes with a socket each, which is the limit then, and said so."""

import argparse
import base64
import contextlib
import http.client
import importlib.util
import json
import multiprocessing
import os
import pathlib
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import uuid

TAXII = "application/taxii+json;version=2.1"
arguments = argparse.ArgumentParser()
arguments.add_argument("--manara")
arguments.add_argument("--base", help="the discovery address of a server that runs already")
arguments.add_argument("--user", default="")
arguments.add_argument("--password", default="")
arguments.add_argument("--key", help="a key, sent as Authorization: Bearer")
arguments.add_argument("--peer", choices=["medallion"])
arguments.add_argument("--peer-objects", type=int, default=1000)
arguments.add_argument("--objects", type=int, default=100_000)
arguments.add_argument("--seconds", type=int, default=10)
arguments.add_argument("--connections", type=int, default=8)
given = arguments.parse_args()
dice = random.Random(20)


def basic(name, word):
    return "Basic " + base64.b64encode(f"{name}:{word}".encode()).decode()


def thing(n):
    """Some 690 bytes, as an indicator has them; one in twenty is a malware."""
    ident = uuid.UUID(int=dice.getrandbits(128), version=4)
    kind = "malware" if n % 20 == 0 else "indicator"
    own = {"is_family": False} if kind == "malware" else {
        "pattern": f"[domain-name:value = 'host{n}.{ident.hex[:12]}.example']", "pattern_type": "stix", "pattern_version": "2.1", "valid_from": "2024-01-01T00:00:00Z"}
    return {
        "type": kind, "spec_version": "2.1", "id": f"{kind}--{ident}", "created_by_ref": "identity--f431f809-377b-45e0-aa1c-6a4751cae5ff",
        "created": "2024-01-01T00:00:00.000Z", "modified": "2024-01-01T00:00:00.000Z", "name": f"Host {n} of a campaign",
        "description": "Seen as a command and control server of a family that steals what browsers keep; first reported by a partner.",
        **own, "labels": ["c2", "stealer"], "confidence": 80,
        "external_references": [{"source_name": "report", "url": f"https://reports.example/{ident.hex}"}], "object_marking_refs": ["marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"],
    }


class Served:
    """A server: where it is, how one comes in, which processes it is."""

    def __init__(self, name, base, headers, pids=()):
        parts = urllib.parse.urlsplit(base)
        self.name, self.at, self.discovery, self.headers, self.pids = name, parts.netloc, parts.path, headers, list(pids)
        self.line = None

    def ask(self, method, path, body=None, headers=None):
        for _ in range(2):
            self.line = self.line or http.client.HTTPConnection(self.at, timeout=600)
            try:
                self.line.request(method, path, body, {"Accept": TAXII, **(headers or self.headers), **({"Content-Type": TAXII} if body else {})})
                answer = self.line.getresponse()
                return answer.status, answer.read()
            except (http.client.HTTPException, OSError):
                self.line = None
        raise SystemExit(f"{self.name} does not answer {path}")

    def json(self, path):
        status, body = self.ask("GET", path)
        assert status == 200, (path, status, body[:300])
        return json.loads(body)

    def find(self):
        """The paths of the first collection that may be read and written."""
        root = self.json(self.discovery)["api_roots"][0]
        self.root = urllib.parse.urlsplit(root).path
        lists = self.json(f"{self.root}collections/")["collections"]
        self.box = f"{self.root}collections/{next(one['id'] for one in lists if one['can_read'] and one['can_write'])}/"

    def memory(self):
        """Megabytes of all its processes (resident)."""
        total = 0
        for pid in self.pids:
            with contextlib.suppress(OSError):
                total += int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1))
        return total / 1024


@contextlib.contextmanager
def peak(server):
    """The most memory while something goes on: a list that gets the number."""
    over, most = threading.Event(), [server.memory()]

    def look():
        while not over.wait(0.02):
            most[0] = max(most[0], server.memory())

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield most
    finally:
        over.set()
        looking.join()


def by_wrk(server, paths, headers):
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        listed = ",".join(json.dumps(path) for path in paths)
        lines = "".join(f"wrk.headers[{json.dumps(name)}]={json.dumps(value)}\n" for name, value in {"Accept": TAXII, **headers}.items())
        script.write(f"""local paths={{{listed}}}
{lines}local n, made = math.random(#paths), {{}}
function init() for i=1,#paths do made[i]=wrk.format("GET",paths[i]) end end
function request() n = n % #paths + 1 return made[n] end
function done(summary, latency) io.write(string.format("told %d %d %.3f %.3f %d\\n", summary.requests, summary.duration, latency:percentile(50)/1000, latency:percentile(99)/1000, summary.errors.status)) end
""")
        script.flush()
        out = subprocess.run(["wrk", "-t2", f"-c{given.connections}", f"-d{given.seconds}s", "--timeout", "60s", "-s", script.name, f"http://{server.at}"], capture_output=True, text=True).stdout
    requests, micros, half, last, bad = re.search(r"told (\d+) (\d+) ([\d.]+) ([\d.]+) (\d+)", out).groups()
    assert bad == "0", f"{paths[0]}: {bad} answers were errors"
    return int(requests) / int(micros) * 1e6, float(half), float(last)


def client(at, requests, until, out):
    host, _, port = at.partition(":")
    line = socket.create_connection((host, int(port or 80)))
    times, n, stream = [], os.getpid(), line.makefile("rb", 1 << 20)
    while time.monotonic() < until:
        n += 1
        began = time.perf_counter()
        line.sendall(requests[n % len(requests)])
        assert b" 200 " in stream.readline()
        length = 0
        while (header := stream.readline()) != b"\r\n":
            if header.lower().startswith(b"content-length:"):
                length = int(header.split(b":")[1])
        stream.read(length)
        times.append(time.perf_counter() - began)
    out.put(times)


def by_sockets(server, paths, headers):
    lines = "".join(f"{name}: {value}\r\n" for name, value in {"Host": server.at, "Accept": TAXII, **headers}.items())
    requests = [f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode() for path in paths]
    out, until = multiprocessing.Queue(), time.monotonic() + given.seconds
    clients = [multiprocessing.Process(target=client, args=(server.at, requests, until, out)) for _ in range(4)]
    [one.start() for one in clients]
    times = sorted(t for _ in clients for t in out.get())
    [one.join() for one in clients]
    return len(times) / given.seconds, times[len(times) // 2] * 1000, times[len(times) * 99 // 100] * 1000


load = by_wrk if shutil.which("wrk") else by_sockets


def row(*cells):
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def measured(server, what, paths, headers=None):
    headers = headers or server.headers
    for _ in range(3):
        server.ask("GET", paths[0], headers=headers)
    with peak(server) as most:
        rate, half, last = load(server, paths, headers)
    row(server.name, what, f"{rate:,.0f} requests/s", f"{half:.2f} ms", f"{last:.2f} ms", f"{most[0]:.0f} MB")


def filled(server, count):
    """Posts so many objects in envelopes of 1,000 on one connection; their identifiers."""
    envelopes, ids = [], []
    for first in range(0, count, 1000):
        objects = [thing(n) for n in range(first, min(first + 1000, count))]
        ids += [one["id"] for one in objects]
        envelopes.append(json.dumps({"objects": objects}).encode())
        if len(envelopes) == 100:
            posted(server, envelopes)
            envelopes = []
    if envelopes:
        posted(server, envelopes)
    return ids


def posted(server, envelopes):
    count = sum(body.count(b'"spec_version"') for body in envelopes)
    with peak(server) as most:
        began = time.perf_counter()
        for body in envelopes:
            status, told = server.ask("POST", f"{server.box}objects/", body)
            assert status == 202, (status, told[:300])
        took = time.perf_counter() - began
    row(server.name, f"POST of {count:,} objects by 1,000", f"{took:.2f} s, {count / took:,.0f} objects/s", "", "", f"{most[0]:.0f} MB")


def read_whole(server, count):
    """All of it by the largest pages that are given."""
    with peak(server) as most:
        began, size, seen, following, deep = time.perf_counter(), 0, 0, "", ""
        while True:
            _, body = server.ask("GET", f"{server.box}objects/?limit=10000{following}")
            size += len(body)
            told = json.loads(body[:200].rsplit(b',"objects"', 1)[0] + b"}") if b',"objects"' in body[:200] else json.loads(body)
            seen += body.count(b'"spec_version"')
            if not told.get("more"):
                break
            following = f"&next={urllib.parse.quote(str(told['next']))}"
            if seen <= count - 200:
                deep = following
        took = time.perf_counter() - began
    row(server.name, f"all {seen:,} objects by 10,000", f"{took:.2f} s, {size / took / 1e6:.0f} MB/s", "", "", f"{most[0]:.0f} MB")
    return deep


def settled(server):
    """Until the work beside the requests is over."""
    quiet = 0
    while server.pids and quiet < 3:
        before = sum(sum(map(int, pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13])) for pid in server.pids)
        time.sleep(1)
        after = sum(sum(map(int, pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13])) for pid in server.pids)
        quiet = quiet + 1 if after - before < 3 else 0


def measure(server, count, basics=None):
    server.find()
    row(server.name, "memory, idle", "", "", "", f"{server.memory():.0f} MB")
    measured(server, "discovery", [server.discovery])
    ids = filled(server, count)
    began = time.monotonic()
    settled(server)
    row(server.name, "work beside the requests after it", f"{time.monotonic() - began:.0f} s", "", "", f"{server.memory():.0f} MB")
    measured(server, "collections", [f"{server.root}collections/"])
    measured(server, "objects, limit=100", [f"{server.box}objects/?limit=100"])
    measured(server, "objects, limit=1000", [f"{server.box}objects/?limit=1000"])
    deep = read_whole(server, count)
    if deep:
        measured(server, "objects, limit=100, near the end", [f"{server.box}objects/?limit=100{deep}"])
    measured(server, "objects, limit=100, match[type]=malware", [f"{server.box}objects/?limit=100&match[type]=malware"])
    measured(server, "objects, limit=100, match[version]=all", [f"{server.box}objects/?limit=100&match[version]=all"])
    measured(server, "manifest, limit=1000", [f"{server.box}manifest/?limit=1000"])
    some = dice.sample(ids, min(500, len(ids)))
    measured(server, "one object by id", [f"{server.box}objects/{one}/" for one in some])
    measured(server, "match[id]", [f"{server.box}objects/?match[id]={one}" for one in some])
    measured(server, "versions of one", [f"{server.box}objects/{one}/versions/" for one in some])
    for name, headers in (basics or {}).items():
        measured(server, f"one object by id, {name}", [f"{server.box}objects/{one}/" for one in some], headers)


def manara(binary, folder):
    binary, where = str(pathlib.Path(binary).resolve()), ["--data", f"{folder}/node"]
    run = lambda *command: json.loads(subprocess.run([binary, *command], capture_output=True, text=True, check=True).stdout)  # noqa: E731
    made = run("init", *where, "--org", "Bench", "--country", "MY", "--admin", "a@b.example", "--json")
    run("collection", "add", *where, "--title", "Bench", "--kind", "box", "--json")
    process = subprocess.Popen([binary, "serve", *where, "--listen", "127.0.0.1:0", "--log", "error"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    url = next(line.split()[-1] for line in process.stdout if line.startswith("listening on"))
    key, password = {"Authorization": f"Bearer {made['api_key']}"}, {"Authorization": basic("a@b.example", made["password"])}
    return process, Served("manara", f"{url}/taxii2/", key, [process.pid]), {"Basic, e-mail and password": password, "Basic, a key": {"Authorization": basic("key", made["api_key"])}}


def medallion(folder):
    """OASIS' server with its memory backend."""
    if not importlib.util.find_spec("medallion"):
        raise SystemExit("medallion is not installed: pip install medallion")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = {"/discovery": {"title": "m", "default": f"http://127.0.0.1:{port}/one/", "api_roots": [f"http://127.0.0.1:{port}/one/"]},
            "one": {"information": {"title": "one", "versions": [TAXII], "max_content_length": 104857600}, "status": [],
                    "collections": [{"id": str(uuid.uuid4()), "title": "Bench", "can_read": True, "can_write": True, "media_types": ["application/stix+json;version=2.1"], "objects": [], "manifest": []}]}}
    (pathlib.Path(folder) / "data.json").write_text(json.dumps(data))
    settings = {"backend": {"module": "medallion.backends.memory_backend", "module_class": "MemoryBackend", "filename": f"{folder}/data.json"}, "users": {"admin": "admin"}, "taxii": {"max_page_size": 1000}}
    (pathlib.Path(folder) / "medallion.json").write_text(json.dumps(settings))
    process = subprocess.Popen([sys.executable, "-m", "medallion.scripts.run", "--host", "127.0.0.1", "--port", str(port), f"{folder}/medallion.json"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            break
        time.sleep(0.1)
    return process, Served("medallion", f"http://127.0.0.1:{port}/taxii2/", {"Authorization": basic("admin", "admin")}, [process.pid]), {}


if __name__ == "__main__":
    row("server", "what", "", "p50", "p99", "memory, peak")
    row("---", "---", "---", "---", "---", "---")
    if given.base:
        headers = {"Authorization": f"Bearer {given.key}" if given.key else basic(given.user, given.password)}
        measure(Served(urllib.parse.urlsplit(given.base).netloc, given.base, headers), given.objects)
    started = [(lambda folder: manara(given.manara, folder), given.objects)] * bool(given.manara) + [(medallion, given.peer_objects)] * bool(given.peer)
    for start, count in started:
        with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
            process, server, basics = start(folder)
            try:
                measure(server, count, basics)
            finally:
                process.terminate()
                process.wait(60)
