"""The same work over MISP's API, whoever answers: `bench/misp_api.py URL KEY`, for a real MISP too, or
`bench/misp_api.py target/release/manara`, which makes a node for it. Prints a table."""

import json
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time
import uuid

import requests

ATTRIBUTES = 1_000_000 if "--small" not in sys.argv else 100_000
node, process = None, None
if len(sys.argv) > 2 and sys.argv[1].startswith("http"):
    url, key = sys.argv[1].rstrip("/"), sys.argv[2]
else:
    manara = str(pathlib.Path(sys.argv[1]).resolve())
    node = tempfile.TemporaryDirectory(dir="/var/tmp")
    made = subprocess.run([manara, "init", "--data", f"{node.name}/node", "--org", "Bench", "--country", "MY", "--admin", "a@b.example", "--json"], capture_output=True, text=True, check=True)
    key = json.loads(made.stdout)["api_key"]
    process = subprocess.Popen([manara, "serve", "--data", f"{node.name}/node", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    url = next(line.split()[-1] for line in process.stdout if line.startswith("listening on"))
session = requests.Session()
session.headers.update({"Authorization": key, "Accept": "application/json", "Content-Type": "application/json", "Accept-Encoding": "identity"})
run = uuid.uuid4().hex[:8]


def memory(which="VmRSS"):
    if not process:
        return "-"
    lines = pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return f"{int(next(line for line in lines if line.startswith(which)).split()[1]) // 1024} MB"


def ask(method, path, body=None, stream=False):
    began = time.perf_counter()
    answer = session.request(method, url + path, data=json.dumps(body) if body is not None else None, timeout=900, stream=stream)
    if stream:
        size = sum(len(piece) for piece in answer.iter_content(1 << 16))
    else:
        size = len(answer.content)
    took = time.perf_counter() - began
    assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:300]}"
    return took, size, answer


def event(count, tag):
    return {"Event": {"info": f"bench {run} {tag}", "distribution": "0", "threat_level_id": "4", "analysis": "0",
                      "Attribute": [{"type": "domain", "category": "Network activity", "value": f"h{n}.{tag}.{run}.bench.example", "to_ids": True} for n in range(count)]}}


def row(what, value, remark=""):
    print(f"| {what} | {value} | {remark} |", flush=True)


print("| call | time | remark |\n| --- | --- | --- |")
row("memory, idle", memory())
for count in (1, 100, 1000, 10_000):
    times = [ask("POST", "/events/add", event(count, f"a{count}x{turn}"))[0] for turn in range(3)]
    row(f"POST /events/add, {count} attributes", f"{min(times) * 1000:.0f} ms", "best of 3, the answer is the whole event")
times = []
small = ask("POST", "/events/add", event(10, "single"))[2].json()["Event"]["id"]
for n in range(100):
    times.append(ask("POST", f"/attributes/add/{small}", {"type": "domain", "value": f"one{n}.{run}.bench.example"})[0])
row("POST /attributes/add, one", f"{statistics.median(times) * 1000:.1f} ms", "median of 100, small event")
large = ask("POST", "/events/add", event(10_000, "large"))[2].json()["Event"]["id"]
times = [ask("POST", f"/attributes/add/{large}", {"type": "domain", "value": f"more{n}.{run}.bench.example"})[0] for n in range(50)]
row("POST /attributes/add, one, to an event of 10,000", f"{statistics.median(times) * 1000:.1f} ms", "median of 50")
began, loaded = time.perf_counter(), 0
while loaded < ATTRIBUTES:
    ask("POST", "/events/add/metadata:1", event(10_000, f"bulk{loaded}"))
    loaded += 10_000
row(f"loading {ATTRIBUTES:,} attributes, 10,000 an event", f"{time.perf_counter() - began:.0f} s", f"{ATTRIBUTES / (time.perf_counter() - began):,.0f} attributes/s")
row("memory, loaded", memory(), f"peak so far {memory('VmHWM')}")
pick = random.Random(7)
exact = lambda: f"h{pick.randrange(10_000)}.bulk{pick.randrange(ATTRIBUTES // 10_000) * 10_000}.{run}.bench.example"
for what, question in (
    ("restSearch, exact value", lambda: {"returnFormat": "json", "value": exact()}),
    ("restSearch, 100 values", lambda: {"returnFormat": "json", "value": [exact() for _ in range(100)]}),
    ("restSearch, a miss", lambda: {"returnFormat": "json", "value": f"{uuid.uuid4().hex}.example"}),
):
    times = sorted(ask("POST", "/attributes/restSearch", question())[0] for _ in range(300))
    row(what, f"{statistics.median(times) * 1000:.1f} ms", f"p99 {times[297] * 1000:.1f} ms of 300")
took, _, answer = ask("POST", "/attributes/restSearch", {"returnFormat": "json", "value": f"h77%.bulk0.{run}%", "limit": 100})
row("restSearch, a pattern, 100 rows", f"{took * 1000:.0f} ms", f"{len(answer.json()['response']['Attribute'])} rows")
took, size, _ = ask("POST", "/attributes/restSearch", {"returnFormat": "json", "limit": 10_000, "page": 1}, stream=True)
row("restSearch json, 10,000 rows", f"{took:.2f} s", f"{size / 1e6:.1f} MB")
for form in ("json", "csv", "count"):
    took, size, _ = ask("POST", "/attributes/restSearch", {"returnFormat": form}, stream=True)
    row(f"restSearch {form}, everything", f"{took:.1f} s", f"{size / 1e6:.0f} MB; memory now {memory()}, peak {memory('VmHWM')}")
took, size, _ = ask("GET", f"/events/view/{large}", stream=True)
row("events/view, 10,000 attributes", f"{took:.2f} s", f"{size / 1e6:.1f} MB")
took, size, _ = ask("POST", "/events/index", {"minimal": 1}, stream=True)
row("events/index, minimal", f"{took * 1000:.0f} ms")
if process:
    process.terminate()
    process.wait(60)
