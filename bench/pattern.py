"""STIX patterns against a stream of observations: `bench/pattern.py target/release/manara [--small]`, beside stix2-matcher
(the reference, from PyPI) where the Python that runs this has it. Both get the same patterns and the same observations in
the same run, and must find the same on a sample. Prints a table."""

import hashlib
import json
import os
import pathlib
import random
import resource
import subprocess
import sys
import tempfile
import time

manara = str(pathlib.Path(sys.argv[1]).resolve())
PATTERNS, OBSERVATIONS = 10_000, 50_000 if "--small" in sys.argv else 400_000
SAMPLE = 150  # patterns and observations each that both look at
dice = random.Random(20261124)


def domain(n):
    return f"h{n}.{('evil', 'bad', 'worse')[n % 3]}-{n % 977}.example"


def sha256(n):
    return hashlib.sha256(str(n).encode()).hexdigest()


def address(n):
    return f"{11 + n % 80}.{n // 80 % 256}.{n // 20480 % 256}.{n % 250 + 1}"


def url(n):
    return f"http://{domain(n)}/load/{n}.php?id={n * 7}"


def patterns():
    """As feeds have them: values, and some of everything else."""
    for n in range(3500):
        yield f"[file:hashes.'SHA-256' = '{sha256(n)}']"
    for n in range(2500):
        yield f"[domain-name:value = '{domain(n)}']"
    for n in range(1500):
        yield f"[ipv4-addr:value = '{address(n)}']"
    for n in range(1000):
        yield f"[url:value = '{url(n)}']"
    for n in range(500):
        names = ", ".join(f"'{domain(5000 + n * 10 + k)}'" for k in range(10))
        yield f"[domain-name:value IN ({names})]"
    for n in range(300):
        yield f"[network-traffic:dst_ref.value = '{address(n)}' AND network-traffic:dst_port = 443]"
    for n in range(200):
        yield f"[ipv4-addr:value ISSUBSET '203.{n}.0.0/16']"
    for n in range(150):
        yield f"[url:value LIKE '%/drop{n}/%']"
    for n in range(150):
        yield f"[process:command_line MATCHES 'powershell.+-enc{n}\\\\b']"
    for n in range(100):
        yield f"([domain-name:value = '{domain(n)}'] FOLLOWEDBY [file:hashes.'SHA-256' = '{sha256(n)}']) WITHIN 3600 SECONDS"
    for n in range(100):
        yield f"[ipv4-addr:value = '{address(2000 + n)}'] REPEATS 3 TIMES WITHIN 600 SECONDS"


def observation(n):
    """One in fifty has something that a pattern looks for."""
    hot = dice.random() < 0.02
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_767_225_600 + n // 10))
    kind = dice.randrange(6)
    known = dice.randrange(100) if dice.random() < 0.5 else dice.randrange(1000)
    k = known if hot else 1_000_000 + dice.randrange(1_000_000)
    tag = f"{n:08x}-0000-4000-8000-000000000000"
    if kind == 0:
        objects = [{"type": "file", "id": f"file--{tag}", "name": f"doc{n}.exe", "size": n, "hashes": {"MD5": sha256(k)[:32], "SHA-256": sha256(k)}}]
    elif kind == 1:
        objects = [{"type": "domain-name", "id": f"domain-name--{tag}", "value": domain(k)}]
    elif kind == 2:
        value = address(2000 + k % 100) if hot and k % 3 == 0 else f"203.{k % 256}.1.9" if hot and k % 3 == 1 else address(k)
        objects = [{"type": "ipv4-addr", "id": f"ipv4-addr--{tag}", "value": value}]
    elif kind == 3:
        value = f"http://www.example/drop{k % 150}/x" if hot and k % 2 else url(k)
        objects = [{"type": "url", "id": f"url--{tag}", "value": value}]
    elif kind == 4:
        port = dice.choice([80, 443, 8080])
        objects = [
            {"type": "ipv4-addr", "id": f"ipv4-addr--{tag}", "value": f"10.0.{n % 256}.7"},
            {"type": "ipv4-addr", "id": f"ipv4-addr--1{tag[1:]}", "value": address(k)},
            {"type": "network-traffic", "id": f"network-traffic--{tag}", "src_ref": f"ipv4-addr--{tag}", "dst_ref": f"ipv4-addr--1{tag[1:]}", "dst_port": port, "protocols": ["tcp"]},
        ]
    else:
        line = f"powershell -nop -enc{k % 150} AAA" if hot else f"C:\\Windows\\system32\\svchost.exe -k netsvcs {n}"
        objects = [{"type": "process", "id": f"process--{tag}", "pid": n % 65536, "command_line": line}]
    seen = {"type": "observed-data", "spec_version": "2.1", "id": f"observed-data--{tag}", "first_observed": at, "last_observed": at,
            "number_observed": 1, "object_refs": [o["id"] for o in objects]}
    return {"type": "bundle", "id": f"bundle--{tag}", "objects": [*objects, seen]}


