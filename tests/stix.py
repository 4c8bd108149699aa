"""Other people's programs on our STIX: OASIS' validator and library, and a bundle that goes from node to node over MISP's API."""
import json
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

import stix2
from stix2validator import ValidationOptions, validate_instance

manara, root, passed = sys.argv[1], pathlib.Path(__file__).resolve().parent.parent, 0


def check(what, right):
    global passed
    if not right:
        sys.exit(f"FAILED: {what}")
    passed += 1


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in (0, 3):
        sys.exit(f"FAILED: {' '.join(command)}\n{done.stderr}")
    return done.stdout


def valid(what, bundle):
    """No errors; warnings are recommendations (names for indicators, random identifiers)."""
    found = validate_instance(bundle, ValidationOptions(version="2.1"))
    check(f"{what}: {[str(error)[:300] for error in found.errors[:5]]}", found.is_valid)


def without_numbers(event):
    """What a node says of itself (numbers, names, clocks) is another one's on another node."""
    keep = ("type", "category", "value", "comment", "to_ids", "uuid", "timestamp", "first_seen", "last_seen", "object_relation")

    def part(one):
        return {name: one.get(name) or None for name in keep} | {"tags": sorted(tag["name"] for tag in one.get("Tag", []))}

    objects = [(one["uuid"], one["name"], one["comment"], sorted((part(a) for a in one.get("Attribute", [])), key=lambda a: a["uuid"])) for one in event["Object"]]
    head = {name: event[name] for name in ("uuid", "info", "date", "threat_level_id", "analysis", "distribution")}
    reports = sorted((one["uuid"], one["name"], one["content"]) for one in event["EventReport"])
    return head, sorted((part(a) for a in event["Attribute"]), key=lambda a: a["uuid"]), sorted(objects, key=lambda o: o[0]), reports, sorted(tag["name"] for tag in event.get("Tag", []))


class Node:
    def __init__(self, folder, name):
        self.data = str(folder / name)
        made = json.loads(run(manara, "init", "--data", self.data, "--org", name, "--country", "MY", "--admin", "a@cert.example", "--json"))
        self.key = made["api_key"]

    def serve(self):
        self.server = subprocess.Popen([manara, "serve", "--data", self.data, "--listen", "127.0.0.1:0", "--log", "error"], stdout=subprocess.PIPE, text=True)
        self.url = next(line.split()[-1] for line in self.server.stdout if line.startswith("listening on"))
        return self

    def ask(self, path, body):
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), {"Authorization": self.key, "Accept": "application/json", "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            sys.exit(f"FAILED: {path}: {error.code} {error.read()[:500]}")

    def stop(self):
        self.server.terminate()
        self.server.wait(20)


with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    one, other = Node(folder, "one"), Node(folder, "other")
    run(manara, "import", "--data", one.data, str(root / "fixtures/misp"))
    (folder / "list.txt").write_text("evil.example\n198.51.100.7\nhttp://evil.example/x\n")
    run(manara, "import", "--data", one.data, "--tlp", "green", str(folder / "list.txt"))
    bundle = json.loads(run(manara, "export", "--data", one.data, "--format", "stix", "--audience", "self"))
    valid("export", bundle)
    observables = [o for o in bundle["objects"] if o["type"] in ("domain-name", "ipv4-addr", "file", "network-traffic", "windows-registry-key", "mutex", "url")]
    check("observables", len(observables) > 500)
    same = 0
    for observable in observables:
        # The library makes the identifier from the content where none is given.
        anew = stix2.parse({name: value for name, value in observable.items() if name != "id"}, version="2.1", allow_custom=True)
        same += anew.id == observable["id"]
    check(f"identifiers are those of OASIS' library ({same} of {len(observables)})", same > 0.99 * len(observables))

    try:
        one.serve(), other.serve()
        events = one.ask("/events/restSearch", {"returnFormat": "json"})["response"]
        check("events", len(events) >= 26)
        for event in (event["Event"] for event in events):
            bundle = one.ask("/events/restSearch", {"returnFormat": "stix2", "uuid": event["uuid"]})
            if len(event["Attribute"]) < 60:
                valid(f"stix2 of {event['info']}", bundle)
            stored = other.ask("/events/upload_stix/2", bundle)["Event"]
            for n, (came, went) in enumerate(zip(without_numbers(event), without_numbers(stored))):
                if came != went:
                    pairs = zip(came, went) if isinstance(came, list) else [(came, went)]
                    first = next(((a, b) for a, b in pairs if a != b), (len(came), len(went)))
                    sys.exit(f"FAILED: {event['info']} came back otherwise ({n}):\n{first[0]}\n{first[1]}")
            check("not published by an upload", not stored["published"])
        bundle = one.ask("/events/restSearch", {"returnFormat": "stix2", "limit": 3})
        bundle["objects"] += [o | {"id": "grouping--5a3c2fcd-8328-42bb-a95e-4f4402de0b81", "name": "new"} for o in bundle["objects"] if o["type"] in ("report", "grouping")][:1]
        several = other.ask("/events/upload_stix/2", bundle)
        check("of several events those that are new", len(several["id"]) == 1 and len(several["errors"]) == 3)
        for path in sorted((root / "fixtures/stix").glob("amnesty-*.json")):
            stored = other.ask("/events/upload_stix/2", json.loads(path.read_text()))["Event"]
            check(f"{path.name}: attributes to look for", len(stored["Attribute"]) > 3 and any(a["to_ids"] for a in stored["Attribute"]))
    finally:
        one.stop(), other.stop()

print(f"{passed} passed, 0 failed")
