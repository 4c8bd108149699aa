"""Two nodes that speak MISP's sync with each other, in both directions, through a proxy that counts, breaks
off and answers nonsense."""

import gzip
import http.server
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.error
import urllib.request
import uuid

import requests

manara = str(pathlib.Path(sys.argv[1]).resolve())
root = pathlib.Path(__file__).resolve().parent.parent
EVENTS = 500
passed, failed = 0, []


def check(what, good):
    global passed
    if good:
        passed += 1
    else:
        failed.append(f"{what} (line {traceback.extract_stack()[-2].lineno})")


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout[-1000:]}\n{done.stderr[-1000:]}"
    return done.stdout


class Node:
    def __init__(self, folder, name, country, *more, place=None):
        self.data = str(pathlib.Path(folder) / (place or name.replace(" ", "-")))
        made = json.loads(run(manara, "init", "--data", self.data, "--org", name, "--country", country, "--admin", f"admin@{country}.example".lower(), "--json", *more))
        self.key, self.process, self.name = made["api_key"], None, name
        self.user = self.account(name, "user")

    def account(self, org, role):
        email = f"{role}.{uuid.uuid4().hex[:6]}@cert.example"
        return json.loads(run(manara, "user", "add", "--data", self.data, "--org", org, "--email", email, "--role", role, "--json"))["api_key"]

    def start(self):
        self.process = subprocess.Popen([manara, "serve", "--data", self.data, "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = next(line.split()[-1] for line in self.process.stdout if line.startswith("listening on"))
        return self

    def kill(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(30)

    def ask(self, method, path, body=None, key=None, status=200):
        answer = requests.request(method, self.url + path, headers={"Authorization": key or self.key, "Accept": "application/json"}, json=body, timeout=120)
        assert status is None or answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json() if answer.text else None

    def events(self, key=None):
        return {line["uuid"]: line for line in self.ask("GET", "/events/index", key=key)}

    def event(self, which, key=None):
        return self.ask("GET", f"/events/view/{which}/deleted[]:0/deleted[]:1", key=key)["Event"]


class Proxy(http.server.ThreadingHTTPServer):
    """Between two nodes: counts what is asked, and does what `fault` says before it passes on."""

    daemon_threads = True

    def __init__(self, target):
        self.target, self.asked, self.fault = target, [], lambda method, path: None
        super().__init__(("127.0.0.1", 0), Through)
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class Through(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server.asked.append((self.command, self.path))
        canned = self.server.fault(self.command, self.path)
        if canned == "hang up":
            self.close_connection = True
            self.connection.close()
            return
        if canned:
            status, media, content = canned
            return self.answer(status, {"content-type": media}, content)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "content-length", "accept-encoding", "connection")}
        request = urllib.request.Request(self.server.target + self.path, data=body or None, headers=headers, method=self.command)
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                self.answer(reply.status, dict(reply.headers), reply.read())
        except urllib.error.HTTPError as reply:
            self.answer(reply.code, dict(reply.headers), reply.read())

    do_GET = do_POST = do_HEAD = handle_any

    def answer(self, status, headers, content):
        self.send_response(status)
        for name in ("content-type", "Content-Type", "etag", "ETag", "location"):
            if name in headers:
                self.send_header(name, headers[name])
        self.send_header("content-length", str(len(content)))
        try:
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # who asked was killed

    def log_message(self, *_):
        pass


def new_event(n, distribution=2, **more):
    return {"Event": {"uuid": str(uuid.uuid4()), "info": f"Event {n}", "distribution": str(distribution), "published": True,
                      "Attribute": [{"type": "domain", "value": f"h{n}.sync.example", "comment": "c"}, {"type": "ip-dst", "value": f"203.0.{n // 250}.{n % 250}", "distribution": "2"}],
                      "Object": [{"name": "file", "meta-category": "file", "Attribute": [{"type": "md5", "object_relation": "md5", "value": f"{n:032x}"}]}],
                      "Tag": [{"name": "tlp:green"}, {"name": f"batch:{n % 2}"}], **more}}


folder = tempfile.TemporaryDirectory()
a, b = Node(folder.name, "CERT North", "MY"), Node(folder.name, "CERT South", "TR")
a.start()
# Each knows the other's organisation by its own identifier, as two nodes do that met.
b.start()
for node in (a, b):
    node.node = node.ask("GET", "/servers/getVersion")["uuid"]
    node.org = next(o["Organisation"]["uuid"] for o in node.ask("GET", "/organisations/index") if o["Organisation"]["name"] == node.name)
for here, there in ((a, b), (b, a)):
    here.ask("POST", "/admin/organisations/add", {"name": there.name, "uuid": there.org, "local": False})
a.partner, b.partner = a.account("CERT South", "sync"), b.account("CERT North", "sync")
proxy = Proxy(a.url)
number_of_north = next(o["Organisation"]["id"] for o in b.ask("GET", "/organisations/index/scope:all") if o["Organisation"]["name"] == "CERT North")
server = b.ask("POST", "/servers/add", {"name": "North", "url": proxy.url, "authkey": a.partner, "remote_org_id": number_of_north, "pull": True, "push": True, "push_sightings": True, "pull_analyst_data": True, "push_analyst_data": True})["Server"]["id"]


def pull(status=200):
    proxy.asked.clear()
    return b.ask("POST", f"/servers/pull/{server}", status=status)


def push(status=200):
    proxy.asked.clear()
    return b.ask("POST", f"/servers/push/{server}", status=status)


def settled(node=None):
    """Waits until no job is left to do; the jobs, newest first."""
    node = node or b
    for _ in range(600):
        jobs = [line["Job"] for line in node.ask("GET", "/jobs/index/limit:200")]
        if all(job["status"] in "34" for job in jobs):
            return jobs
        time.sleep(0.1)
    raise AssertionError(f"jobs that never end: {[job for job in jobs if job['status'] not in '34'][:3]}")


def publish(node, event):
    """Adds an event that is released, and waits until it has gone wherever it goes."""
    added = node.ask("POST", "/events/add", event, key=node.user)["Event"]
    settled(node)
    return added


def connection():
    tested = b.ask("POST", f"/servers/testConnection/{server}")
    check("tested", tested["status"] == 1 and tested["post"] == 1 and tested["perm_sync"] is True)
    proxy.fault = lambda method, path: (200, "text/html", b"<html>Please log in</html>")
    check("a page", b.ask("POST", f"/servers/testConnection/{server}")["status"] == 2)
    failed_pull = pull(424)
    check("a page is no list of events", "answered with a page where JSON is expected" in failed_pull["message"])
    proxy.fault = lambda method, path: (302, "text/html", b"")
    check("a redirect is not followed", "sends us to" in pull(424)["message"])
    proxy.fault = lambda method, path: (200, "application/json", b'{"truncated": [')
    check("broken JSON", "answered with" in pull(424)["message"])
    times = []
    proxy.fault = lambda method, path: (times.append(1), (503, "application/json", b'{"message": "busy"}'))[1] if len(times) < 2 and "index" in path else None
    check("busy is asked again", pull()["saved"] and len(times) == 2)
    proxy.fault = lambda method, path: "hang up"
    check("away is told", "not reached" in pull(424)["message"])
    proxy.fault = lambda method, path: None
    health = b.ask("GET", f"/servers/view/{server}")["Server"]
    check("the key is not shown", health["authkey"] == "(hidden)")
    check("how it went is", "not reached" in health["last_pull"]["report"]["errors"][0] and health["last_pull"]["at"] > 0)


def pulling():
    for n in range(EVENTS):
        a.ask("POST", "/events/add", new_event(n), key=a.user)
    secret = a.ask("POST", "/events/add", {"Event": {"info": "Stays", "distribution": "0", "published": True}}, key=a.user)["Event"]["uuid"]
    draft = a.ask("POST", "/events/add", {"Event": {"info": "Unpublished", "distribution": "3"}}, key=a.user)["Event"]["uuid"]
    # Broken off: the line dies in the middle, then the node itself is killed in the middle.
    fetched = []
    proxy.fault = lambda method, path: "hang up" if "/events/view/" in path and (fetched.append(path) or len(fetched) > EVENTS // 4) else None
    check("broken off", "not reached" in pull(424)["message"])
    held = len(b.events())
    check("what came is there", EVENTS // 4 <= held < EVENTS)
    seen = []

    def killer(method, path):
        if "/events/view/" in path:
            seen.append(path)
            if len(seen) == EVENTS // 4:
                b.process.send_signal(signal.SIGKILL)
                time.sleep(0.2)
        return None

    proxy.fault = killer
    try:
        pull(None)
    except requests.exceptions.RequestException:
        pass
    b.process.wait(30)
    proxy.fault = lambda method, path: None
    proxy.asked.clear()
    b.start()
    # The job is a row: the node takes it up again by itself.
    job = next(job for job in settled() if job["job_type"] == "pull")
    done = job["report"]
    asked = sum("/events/view/" in path for _, path in proxy.asked)
    check("killed, and what came is there", done["unchanged"] > held and job["retries"] == "1")
    check("goes on by itself where it stopped", done["added"] == EVENTS - done["unchanged"] == asked)
    check("both sides hold the same", done["differing"] == 0 and done["errors"] == [])
    check("and say so", done["events"]["given"] == done["events"]["held"] and done["events"]["held"]["count"] == EVENTS and done["parts"]["held"] == done["parts"]["given"])
    ours, theirs = b.events(), a.events()
    check("all of it, and nothing else", len(ours) == EVENTS and set(ours) == set(theirs) - {secret, draft})
    check("not what stays there", secret not in ours and draft not in ours)
    again = pull()
    check("nothing new is one question", len(proxy.asked) == 1 and again["report"]["offered"] == 0)
    one = b.event(next(iter(ours)))
    check("distribution is lowered once", one["distribution"] == "1" and {x["distribution"] for x in one["Attribute"]} == {"5", "1"})
    check("its author stays", one["Orgc"]["name"] == "CERT North" and one["Org"]["name"] == "CERT South" and one["locked"])
    check("its clock stays", one["timestamp"] == theirs[one["uuid"]]["timestamp"] and one["published"])
    check("its tags came", {t["name"] for t in one["Tag"]} >= {"tlp:green"})


def changes():
    uuids = sorted(a.events(a.user))
    target = next(u for u in uuids if a.event(u)["info"] == "Event 7")
    there = a.event(target)
    gone, kept = there["Attribute"][0], there["Attribute"][1]
    a.ask("POST", f"/attributes/delete/{gone['id']}", key=a.user)
    a.ask("POST", f"/attributes/edit/{kept['id']}", {"comment": "seen again"}, key=a.user)
    a.ask("POST", f"/attributes/add/{target}", {"type": "url", "value": "http://new.sync.example/"}, key=a.user)
    a.ask("POST", f"/objects/edit/{there['Object'][0]['id']}", {"Attribute": [{"type": "filename", "object_relation": "filename", "value": "more.exe"}]}, key=a.user)
    report = a.ask("POST", f"/event_reports/add/{target}", {"name": "What it means", "content": "# text"}, key=a.user)
    a.ask("POST", f"/events/publish/{target}", key=a.user)
    done = pull()["report"]
    check("only what changed", done["updated"] == 1 and sum("/events/view/" in path for _, path in proxy.asked) == 1 and done["differing"] == 0)
    here = b.event(target)
    parts = {x["uuid"]: x for x in here["Attribute"]}
    check("a deleted one is deleted here", parts[gone["uuid"]]["deleted"])
    check("a changed one is changed", parts[kept["uuid"]]["comment"] == "seen again")
    check("a new one is new", any(x["value"] == "http://new.sync.example/" for x in here["Attribute"]))
    check("so is one in an object", len(here["Object"][0]["Attribute"]) == 2)
    check("so is the report", here["EventReport"][0]["uuid"] == report["EventReport"]["uuid"])
    check("an older index changes nothing", pull()["report"]["updated"] == 0)
    strange = new_event(9001)
    strange["Event"]["Attribute"].append({"type": "no-such-type", "category": "Other", "value": "kept as it is", "uuid": str(uuid.uuid4())})
    strange["Event"]["Attribute"].append({"type": "ip-dst", "category": "Network activity", "value": "not an address", "uuid": str(uuid.uuid4())})
    a.ask("POST", "/events/add", strange, key=a.partner)
    done = pull()["report"]
    check("what is not understood is kept", done["added"] == 1 and done["differing"] == 0)
    check("as it was", {"kept as it is", "not an address"} <= {x["value"] for x in b.event(strange["Event"]["uuid"])["Attribute"]})


def rules():
    b.ask("POST", f"/servers/edit/{server}", {"pull_rules": json.dumps({"tags": {"OR": ["batch:1"], "NOT": ["secret"]}, "orgs": {"OR": ["CERT North"], "NOT": []}})})
    wanted, other, hidden = new_event(20001), new_event(20002), new_event(20003)
    hidden["Event"]["Tag"].append({"name": "secret"})
    for event in (wanted, other, hidden):
        a.ask("POST", "/events/add", event, key=a.user)
    done = pull()["report"]
    check("only what the rules want", done["added"] == 1 and wanted["Event"]["uuid"] in b.events())
    b.ask("POST", f"/servers/edit/{server}", {"pull_rules": json.dumps({"tags": {"OR": [], "NOT": []}, "orgs": {"OR": [], "NOT": []}})})
    b.ask("POST", "/eventBlocklists/add", {"uuids": [other["Event"]["uuid"]]})
    b.ask("POST", "/orgBlocklists/add", {"uuids": [str(uuid.uuid4())], "org_name": "nobody"})
    done = pull()["report"]
    check("a blocked one stays out", done["skipped"] == {"blocked here": 1} and other["Event"]["uuid"] not in b.events())
    check("and is no difference", done["differing"] == 0 and done["errors"] == [])


def groups():
    group = a.ask("POST", "/sharing_groups/add", {"SharingGroup": {"name": "North and South", "releasability": "us two"}}, key=a.user)["SharingGroup"]
    south = next(o["Organisation"]["id"] for o in a.ask("GET", "/organisations/index/scope:all") if o["Organisation"]["name"] == "CERT South")
    a.ask("POST", f"/sharing_groups/addOrg/{group['id']}/{south}", {}, key=a.user)
    shared = a.ask("POST", "/events/add", {"Event": {"info": "For us two", "distribution": "4", "sharing_group_id": group["id"], "published": True, "Attribute": [{"type": "domain", "value": "two.sync.example"}]}}, key=a.user)["Event"]
    done = pull()["report"]
    check("a group's event", done["added"] == 1 and done["errors"] == [])
    here = b.event(shared["uuid"])
    check("with its group", here["distribution"] == "4" and here["SharingGroup"]["uuid"] == group["uuid"] and here["SharingGroup"]["name"] == "North and South")
    known = next(g for g in b.ask("GET", "/sharing_groups")["response"] if g["SharingGroup"]["uuid"] == group["uuid"])
    check("and its members", {o["Organisation"]["name"] for o in known["SharingGroupOrg"]} == {"CERT North", "CERT South"})
    third = a.ask("POST", "/admin/organisations/add", {"name": "CERT Third"})["Organisation"]
    a.ask("POST", f"/sharing_groups/addOrg/{group['id']}/{third['id']}", {}, key=a.user)
    a.ask("POST", f"/attributes/add/{shared['uuid']}", {"type": "domain", "value": "three.sync.example"}, key=a.user)
    a.ask("POST", f"/events/publish/{shared['uuid']}", key=a.user)
    pull()
    members = lambda: {o["Organisation"]["name"] for g in b.ask("GET", "/sharing_groups")["response"] if g["SharingGroup"]["uuid"] == group["uuid"] for o in g["SharingGroupOrg"]}
    check("misp_3468: its owner's server tells who is new in it", members() == {"CERT North", "CERT South", "CERT Third"})
    stranger = b.account("CERT Fourth" if b.ask("POST", "/admin/organisations/add", {"name": "CERT Fourth"}) else "", "sync")
    forged = {"uuid": group["uuid"], "name": "ours now", "SharingGroupOrg": [{"Organisation": {"uuid": str(uuid.uuid4()), "name": "Mallory"}}]}
    b.ask("POST", "/events/add", {"Event": {"info": "forged", "distribution": "4", "SharingGroup": forged}}, key=stranger, status=None)
    check("and nobody else's", members() == {"CERT North", "CERT South", "CERT Third"})
    # A group that somebody else says is South's, on South's own node.
    south = {"uuid": b.org, "name": "CERT South"}
    spoken = {"uuid": str(uuid.uuid4()), "name": "South trusts", "organisation_uuid": b.org, "Organisation": south, "SharingGroupOrg": [{"Organisation": south}]}
    b.ask("POST", "/events/add", {"Event": {"info": "in another's name", "distribution": "4", "SharingGroup": spoken}}, key=stranger)
    seen = next(g for g in b.ask("GET", "/sharing_groups", key=b.user)["response"] if g["SharingGroup"]["uuid"] == spoken["uuid"])
    check("nobody makes a group in another's name", not seen["editable"] and seen["Organisation"]["uuid"] != b.org)
    b.ask("POST", f"/sharing_groups/addOrg/{seen['SharingGroup']['id']}/{number_of_north}", {}, key=b.user, status=403)
    hers = {**spoken, "uuid": str(uuid.uuid4()), "name": "South's other node"}
    b.ask("POST", "/events/add", {"Event": {"info": "in her own", "distribution": "4", "SharingGroup": hers}}, key=b.account("CERT South", "sync"))
    seen = next(g for g in b.ask("GET", "/sharing_groups", key=b.user)["response"] if g["SharingGroup"]["uuid"] == hers["uuid"])
    check("but her own server does", seen["editable"] and seen["Organisation"]["uuid"] == b.org)
    alone = a.ask("POST", "/sharing_groups/add", {"SharingGroup": {"name": "North alone"}}, key=a.user)["SharingGroup"]
    a.ask("POST", "/events/add", {"Event": {"info": "For one", "distribution": "4", "sharing_group_id": alone["id"], "published": True}}, key=a.user)
    check("not one that it is not in", pull()["report"]["added"] == 0)


def talk():
    uuids = sorted(b.events())
    target = next(u for u in uuids if b.event(u)["info"] == "Event 9")
    there = a.event(target)
    # A proposal of North's own people, on North's node.
    proposal = a.ask("POST", f"/shadow_attributes/add/{target}", {"type": "ip-src", "category": "Network activity", "value": "203.0.113.240"}, key=a.user)["ShadowAttribute"]
    sighting = a.ask("POST", f"/sightings/add/{there['Attribute'][0]['uuid']}", {"source": "north"}, key=a.user)["Sighting"]
    note = a.ask("POST", f"/analyst_data/add/Note/{target}/Event", {"note": "look at this", "distribution": "3"}, key=a.user)["Note"]
    a.ask("POST", f"/attributes/add/{target}", {"type": "text", "value": "makes it newer"}, key=a.user)
    a.ask("POST", f"/events/publish/{target}", key=a.user)
    done = pull()["report"]
    here = b.event(target)
    check("a proposal comes along", [p["uuid"] for p in here["ShadowAttribute"]] == [proposal["uuid"]])
    check("a note comes along", done["analyst_data"] == 1 and b.ask("GET", f"/analyst_data/view/Note/{note['uuid']}")["Note"]["note"] == "look at this")
    check("its author stays", b.ask("GET", f"/analyst_data/view/Note/{note['uuid']}")["Note"]["Orgc"]["name"] == "CERT North")
    check("a sighting is its holder's alone", sighting["uuid"] not in json.dumps(b.ask("GET", f"/sightings/index/{target}")))
    before = len(b.event(target)["ShadowAttribute"])
    for _ in range(2):
        done = pull()["report"]
        check("proposals do not come again", done["proposals"] == 0 and len(b.event(target)["ShadowAttribute"]) == before)


def pushing():
    tested = b.ask("POST", f"/servers/testConnection/{server}")
    check("tested again", tested["status"] == 1)
    ours = new_event(30001)
    ours["Event"]["Attribute"].append({"type": "text", "value": "for our community", "distribution": "1"})
    ours = publish(b, ours)
    proxy.asked.clear()
    community = publish(b, new_event(30002, distribution=1))
    amber = new_event(30003)
    amber["Event"]["Tag"] = [{"name": "tlp:amber"}]
    amber = publish(b, amber)
    check("what is not for them makes no noise there", proxy.asked == [])
    person = new_event(30004)
    person["Event"]["Attribute"].append({"type": "email-src", "value": "victim@sync.example", "to_ids": False})
    person = publish(b, person)
    there = a.events()
    check("published is pushed", ours["uuid"] in there)
    check("not what is for the community", community["uuid"] not in there)
    check("not what is above the agreement", amber["uuid"] not in there)
    check("a person goes as a pseudonym", "victim@sync.example" not in json.dumps(a.event(person["uuid"])) and person["uuid"] in there)
    got = a.event(ours["uuid"])
    check("distribution is lowered once", got["distribution"] == "1" and got["locked"] and got["Orgc"]["name"] == "CERT South" and got["Org"]["name"] == "CERT South")
    check("what says community stays at home", [(x["type"], x["distribution"]) for x in got["Attribute"]] == [("domain", "5"), ("ip-dst", "1")])
    check("tags and objects came", {t["name"] for t in got["Tag"]} == {"tlp:green", "batch:1"} and len(got["Object"]) == 1)
    again = push()["report"]
    check("nothing twice", again["added"] == again["updated"] == 0 and again["offered"] == again["unchanged"] == again["events"]["held"]["count"])
    check("and nothing of theirs goes back", sum(method == "POST" and "/events/edit" in path for method, path in proxy.asked) == 0)
    b.ask("POST", f"/attributes/add/{ours['uuid']}", {"type": "url", "value": "http://pushed.sync.example/"}, key=b.user)
    check("what is not published stays", all(x["value"] != "http://pushed.sync.example/" for x in a.event(ours["uuid"])["Attribute"]))
    b.ask("POST", f"/events/publish/{ours['uuid']}", key=b.user)
    done = settled()[0]["report"]
    check("a newer version", done["updated"] == 1 and done["differing"] == 0 and any(x["value"] == "http://pushed.sync.example/" for x in a.event(ours["uuid"])["Attribute"]))
    # Back again: what came from here is ours, and is not taken from there.
    done = pull()["report"]
    check("no ping-pong", ours["uuid"] not in json.dumps(done["differences"]) and b.event(ours["uuid"])["locked"] is False)
    check("ours is skipped", done["skipped"].get("ours: it was written here", 0) >= 1)
    # Away while it is published: kept, tried again, and there when it is asked for again.
    proxy.fault = lambda method, path: "hang up"
    late = b.ask("POST", "/events/add", new_event(30006), key=b.user)["Event"]
    for _ in range(200):
        job = b.ask("GET", "/jobs/index/limit:1")[0]["Job"]
        if job["message"]:
            break
        time.sleep(0.1)
    check("a server that is away gets it later", job["status"] == "1" and "not reached" in job["message"] and job["job_input"].endswith(late["uuid"]))
    proxy.fault = lambda method, path: None
    b.ask("POST", f"/events/publish/{late['uuid']}", key=b.user)
    check("and does", settled()[0]["id"] == job["id"] and late["uuid"] in a.events())
    one = new_event(30007)
    one = b.ask("POST", "/events/add", {**one, "Event": {**one["Event"], "published": False}}, key=b.user)["Event"]
    check("one that is not published is not pushed", b.ask("POST", f"/servers/push/{server}/{one['id']}")["report"]["added"] == 0)
    check("one event alone is pulled", b.ask("POST", f"/servers/pull/{server}/{b.event(ours['uuid'])['id']}")["report"]["offered"] <= 1)
    a.ask("POST", "/servers/getVersion", key=a.user, status=None)
    keyless = b.ask("POST", "/servers/add", {"name": "No sync there", "url": a.url, "authkey": a.user, "remote_org_id": number_of_north, "push": True})["Server"]["id"]
    check("a key that may not push", "perm_sync" in b.ask("POST", f"/servers/push/{keyless}", status=424)["message"])
    nobody = b.ask("POST", "/servers/add", {"name": "Whose", "url": a.url, "authkey": a.partner, "push": True})["Server"]["id"]
    check("whose server is it", "remote_org_id" in b.ask("POST", f"/servers/push/{nobody}", status=424)["message"])
    for entry in (keyless, nobody):
        b.ask("POST", f"/servers/delete/{entry}")


def resident(node):
    """Most memory that a node ever had, in megabytes."""
    status = pathlib.Path(f"/proc/{node.process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


def attributes(n):
    return [{"type": "domain", "value": f"h{i}.of-{n}.sync.example", "uuid": str(uuid.uuid4())} for i in range(n)]


def wants():
    """What users of MISP's sync suffer from, by the number of the report."""
    b.ask("POST", f"/servers/edit/{server}", {"pull_galaxy_clusters": False, "push_galaxy_clusters": False})
    # MISP#3381: "complete" with 11,314 of 29,855 attributes.
    large = new_event(40001)
    large["Event"]["Attribute"] = attributes(29_855)
    large = publish(b, large)
    done = settled()[0]["report"]
    check("misp_3381: 29,855 attributes sent are 29,855 there", len(a.event(large["uuid"])["Attribute"]) == 29_855 and done["parts"]["held"] == done["parts"]["given"] and done["parts"]["held"]["count"] == 29_857)
    few = a.event(large["uuid"])
    few["Attribute"], few["attribute_count"] = few["Attribute"][:11_314], "11314"
    def loses(method, path):
        if method == "POST" and "/events/edit/" in path:
            return 200, "application/json", json.dumps({"Event": {**few, "Attribute": []}}).encode()
        if method == "GET" and f"/events/view/{large['uuid']}" in path:
            return 200, "application/json", json.dumps({"Event": few}).encode()
    b.ask("POST", f"/attributes/add/{large['uuid']}", {"type": "url", "value": "http://newer.sync.example/"}, key=b.user)
    proxy.fault = loses
    b.ask("POST", f"/events/publish/{large['uuid']}", key=b.user)
    job = settled()[0]
    difference = job["report"]["differences"][0]
    check("misp_3381: what a partner lost is counted and named", job["report"]["differing"] == 1 and difference["event"] == large["uuid"] and difference["parts"]["held"]["count"] == 11_316 and len(difference["missing"]) == 20 and "18542 of 29858" in difference["reason"])
    check("misp_3381: and it is not called complete", "differ" in job["message"])
    # MISP#5923: the remote answers 500, and the job is "completed".
    proxy.fault = lambda method, path: None
    good, bad = (a.ask("POST", "/events/add", new_event(40002 + n), key=a.user)["Event"]["uuid"] for n in (0, 1))
    proxy.fault = lambda method, path: (500, "application/json", b'{"message": "An Internal Error Has Occurred."}') if f"/events/view/{bad}" in path else None
    done = pull()
    job = next(job for job in settled() if job["job_type"] == "pull")
    check("misp_5923: an error of theirs fails the job", job["status"] == "3" and bad in job["report"]["errors"][0] and "500" in job["report"]["errors"][0])
    check("misp_5923: and stops nothing else", good in b.events() and "are there" in done["message"])
    proxy.fault = lambda method, path: None
    check("misp_5923: it comes the next time", pull()["report"]["added"] == 1 and bad in b.events())
    # MISP#9226: published, and never pushed, because the worker died.
    proxy.fault = lambda method, path: time.sleep(1)
    lost = b.ask("POST", "/events/add", new_event(40004), key=b.user)["Event"]["uuid"]
    b.kill(signal.SIGKILL)
    proxy.fault = lambda method, path: None
    check("misp_9226: killed before it went", lost not in a.events())
    b.start()
    settled()
    check("misp_9226: what was published goes after the crash", lost in a.events())
    # MISP#2223: a tag that was taken away stays elsewhere, and an event has two colours.
    marked = a.ask("POST", "/events/add", new_event(40005), key=a.user)["Event"]["uuid"]
    pull()
    a.ask("POST", "/tags/removeTagFromObject", {"uuid": marked, "tag": "tlp:green"}, key=a.user)
    a.ask("POST", "/tags/attachTagToObject", {"uuid": marked, "tag": "tlp:clear"}, key=a.user)
    a.ask("POST", f"/events/publish/{marked}", key=a.user)
    pull()
    check("misp_2223: a tag that was removed is removed", {t["name"] for t in b.event(marked)["Tag"]} == {"tlp:clear", "batch:1"})
    # MISP#5399: a key that only reads can attach a server and spread on what is for all.
    eye = a.account("CERT South", "reader")
    check("misp_5399: who reads does not synchronise", a.ask("GET", "/servers/getVersion", key=eye)["perm_sync"] is False and a.ask("POST", "/events/add", new_event(40006), key=eye, status=403) and a.ask("POST", "/servers/add", {"name": "x", "url": a.url, "authkey": "x"}, key=eye, status=403))
    # MISP#7992: members of a group repeated in each attribute.
    group = b.ask("POST", "/sharing_groups/add", {"SharingGroup": {"name": "Many"}}, key=b.user)["SharingGroup"]
    for n in range(40):
        org = b.ask("POST", "/admin/organisations/add", {"name": f"Member {n}"})["Organisation"]
        b.ask("POST", f"/sharing_groups/addOrg/{group['id']}/{org['id']}", {}, key=b.user)
    b.ask("POST", f"/sharing_groups/addOrg/{group['id']}/{number_of_north}", {}, key=b.user)
    shared = new_event(40007, distribution=4, sharing_group_id=group["id"])
    shared["Event"]["Attribute"] = [{**one, "distribution": "4", "sharing_group_id": group["id"]} for one in attributes(100)]
    shared = publish(b, shared)
    text = json.dumps(b.event(shared["uuid"]))
    check("misp_7992: members of a group stand once in an event", text.count("Member 39") == 1)
    theirs = a.event(shared["uuid"])
    check("misp_7992: and arrive", len(theirs["Attribute"]) == 100 and all(x["SharingGroup"]["uuid"] == group["uuid"] for x in theirs["Attribute"]) and len(theirs["SharingGroup"]["SharingGroupOrg"]) == 42)
    # A group that names servers travels to them alone; whoever is in it elsewhere has it from his own.
    other = b.ask("POST", "/servers/add", {"name": "Elsewhere", "url": a.url, "authkey": "x", "remote_org_id": number_of_north})["Server"]["id"]
    b.ask("POST", f"/sharing_groups/addServer/{group['id']}/{other}", {}, key=b.user)
    shared = publish(b, new_event(40017, distribution=4, sharing_group_id=group["id"]))
    check("a group that names another server does not travel to this one", shared["uuid"] not in a.events())
    b.ask("POST", f"/sharing_groups/addServer/{group['id']}/{server}", {}, key=b.user)
    b.ask("POST", f"/events/publish/{shared['uuid']}", key=b.user)
    settled()
    check("one that names it does", shared["uuid"] in a.events())
    check("which node a server is, nobody is told", a.node not in json.dumps(b.ask("GET", f"/sharing_groups/view/{group['id']}", key=b.user)))
    b.ask("POST", f"/servers/delete/{other}")
    # MISP#4814: hours although nothing is new, three quarters of it fetched and thrown away.
    blocked = a.ask("POST", "/events/add", new_event(40008), key=a.user)["Event"]["uuid"]
    b.ask("POST", "/eventBlocklists/add", {"uuids": [blocked]})
    done = pull()["report"]
    check("misp_4814: what is blocked is not fetched", done["skipped"]["blocked here"] >= 1 and not any(blocked in path for _, path in proxy.asked))
    pull()
    check("misp_4814: nothing new is one question", len(proxy.asked) == 1)
    # MISP#1407: two upstreams that send each other's proposals to and fro.
    other = b.ask("POST", "/servers/add", {"name": "North by another way", "url": a.url, "authkey": a.partner, "remote_org_id": number_of_north, "pull": True, "push": True})["Server"]["id"]
    target = a.ask("POST", "/events/add", new_event(40009), key=a.user)["Event"]["uuid"]
    a.ask("POST", f"/shadow_attributes/add/{target}", {"type": "ip-src", "category": "Network activity", "value": "203.0.113.241"}, key=a.user)
    for _ in range(2):
        for way in (server, other):
            b.ask("POST", f"/servers/edit/{way}", {"name": f"again {uuid.uuid4()}"})
            b.ask("POST", f"/servers/pull/{way}/full")
            b.ask("POST", f"/servers/push/{way}")
    settled()
    said = [line["Log"] for line in b.ask("POST", "/admin/logs/index", {"limit": 1000, "model": "Event"})]
    check("misp_1407: a proposal is there once", len(b.event(target)["ShadowAttribute"]) == len(a.event(target)["ShadowAttribute"]) == 1)
    check("misp_1407: and nothing is written again and again", sum(target in line["title"] for line in said) <= 3)
    b.ask("POST", f"/servers/delete/{other}")
    # MISP#10753: events above 150,000 attributes need gigabytes.
    huge = new_event(40010)
    huge["Event"]["Attribute"] = attributes(160_000)
    for node in (a, b):
        node.kill()
        node.start()
    proxy.target = a.url
    huge = a.ask("POST", "/events/add/metadata:1", huge, key=a.user)["Event"]["uuid"]
    done = pull(None)
    done = next(job for job in settled() if job["job_type"] == "pull")["report"]
    check("misp_10753: 160,000 attributes are pulled", done["differing"] == 0 and done["parts"]["held"]["count"] == 160_002 and b.event(huge)["attribute_count"] == "160001")
    check(f"misp_10753: in bounded memory ({resident(b):.0f} MB)", resident(b) < 256)
    check(f"misp_10753: on their side too ({resident(a):.0f} MB)", resident(a) < 256)


def clusters():
    """Own clusters of galaxies, pulled and pushed."""
    for node in (a, b, c):
        run(manara, "import", "--data", node.data, "--tlp", "clear", str(root / "fixtures/knowledge/galaxies/threat-actor.galaxy.json"), str(root / "fixtures/knowledge/galaxies/threat-actor.json.zst"))
    b.ask("POST", f"/servers/edit/{server}", {"pull_galaxy_clusters": True, "push_galaxy_clusters": True})
    one = lambda node, which: node.ask("GET", f"/galaxy_clusters/view/{which}")["GalaxyCluster"]

    def make(node, value, distribution=2, publish=True, **more):
        body = {"value": value, "description": "d", "distribution": str(distribution), "authors": ["x"], "GalaxyElement": [{"key": "synonyms", "value": f"{value} II"}], **more}
        made = node.ask("POST", "/galaxy_clusters/add/threat-actor", {"GalaxyCluster": body}, key=node.user)["GalaxyCluster"]
        if publish:
            node.ask("POST", f"/galaxy_clusters/publish/{made['uuid']}", key=node.user)
        return made["uuid"]

    other = make(a, "Related", 3)
    wide = make(a, "Wide", 2)
    for how, level in (("uses", "2"), ("secretly", "0")):
        a.ask("POST", "/galaxy_cluster_relations/add", {"galaxy_cluster_uuid": wide, "referenced_galaxy_cluster_uuid": other, "referenced_galaxy_cluster_type": how, "distribution": level}, key=a.user)
    a.ask("POST", f"/galaxy_clusters/publish/{wide}", key=a.user)
    alone, draft = make(a, "Alone", 0), make(a, "Draft", 3, publish=False)
    tagged = new_event(40001)
    tagged["Event"]["Tag"].append({"name": f'misp-galaxy:threat-actor="{wide}"'})
    a.ask("POST", "/events/add", tagged, key=a.user)
    done = pull()["report"]
    check(f"pulled: {done['errors']}", done["clusters"] == 2 and done["errors"] == [])
    here, there = one(b, wide), one(a, wide)
    check("its author and clock", here["Orgc"]["name"] == "CERT North" and here["Org"]["name"] == "CERT South" and here["version"] == there["version"] and here["locked"] and here["published"])
    check("lowered once", here["distribution"] == "1" and one(b, other)["distribution"] == "3")
    check("its elements", [(e["key"], e["value"]) for e in here["GalaxyElement"]] == [("synonyms", "Wide II")])
    check("its relations, but those of theirs alone", [(r["referenced_galaxy_cluster_uuid"], r["referenced_galaxy_cluster_type"], r["distribution"]) for r in here["GalaxyClusterRelation"]] == [(other, "uses", "1")])
    check("not what stays there, or is not released", all("GalaxyCluster" not in b.ask("GET", f"/galaxy_clusters/view/{which}", status=404) for which in (alone, draft)))
    check("on the event with its tag", b.event(tagged["Event"]["uuid"])["Galaxy"][0]["GalaxyCluster"][0]["value"] == "Wide")
    check("not for changing here", "errors" not in b.ask("POST", f"/galaxy_clusters/edit/{wide}", {"value": "Mine"}, key=b.user, status=403) and one(b, wide)["value"] == "Wide")
    done = pull()["report"]
    check("not twice", done["clusters"] == 0 and not any("/galaxy_clusters/view" in path for _, path in proxy.asked))
    a.ask("POST", f"/galaxy_clusters/edit/{wide}", {"value": "Wider"}, key=a.user)
    check("not before it is released", pull()["report"]["clusters"] == 0 and one(b, wide)["value"] == "Wide")
    a.ask("POST", f"/galaxy_clusters/publish/{wide}", key=a.user)
    check("a newer version", pull()["report"]["clusters"] == 1 and one(b, wide)["value"] == "Wider")
    both = str(uuid.uuid4())
    make(b, "Ours", 3, publish=False, uuid=both)
    make(a, "Theirs", 3, uuid=both)
    check("ours is not overwritten", pull()["report"]["skipped"].get("cluster: ours: it was written here") == 1 and one(b, both)["value"] == "Ours")
    b.ask("POST", f"/galaxy_clusters/delete/{other}/1")
    check("what was deleted for good stays out", pull()["report"]["skipped"].get("cluster: blocked here") == 1 and "GalaxyCluster" not in b.ask("GET", f"/galaxy_clusters/view/{other}", status=404))
    proxy.fault = lambda method, path: (200, "application/json", b'{"GalaxyCluster": {"uuid": "x"}}') if "/galaxy_clusters/view" in path else None
    a.ask("POST", f"/galaxy_clusters/edit/{wide}", {"value": "Widest"}, key=a.user)
    a.ask("POST", f"/galaxy_clusters/publish/{wide}", key=a.user)
    check("another than was asked for", any("another cluster" in error for error in pull()["report"]["errors"]) and one(b, wide)["value"] == "Wider")
    proxy.fault = lambda method, path: (403, "application/json", b'{"message": "no"}') if "/galaxy_clusters/restSearch" in path else None
    refused = pull()["report"]
    check("who gives none is told of, and the rest goes on", any("clusters: HTTP 403" in error for error in refused["errors"]) and refused["offered"] > 0)
    proxy.fault = lambda method, path: None

    # Push
    ours = make(b, "From the South", 2)
    for how, level in (("uses", "3"), ("quietly", "1")):
        b.ask("POST", "/galaxy_cluster_relations/add", {"galaxy_cluster_uuid": ours, "referenced_galaxy_cluster_uuid": wide, "referenced_galaxy_cluster_type": how, "distribution": level}, key=b.user)
    b.ask("POST", f"/galaxy_clusters/publish/{ours}", key=b.user)
    community, unreleased = make(b, "At home", 1), make(b, "Not yet", 3, publish=False)
    done = push()["report"]
    check(f"pushed: {done['errors']}", done["clusters"] == 1 and done["errors"] == [])
    got = one(a, ours)
    check("as we wrote it", got["value"] == "From the South" and got["Orgc"]["name"] == "CERT South" and got["locked"] and got["published"] and got["version"] == one(b, ours)["version"])
    check("lowered on the way", got["distribution"] == "1" and [(r["referenced_galaxy_cluster_type"], r["distribution"]) for r in got["GalaxyClusterRelation"]] == [("uses", "3")])
    check("not what is for us, or not released", all("GalaxyCluster" not in a.ask("GET", f"/galaxy_clusters/view/{which}", status=404) for which in (community, unreleased)))
    done = push()["report"]
    check("nothing twice, and nothing of theirs back", done["clusters"] == 0 and not any("/galaxies/pushCluster" in path for _, path in proxy.asked))
    b.ask("POST", f"/galaxy_clusters/edit/{ours}", {"description": "newer"}, key=b.user)
    b.ask("POST", f"/galaxy_clusters/publish/{ours}", key=b.user)
    proxy.fault = lambda method, path: (500, "application/json", b'{"message": "broken"}') if "/galaxies/pushCluster" in path else None
    check("a failure is named", any("HTTP 500" in error for error in push()["report"]["errors"]))
    proxy.fault = lambda method, path: None
    check("and it goes the next time", push()["report"]["clusters"] == 1 and one(a, ours)["description"] == "newer")
    b.ask("POST", f"/galaxy_clusters/publish/{both}", key=b.user)
    b.ask("POST", f"/galaxy_clusters/edit/{both}", {"description": "newer than theirs"}, key=b.user)
    b.ask("POST", f"/galaxy_clusters/publish/{both}", key=b.user)
    done = push()["report"]
    check("what they wrote is theirs", done["skipped"].get("cluster: theirs: it was written there") == 1 and one(a, both)["value"] == "Theirs")
    b.ask("POST", f"/servers/edit/{server}", {"pull_galaxy_clusters": False, "push_galaxy_clusters": False})
    check("off is off", pull()["report"]["clusters"] == push()["report"]["clusters"] == 0 and not any("galax" in path for _, path in proxy.asked))


def recorded_clusters():
    """A real MISP's cluster, given to a node that pulls and has no such galaxy."""
    answers = {(pair["request"]["method"], pair["request"]["path"]): pair["response"]["body"] for pair in exchanges() if "galaxy_clusters" in pair["request"]["path"] and pair["file"][:3] < "030"}
    answers[("POST", "/events/index")] = []
    recording = Proxy("http://127.0.0.1:9")
    recording.fault = lambda method, path: (200, "application/json", json.dumps(answers.get((method, path), [])).encode())
    which = d.ask("POST", "/servers/add", {"name": "A's clusters", "url": recording.url, "authkey": "k" * 40, "remote_org_id": "1", "pull": True, "pull_galaxy_clusters": True})["Server"]["id"]
    done = d.ask("POST", f"/servers/pull/{which}")["report"]
    check(f"one cluster: {done}", done["clusters"] == 1 and done["errors"] == [])
    held = d.ask("GET", "/galaxy_clusters/view/eeb50a6f-4dd2-4f1b-98e5-1e154920387c")["GalaxyCluster"]
    check("as it was", (held["value"], held["version"], held["distribution"], held["Orgc"]["uuid"]) == ("CustomActor", "1795492773", "3", ORGA) and held["locked"])
    check("in its galaxy", held["Galaxy"]["uuid"] == "698774c7-8022-42c4-917f-8d6e4f06ada3" and [g["Galaxy"]["name"] for g in d.ask("GET", "/galaxies/index")] == ["Threat Actor"])
    check("once", d.ask("POST", f"/servers/pull/{which}")["report"]["clusters"] == 0)


def clusters_moved():
    """What `moving` brought over besides: clusters, as they were and whose they were."""
    listed = lambda node: {c["GalaxyCluster"]["uuid"]: c["GalaxyCluster"] for c in node.ask("POST", "/galaxy_clusters/restSearch", {"custom": 1})["response"]}
    there, here = listed(a), listed(e)
    check("all of them", set(here) == set(there) and len(here) >= 5)
    same = lambda one: (one["value"], one["version"], one["distribution"], one["published"], one["locked"], one["Orgc"]["uuid"], len(one["GalaxyClusterRelation"]))
    check("as they were", {u: same(c) for u, c in here.items()} == {u: same(c) for u, c in there.items()})


def nonsense():
    """A partner that answers what nobody expects, at every step: it is told, and breaks nothing."""
    good = new_event(50001)["Event"]
    line = {"uuid": good["uuid"], "timestamp": "1790000000", "orgc_uuid": str(uuid.uuid4()), "published": True}
    deep = json.dumps([])
    for _ in range(100_000):
        deep = f"[{deep}]" if len(deep) < 120_000 else deep
    wholes = [None, True, 7, "text", [], {}, [[]], {"Event": []}, {"Event": {"uuid": 5}}, {"response": {}}, {"errors": [None]}]
    odd_lines = ["x", 5, None, [], {"uuid": 7}, {"uuid": good["uuid"], "timestamp": -5}, {"uuid": good["uuid"], "timestamp": "9" * 40}, {"uuid": good["uuid"], "timestamp": {}, "orgc_uuid": []}, {**line, "sighting_timestamp": [1]}]
    odd_events = [
        {**good, "Attribute": "x"}, {**good, "Attribute": [None, 5, [], {"uuid": 5}, {"type": [], "value": {}}]}, {**good, "Object": [{"Attribute": [5, None]}]},
        {**good, "Tag": [None, {"name": 5}, "x"]}, {**good, "timestamp": "1e99", "date": "0000-99-99"}, {**good, "Orgc": "x", "Org": 5}, {**good, "SharingGroup": [], "distribution": "4"},
        {**good, "distribution": "99"}, {**good, "Attribute": [{"uuid": good["uuid"], "type": "ip-dst", "value": "203.0.113.9"}] * 3}, {**good, "EventReport": [{"name": None}], "ShadowAttribute": {"a": 1}},
        {**good, "info": "\u202e" * 10_000}, {**good, "Attribute": [{"type": "ip-dst", "value": "203.0.113.9", "first_seen": "-9999999999999999", "last_seen": []}]},
    ]
    answers = {"index": [wholes, [odd_lines], [[line]]], "view": [{"Event": event} for event in odd_events]}
    tried = 0

    def say(path, method, what):
        return lambda how, where: (200, "application/json", what.encode()) if path in where and (how == method or not method) else None

    b.ask("POST", f"/servers/edit/{server}", {"pull_galaxy_clusters": True, "pull_analyst_data": True})
    for whole in [*wholes, odd_lines, [line] * 3]:
        for path in ("/events/index", "/shadow_attributes/index", "/sightings/restSearch", "/analyst_data/indexMinimal", "/galaxy_clusters/restSearch", "/servers/getVersion"):
            proxy.fault = say(path, None, json.dumps(whole))
            b.ask("POST", f"/servers/pull/{server}", status=None)
            tried += 1
    proxy.fault = say("/events/index", None, deep)
    b.ask("POST", f"/servers/pull/{server}", status=None)
    for answer in answers["view"]:
        proxy.fault = lambda how, where: (200, "application/json", json.dumps([line] if "/events/index" in where else answer).encode()) if "/events/index" in where or "/events/view" in where else None
        b.ask("POST", f"/servers/pull/{server}", status=None)
        tried += 1
    for path in ("/events/filterEventIdsForPush", "/events/add", "/events/edit", "/analyst_data/filterAnalystDataForPush", "/servers/getVersion"):
        for whole in wholes:
            proxy.fault = say(path, None, json.dumps(whole))
            b.ask("POST", f"/servers/push/{server}", status=None)
            tried += 1
    proxy.fault = lambda method, path: None
    jobs = settled()[:tried + 1]
    check(f"{tried} answers that make no sense break nothing", b.process.poll() is None and not any("inside" in job["message"] for job in jobs))
    # What of it could be read as an event may be here; what is ours is as it was.
    if good["uuid"] in b.events():
        b.ask("POST", f"/events/delete/{good['uuid']}", status=None)
    b.ask("POST", f"/servers/edit/{server}", {"pull_galaxy_clusters": False})
    done = pull()["report"]
    check(f"and afterwards both sides agree again: {done['errors']}", done["differing"] == 0 and done["errors"] == [])


def endless():
    """A partner whose list of proposals never ends: the pull does."""
    proposal = lambda: {"ShadowAttribute": {"uuid": str(uuid.uuid4()), "event_uuid": str(uuid.uuid4())}}
    same, asked = [proposal() for _ in range(1000)], len(proxy.asked)
    proxy.fault = lambda how, where: (200, "application/json", json.dumps(same).encode()) if "/shadow_attributes/index" in where else None
    # An index that has not changed would ask for no proposals.
    b.ask("POST", f"/servers/pull/{server}/update", status=None)
    pages = sum("/shadow_attributes/index" in path for _, path in proxy.asked[asked:])
    proxy.fault = lambda method, path: None
    check(f"a page that says the same again is the last: {pages}", 0 < pages <= 2)
    settled()


def broken():
    """An event whose answer always breaks off costs the others nothing; a partner that is gone is not asked on and on."""
    add = lambda n: a.ask("POST", "/events/add", new_event(30000 + n), key=a.user)["Event"]["uuid"]
    bad, *good = map(add, range(5))
    proxy.fault = lambda method, path: "hang up" if f"/events/view/{bad}" in path else None
    done = pull()["report"]
    check("one event that breaks off stops no other", set(good) <= set(b.events()) and bad not in b.events())
    check("and is named", done["failing"] == 1 and bad in done["errors"][0] and "not reached" in done["errors"][0])
    more = list(map(add, range(5, 10)))
    proxy.fault = lambda method, path: "hang up" if "/events/view/" in path else None
    check("a partner that is gone is told", "not reached" in pull(424)["message"])
    asked = {path for _, path in proxy.asked if "/events/view/" in path}
    check(f"after three events: {len(asked)}", len(asked) == 3)
    proxy.fault = lambda method, path: None
    check("all of it comes the next time", pull()["report"]["added"] == 6 and {bad, *more} <= set(b.events()))


def exchanges():
    with gzip.open(root / "fixtures/misp-wire/sync.jsonl.gz") as lines:
        return [json.loads(line) for line in lines]


def whole(value):
    """Without the places where the recording was cut."""
    if isinstance(value, dict):
        return {name: whole(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [whole(inner) for inner in value if not (isinstance(inner, str) and inner.startswith("…"))]
    return value


ORGA, ORGB = "4559e8f9-e134-44d7-9de7-fc3c7912d340", "bbbbbbbb-0000-4000-8000-000000000001"


def recorded_server():
    """What a real MISP (B) asked of another (A), asked of a node that holds what A held."""
    c.start()
    for name, uuid_ in (("ORGA", ORGA), ("ORGB", ORGB)):
        c.ask("POST", "/admin/organisations/add", {"name": name, "uuid": uuid_, "local": True})
    holder, partner = c.account("ORGA", "sync"), c.account("ORGB", "sync")
    pairs = exchanges()
    check("all of them", len(pairs) == 71)
    for pair in pairs:
        if pair["file"][:3] in ("009", "010", "011"):
            c.ask("POST", "/events/add", whole(pair["response"]["body"]), key=holder)
    cluster = next(pair["response"]["body"]["GalaxyCluster"] for pair in pairs if pair["file"][:3] == "005")
    c.ask("POST", "/galaxy_clusters/add/threat-actor", {"GalaxyCluster": cluster}, key=holder)
    c.ask("POST", f"/galaxy_clusters/publish/{cluster['uuid']}", key=holder)
    tags, met = {}, 0
    for pair in pairs:
        request, response, name = pair["request"], pair["response"], pair["file"]
        if name[:3] == "071":
            continue  # a failure of MISP's
        body = whole(request["body"])
        headers = {"Authorization": partner, "Accept": "application/json", "Content-Type": "application/json"}
        known = request["headers"].get("If-None-Match")
        if known:
            headers["If-None-Match"] = tags.get(known, known)
        data = json.dumps(body).encode() if body not in (None, "") else None
        if request["headers"].get("Content-Encoding") == "gzip":
            headers["Content-Encoding"], data = "gzip", gzip.compress(data)
        answer = requests.request(request["method"], c.url + request["path"], headers=headers, data=data, timeout=60)
        status = answer.status_code
        # Between two of its questions A's own people changed something, of which the recording has no request.
        if response["status"] == 200 and status == 304:
            status = 200
        elif response["status"] == 304 and status == 200:
            tags[known] = answer.headers["etag"]
            status = 304
        if "etag" in answer.headers and response["headers"].get("ETag"):
            tags[response["headers"]["ETag"]] = answer.headers["etag"]
        check(f"{name}: {response['status']} there, {answer.status_code} here: {answer.text[:200]}", status == response["status"])
        met += status == response["status"]
        theirs = whole(response["body"])
        if isinstance(theirs, dict) and answer.status_code == 200 and answer.text:
            ours = answer.json()
            # A's own note is in no recording, so none can be told of.
            missing = {member for member in theirs if member not in ours} - ({"Note"} if "indexMinimal" in name else set())
            check(f"{name}: {missing} is missing", not missing)
            if "Event" in theirs and "Event" in ours:
                gone = {member for member in theirs["Event"] if member not in ours["Event"]} - {"event_creator_email"}
                check(f"{name}: of the event {gone} is missing", not gone)
        if isinstance(theirs, list) and theirs and answer.status_code == 200 and answer.json():
            ours = answer.json()
            check(f"{name}: a line of the list", not isinstance(theirs[0], dict) or set(theirs[0]) <= set(ours[0]))
        if name[:3] in ("005", "057"):
            gone = {member for member in theirs["GalaxyCluster"] if member not in ours["GalaxyCluster"]}
            check(f"{name}: of the cluster {gone} is missing", not gone)
        if name[:3] in ("007", "059"):
            check(f"{name}: {answer.text}", answer.json()["errors"] == theirs["errors"])
    check(f"{met} of the exchanges", met >= 68)
    check("what B pushed is here", {"ab1b1e33-86ce-461d-8c63-027cc187397c", "cb68bd16-02b9-4941-af12-8cfd6a972384"} <= set(c.events()))
    pushed = c.event("ab1b1e33-86ce-461d-8c63-027cc187397c")
    check("as B wrote it", pushed["Orgc"]["uuid"] == ORGB and pushed["timestamp"] == "1795492828" and pushed["locked"])


def recorded_client():
    """A real MISP's answers (A), given to a node that pulls: the events come in, lowered by one."""
    answers = {}
    for pair in exchanges():
        path = pair["request"]["path"].split("/timestamp:")[0] if "shadow_attributes" in pair["request"]["path"] else pair["request"]["path"]
        answers.setdefault((pair["request"]["method"], path), whole(pair["response"]["body"]))
    recording = Proxy("http://127.0.0.1:9")

    def play(method, path):
        path = path.split("/timestamp:")[0] if "shadow_attributes" in path else path
        body = answers.get((method, path))
        return (404, "application/json", b"{}") if body is None else (200, "application/json", json.dumps(body).encode())

    recording.fault = play
    d.start()
    d.ask("POST", "/admin/organisations/add", {"name": "ORGA", "uuid": ORGA, "local": False})
    server_a = d.ask("POST", "/servers/add", {"name": "A", "url": recording.url, "authkey": "k" * 40, "remote_org_id": "1", "pull": True})["Server"]["id"]
    report = d.ask("POST", f"/servers/pull/{server_a}")["report"]
    check(f"three events: {report}", report["offered"] == 3 and report["added"] == 3 and report["differing"] == 0)
    check("a proposal, once", len(d.event("c509cc44-3219-4222-b92e-84ead56f18a0")["ShadowAttribute"]) == 1)
    levels = {uuid_: (d.event(uuid_)["distribution"], {x["distribution"] for x in d.event(uuid_)["Attribute"]}) for uuid_ in d.events()}
    check("this community is ours alone", levels["9def8595-a9f5-4020-b59a-d1019a7072ef"][0] == "0")
    check("connected is our community", levels["c509cc44-3219-4222-b92e-84ead56f18a0"][0] == "1")
    check("the group stays a group", levels["9ecc4055-b287-4db7-b0e4-abbeead99dbc"][0] == "4")
    check("of its members", {"ORGB"} == {o["Organisation"]["name"] for g in d.ask("GET", "/sharing_groups")["response"] if g["SharingGroup"]["name"] == "sg1" for o in g["SharingGroupOrg"]})
    check("their author", {d.event(uuid_)["Orgc"]["uuid"] for uuid_ in d.events()} == {ORGA})
    again = d.ask("POST", f"/servers/pull/{server_a}")["report"]
    check("once", again["added"] == again["updated"] == again["proposals"] == 0)


def moving():
    """A whole MISP (North, which answers like one) brought over by the command line; broken off, and gone on."""
    command = [manara, "import", "--data", e.data, "--from-misp", proxy.url, "--key", a.key, "--json"]
    fetched = []
    proxy.fault = lambda method, path: "hang up" if "/events/view/" in path and (fetched.append(path) or len(fetched) > 120) else None
    broken = subprocess.run(command, capture_output=True, text=True, timeout=120)
    check("broken off, and says so", broken.returncode == 1 and "run it again to go on" in broken.stderr)
    check("with progress", "of" in broken.stderr and "events" in broken.stderr)
    proxy.fault = lambda method, path: None
    done = json.loads(run(*command))
    there = a.events()
    check("goes on", done["unchanged"] == 120 and done["added"] == len(there) - 120 and done["differing"] == 0 and done["errors"] == [])
    check("accounts and organisations", done["accounts"] == 0 and done["events"] == len(there))
    again = json.loads(run(*command))
    check("nothing twice", again["added"] == again["updated"] == again["accounts"] == again["tags"] == again["feeds"] == again["servers"] == 0 and again["unchanged"] == len(there))
    e.start()
    here = e.events()
    check("all of it", set(here) == set(there))
    sample = next(iter(sorted(here)))
    left, right = a.event(sample), e.event(sample)
    for member in ("info", "date", "timestamp", "published", "distribution", "threat_level_id", "analysis", "attribute_count"):
        check(f"{member} is the same", left[member] == right[member])
    check("parts are the same", {(x["uuid"], x["value"], x["distribution"]) for x in left["Attribute"]} == {(x["uuid"], x["value"], x["distribution"]) for x in right["Attribute"]})
    check("who wrote and who holds it", (left["Orgc"]["uuid"], left["Org"]["uuid"]) == (right["Orgc"]["uuid"], right["Org"]["uuid"]))
    groups = lambda node: {g["SharingGroup"]["uuid"] for g in node.ask("GET", "/sharing_groups")["response"]}
    check("sharing groups", groups(a) == groups(e))
    emails = lambda node: {u["User"]["email"] for u in node.ask("GET", "/admin/users")}
    check("accounts", emails(a) <= emails(e))
    check("their keys are not the old ones", requests.get(f"{e.url}/events/index", headers={"Authorization": a.user}, timeout=30).status_code == 403)
    tags = lambda node: {t["name"] for t in node.ask("GET", "/tags/index")["Tag"]}
    check("tags", tags(a) <= tags(e))
    # The same organisation's new node: it is one there, and reads what is its alone.
    f = Node(folder.name, "CERT North", "MY", "--org-uuid", a.org, place="moved")
    moved = json.loads(run(*(f.data if word == e.data else word for word in command)))
    f.start()
    try:
        names = [o["Organisation"]["name"] for o in f.ask("GET", "/organisations/index/scope:all")]
        check("one organisation, of the same identifier", names.count("CERT North") == 1 and not any(name.startswith("CERT North (") for name in names) and moved["errors"] == [])
        own = {uuid for uuid, line in there.items() if line["distribution"] == "0" and line["Orgc"]["uuid"] == a.org}
        check("what is its alone is its people's", own and own <= set(f.events(key=f.user)))
    finally:
        f.kill()
    wrong = subprocess.run([manara, "import", "--data", e.data, "--from-misp", "ftp://x", "--key", "k"], capture_output=True, text=True)
    check("an address that is none", wrong.returncode == 1 and "https://" in wrong.stderr)
    keyless = subprocess.run([manara, "import", "--data", e.data, "--from-misp", a.url], capture_output=True, text=True)
    check("without a key", keyless.returncode == 2 and "--key" in keyless.stderr)


e = Node(folder.name, "CERT Fresh", "SN")
c, d = Node(folder.name, "CERT West", "NG"), Node(folder.name, "CERT East", "KZ")
try:
    for work in (connection, pulling, changes, rules, groups, talk, pushing, clusters, nonsense, endless, broken, wants, recorded_server, recorded_client, recorded_clusters, moving, clusters_moved):
        try:
            work()
        except Exception:  # noqa: BLE001 - told, and the others go on
            failed.append(f"{work.__name__}: {traceback.format_exc(limit=-4)}")
finally:
    for node in (a, b, c, d, e):
        if node.process:
            node.kill()
for node in (a, b, c, d, e):
    verified = subprocess.run([manara, "verify", "--data", node.data], capture_output=True, text=True)
    check(f"{node.name}: what was written agrees: {verified.stdout[-300:]}{verified.stderr[-300:]}", verified.returncode == 0)
for line in failed:
    print(f"FAILED {line}")
print(f"{passed} passed, {len(failed)} failed")
sys.exit(1 if failed else 0)