def ours(patterns, observations, folder):
    """Matches by pattern, seconds, and the largest memory in MB."""
    (folder / "patterns").write_text("\n".join(patterns) + "\n")
    command = [manara, "pattern", "match", "--patterns", str(folder / "patterns"), "--data", str(observations), "--json"]
    began = time.perf_counter()
    with open(folder / "out", "w") as out:
        child = subprocess.Popen(command, stdout=out)
        _, status, usage = os.wait4(child.pid, 0)
    took = time.perf_counter() - began
    assert os.waitstatus_to_exitcode(status) in (0, 1), status
    found, summary = {}, None
    with open(folder / "out") as lines:
        for line in lines:
            told = json.loads(line)
            if "summary" in told:
                summary = told["summary"]
            else:
                found.setdefault(int(told["pattern"]) - 1, []).append(told["observations"])
    assert summary["refused"] == 0 and summary["gave_up"] == 0, summary
    return found, took, usage.ru_maxrss // 1024, summary


def row(what, *cells):
    print("| " + " | ".join([what, *cells]) + " |", flush=True)


with tempfile.TemporaryDirectory(dir="/var/tmp") as place:
    folder = pathlib.Path(place)
    everything = list(patterns())
    assert len(everything) == PATTERNS
    interesting = []
    with open(folder / "data", "w") as out:
        for n in range(OBSERVATIONS):
            bundle = observation(n)
            out.write(json.dumps(bundle, separators=(",", ":")) + "\n")
            if n < 40_000 and len(interesting) < SAMPLE:
                text = json.dumps(bundle)
                if n % 400 == 0 or any(word in text for word in ("/drop", "-enc", '"203.')) or "evil-" in text and "h1" in text and n % 40 == 0:
                    interesting.append(bundle)
    size = (folder / "data").stat().st_size
    print(f"{OBSERVATIONS:,} observations, {size / OBSERVATIONS:.0f} bytes each\n")
    print("| what | patterns | observations/s | pattern × observation pairs/s | memory |\n| --- | --- | --- | --- | --- |")
    rate = 0
    for count in (1, 100, 1000, PATTERNS):
        step = PATTERNS // count
        some = everything[::step][:count]
        best, memory, summary = 1e9, 0, None
        for _ in range(3):
            found, took, memory, summary = ours(some, folder / "data", folder)
            best = min(best, took)
        rate = OBSERVATIONS / best
        row("manara", f"{count:,}", f"{rate:,.0f}", f"{rate * count:,.0f}", f"{memory} MB")
    print(f"\nof {PATTERNS:,} patterns {summary['matched']:,} matched, {summary['matches']:,} matches; brackets: {summary['brackets']}")

    try:
        from stix2matcher.matcher import Pattern
    except ImportError:
        sys.exit("stix2-matcher is not here: pip install stix2-matcher")
    # Those that match something on the sample first, so that the comparison compares something.
    with open(folder / "sample", "w") as out:
        out.writelines(json.dumps(bundle) + "\n" for bundle in interesting)
    found, *_ = ours(everything, folder / "sample", folder)
    chosen = sorted(found)[: SAMPLE // 2]
    chosen += [n for n in range(0, PATTERNS, PATTERNS // (SAMPLE - len(chosen))) if n not in found][: SAMPLE - len(chosen)]
    some = [everything[n] for n in chosen]
    found, *_ = ours(some, folder / "sample", folder)
    compiled = [Pattern(text, stix_version="2.1") for text in some]  # its best: parsed once
    pairs = hits = 0
    began = time.perf_counter()
    for n, pattern in enumerate(compiled):
        if "WITHIN" in some[n]:
            theirs = bool(pattern.match(interesting))
            assert theirs == (n in found), some[n]
            pairs += len(interesting)
            hits += theirs
            continue
        theirs = [b["objects"][-1]["id"] for b in interesting if pattern.match([b])]
        assert theirs == [ids[0] for ids in found.get(n, [])], (some[n], theirs, found.get(n))
        pairs += len(interesting)
        hits += len(theirs)
    took = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    row("stix2-matcher, parsed once", f"{len(some)}", f"{pairs / took / len(some):,.0f}", f"{pairs / took:,.0f}", f"{peak} MB with this script")
    print(f"\nthe same {hits} matches of {len(some)} patterns in {len(interesting)} observations; "
          f"with {PATTERNS:,} patterns: {rate / (pairs / took / PATTERNS):,.0f} times as many observations/s")
