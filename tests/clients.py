"""Other people's programs on our output: stix2, PyMISP, and the consumers of block lists that this machine has."""

import csv
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import stix2
from pymisp import MISPEvent

manara = str(pathlib.Path(sys.argv[1]).resolve())
root = pathlib.Path(__file__).resolve().parent.parent
passed, skipped = 0, []


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done.stdout


def check(what, good):
    global passed
    assert good, what
    passed += 1


def program(name):
    found = shutil.which(name, path="/usr/sbin:/sbin:/usr/bin:/bin:/usr/local/bin")
    if not found:
        skipped.append(name)
    return found


with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    data = str(folder / "node")
    run(manara, "init", "--data", data, "--org", "CERT Clients", "--country", "MY", "--admin", "a@cert.example")
    sources = ["misp", "knowledge/warninglists", "indicators/domains-2000.txt", "indicators/ips-2000.txt",
               "indicators/cidr4-2000.txt", "indicators/cidr6-2000.txt", "indicators/urls-2000.txt", "indicators/hashes-2000.txt"]
    for source in sources:
        code = subprocess.run([manara, "import", "--data", data, "--tlp", "clear", str(root / "fixtures" / source)], capture_output=True).returncode
        check(f"import of {source}", code in (0, 3))

    def export(name, audience="self"):
        target = folder / f"out.{name}"
        run(manara, "export", "--data", data, "--format", name, "--audience", audience, "-o", str(target))
        return target

    # STIX: the reference library reads every object, and the same content is the same bundle.
    text = export("stix").read_text()
    bundle = stix2.parse(text, allow_custom=True)
    kinds = {o["type"] if isinstance(o, dict) else o.type for o in bundle.objects}
    check("indicators, observed data, reports, identities", {"indicator", "observed-data", "report", "identity"} <= kinds)
    check("deterministic", export("stix").read_text() == text)
    refs = {o["id"] for o in json.loads(text)["objects"]}
    reports = [o for o in json.loads(text)["objects"] if o["type"] == "report"]
    check("nothing dangles", all(ref in refs for report in reports for ref in report["object_refs"]))

    # MISP: PyMISP loads every event, and finds as many attributes as there are.
    events = json.loads(export("misp").read_text())["response"]
    check("26 events and six lists", len(events) == 32)
    for event in events:
        title, count = event["Event"]["info"], len(event["Event"].get("Attribute", []))
        loaded = MISPEvent()
        loaded.from_dict(**event)  # takes the dictionary apart
        check(f"attributes survive PyMISP: {title}", len(loaded.attributes) == count)
    feed = folder / "feed"
    run(manara, "export", "--data", data, "--format", "misp-feed", "--audience", "self", "-o", str(feed))
    manifest = json.loads((feed / "manifest.json").read_text())
    check("the feed's files", {f"{uuid}.json" for uuid in manifest} <= {p.name for p in feed.iterdir()})

    rows = list(csv.DictReader(export("csv").open(newline="")))
    check("CSV rows", len(rows) > 9000 and all(row["type"] and row["value"] for row in rows))
    check("no formulas", not any(cell and cell[0] in "=+-@" for row in rows for cell in row.values()))
    lines = export("text").read_text().splitlines()
    check("text: each value once", len(lines) == len(rows) and len(set(lines)) > 0.99 * len(lines))

    if tool := program("named-checkzone"):
        run(tool, "-i", "none", "rpz.example", str(export("rpz")))
        check("BIND takes the zone", True)
    if tool := program("unbound-checkconf"):
        run(tool, str(export("unbound")))
        check("Unbound takes the zones", True)
    if tool := program("nft"):
        done = subprocess.run([tool, "-c", "-f", str(export("nftables"))], capture_output=True, text=True)
        if "Operation not permitted" in done.stderr or "cache initialization failed" in done.stderr or "netlink" in done.stderr.lower():
            skipped.append("nft (this kernel does not let it look)")
        else:
            check(f"nftables takes the sets: {done.stderr[:500]}", done.returncode == 0)
    if tool := program("squid"):
        config = folder / "squid.conf"
        config.write_text("http_port 3128\nvisible_hostname test\n" + export("squid").read_text())
        done = subprocess.run([tool, "-k", "parse", "-f", str(config)], capture_output=True, text=True)
        complaint = [line for line in done.stderr.splitlines() if "ERROR" in line or "FATAL" in line]
        check(f"Squid takes the lists: {complaint[:3]}", done.returncode == 0 and not complaint)
    if tool := program("suricata"):
        run(tool, "-T", "-S", str(export("suricata")), "-l", str(folder))
        check("Suricata takes the rules", True)
    zeek = [line.split("\t") for line in export("zeek").read_text().splitlines()]
    check("Zeek: five fields a line", zeek[0][0] == "#fields" and all(len(line) == 5 for line in zeek[1:]))
    hosts = [line for line in export("hosts").read_text().splitlines() if not line.startswith("#")]
    check("hosts lines", len(hosts) > 1500 and all(line.startswith("0.0.0.0 ") for line in hosts))
    check("ipset lines", export("ipset").read_text().startswith("create manara4 hash:net"))

    # A warning-listed name is held back, and told.
    (folder / "popular.txt").write_text("google.com\nevil-and-unknown.com\n10.1.2.3\n")
    run(manara, "import", "--data", data, "--tlp", "clear", str(folder / "popular.txt"))
    done = subprocess.run([manara, "export", "--data", data, "--format", "hosts", "--audience", "self"], capture_output=True, text=True)
    check("held back", "0.0.0.0 evil-and-unknown.com\n" in done.stdout and "0.0.0.0 google.com\n" not in done.stdout)
    check("and told", "held back" in done.stderr)
    check("private addresses are never blocked", "10.1.2.3" not in export("nftables").read_text())

for name in skipped:
    print(f"skipped: {name} is not to be had on this machine")
print(f"{passed} passed, 0 failed")
