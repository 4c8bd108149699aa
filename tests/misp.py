"""PyMISP, as it comes from PyPI, against the running binary: every area of MISP's API, and what other
organisations may see of it."""

import base64
import gzip
import hashlib
import io
import json
import logging
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import traceback
import uuid
import zipfile

import requests
from pymisp import (
    MISPAttribute, MISPCorrelationExclusion, MISPEvent, MISPEventReport, MISPFeed, MISPNote, MISPObject, MISPOpinion,
    MISPOrganisation, MISPRelationship, MISPRole, MISPServer, MISPSharingGroup, MISPSighting, MISPTag, MISPUser, PyMISP,
)

logging.getLogger("pymisp").setLevel(logging.CRITICAL)
manara = str(pathlib.Path(sys.argv[1]).resolve())
root = pathlib.Path(__file__).resolve().parent.parent
passed, failed = 0, []


def check(what, good):
    global passed
    if good:
        passed += 1
    else:
        frame = traceback.extract_stack()[-2]
        failed.append(f"{what} (line {frame.lineno})")


def area(work):
    """One area: what throws is a failure of it, and the others go on."""
    try:
        work()
    except Exception:  # noqa: BLE001 - whatever it was, it is told
        failed.append(f"{work.__name__}: {traceback.format_exc(limit=-4)}")


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode in (0, 3), f"{command}: {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done.stdout


folder = tempfile.TemporaryDirectory()
data = str(pathlib.Path(folder.name) / "node")
where = ["--data", data]
# On a server, when there is one: see scripts/postgres.sh.
database = os.environ.get("MANARA_TEST_POSTGRES")
if database:
    subprocess.run(["psql", database, "-qc", "CREATE DATABASE misp_door"], check=True)
    where += ["--database", f"{database.rsplit('/', 1)[0]}/misp_door"]
made = json.loads(run(manara, "init", *where, "--org", "CERT Alpha", "--country", "MY", "--admin", "admin@alpha.example", "--json"))
for org in ("CERT Beta", "CERT Gamma"):
    run(manara, "org", "add", *where, "--name", org, "--country", "TR")


def account(org, email, role):
    return json.loads(run(manara, "user", "add", *where, "--org", org, "--email", email, "--role", role, "--json"))["api_key"]


for source in ("knowledge/warninglists", "knowledge/taxonomies", "knowledge/galaxies", "knowledge/objects"):
    run(manara, "import", *where, "--tlp", "clear", str(root / "fixtures" / source))
keys = {
    "admin": made["api_key"],
    "alpha": account("CERT Alpha", "user@alpha.example", "user"),
    "beta": account("CERT Beta", "user@beta.example", "user"),
    "gamma": account("CERT Gamma", "user@gamma.example", "user"),
    "reader": account("CERT Alpha", "reader@alpha.example", "reader"),
    "sync": account("CERT Beta", "sync@beta.example", "sync"),
    "manager": account("CERT Alpha", "manager@alpha.example", "org-admin"),
}
server = subprocess.Popen([manara, "serve", *where, "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
url = next(line.split()[-1] for line in server.stdout if line.startswith("listening on"))
admin, alpha, beta, gamma, reader, sync, manager = (
    PyMISP(url, keys[who], ssl=False) for who in ("admin", "alpha", "beta", "gamma", "reader", "sync", "manager")
)


def raw(who, method, path, body=None, **more):
    headers = {"Authorization": keys[who], "Accept": "application/json", "Content-Type": "application/json", **more.pop("headers", {})}
    text = body if body is None or isinstance(body, (str, bytes)) else json.dumps(body)
    return requests.request(method, f"{url}{path}", headers=headers, data=text, timeout=30, **more)


def event(info, distribution=1, *values):
    new = MISPEvent()
    new.info, new.distribution = info, distribution
    for ty, value in values:
        new.add_attribute(ty, value)
    return new


def errors(answer):
    return isinstance(answer, dict) and "errors" in answer


def door():
    version = admin.misp_instance_version
    check("version", version["version"].startswith("2.5."))
    check("rights of a sync user", sync.misp_instance_version["perm_sync"] is True)
    check("rights of another", alpha.misp_instance_version["perm_sync"] is False)
    check("recommended PyMISP", admin.recommended_pymisp_version["version"].startswith("2.5."))
    check("ACL", "events" in admin.remote_acl())
    wrong = requests.get(f"{url}/events/index", headers={"Authorization": "x" * 40}, timeout=30)
    check("a wrong key is 403", wrong.status_code == 403 and wrong.json()["message"].startswith("Authentication failed."))
    check("no key is 403", requests.get(f"{url}/events/index", timeout=30).status_code == 403)
    check("the other header", requests.get(f"{url}/users/view/me", headers={"X-MISP-AUTH": keys["alpha"]}, timeout=30).json()["User"]["email"] == "user@alpha.example")
    check(".json", raw("alpha", "GET", "/events/index.json").json() == [])
    check("no such controller", raw("alpha", "GET", "/nosuchcontroller/x").status_code == 404)
    check("no such action", raw("alpha", "POST", "/events/nosuchaction/x/y").status_code == 404)
    bad = raw("alpha", "POST", "/events/add", '{"Event":')
    check("broken JSON is 405", bad.status_code == 405 and bad.json()["name"].startswith("Invalid JSON input."))
    check("a change by GET is refused", raw("alpha", "GET", "/events/delete/1").status_code == 405)
    check("GET describes", raw("alpha", "GET", "/eventReports/add").json()["mandatory_fields"] == ["name"])
    packed = gzip.compress(json.dumps({"testString": "é" * 100}).encode())
    echo = raw("sync", "POST", "/servers/postTest", packed, headers={"Content-Encoding": "gzip"}).json()
    check("a packed body", echo["body"]["testString"] == "é" * 100 and echo["headers"]["Authorization"] == "OK")
    check("a body that is not gzip", raw("sync", "POST", "/servers/postTest", b"nonsense", headers={"Content-Encoding": "gzip"}).status_code == 400)
    check("an unknown encoding", raw("sync", "POST", "/servers/postTest", b"x", headers={"Content-Encoding": "br"}).status_code == 415)
    check("describeTypes", set(admin.describe_types_remote["types"]) >= {"md5", "ip-dst", "filename|sha256"})
    check("the same types as PyMISP knows", set(admin.describe_types_remote["types"]) == set(admin.describe_types_local["types"]))


def events():
    new = event("Phishing حملة تصيد 🎣", 1, ("ip-dst", "198.51.100.7"), ("domain", "Evil.Example.ORG"))
    new.add_tag("tlp:green")
    new.attributes[0].add_tag("tlp:amber")
    new.threat_level_id, new.analysis, new.date = 2, 1, "2026-11-01"
    added = alpha.add_event(new, pythonify=True)
    check("added", added.uuid == new.uuid and added.info == new.info)
    check("attributes came along", [a.value for a in added.attributes] == ["198.51.100.7", "evil.example.org"])
    check("with their tags", added.attributes[0].tags[0].name == "tlp:amber" and added.tags[0].name == "tlp:green")
    check("threat, analysis, date", (int(added.threat_level_id), int(added.analysis), str(added.date)) == (2, 1, "2026-11-01"))
    check("its author", added.orgc.name == "CERT Alpha" and added.org.uuid == added.orgc.uuid)
    check("by number", alpha.get_event(added.id, pythonify=True).uuid == added.uuid)
    check("by identifier", alpha.get_event(added.uuid, pythonify=True).id == added.id)
    check("exists", alpha.event_exists(added) and not alpha.event_exists(str(uuid.uuid4())))
    missing = alpha.get_event(99999999)
    check("404", missing["errors"][0] == 404 and missing["errors"][1]["message"] == "Invalid event")
    check("numbers are texts", isinstance(alpha.get_event(added.id)["Event"]["id"], str))
    twice = raw("alpha", "POST", "/events/add", {"Event": {"uuid": added.uuid, "info": "again"}})
    check("the same again", twice.status_code == 404 and twice.json()["name"].startswith("Event already exists") and twice.headers["location"].endswith(f"/events/{added.id}"))
    none = raw("alpha", "POST", "/events/add", {"Event": {"distribution": "0"}})
    check("without a title", none.status_code == 403 and none.json()["errors"] == {"Event": {"info": ["valueNotEmpty"]}})
    half = raw("alpha", "POST", "/events/add", {"Event": {"info": "half good", "Attribute": [{"type": "ip-dst", "value": "no-ip"}, {"type": "nosuch", "value": "x"}, {"type": "ip-dst", "value": "203.0.113.9"}]}}).json()
    check("good rows are saved", [a["value"] for a in half["Event"]["Attribute"]] == ["203.0.113.9"])
    check("bad ones are told", [w["place"] for w in half["warnings"]] == ["/Attribute/0", "/Attribute/1"])
    check("metadata only", "Attribute" not in alpha.add_event(event("head only", 0, ("md5", "a" * 32)), metadata=True)["Event"])
    added.info = "Phishing, second look"
    added.add_attribute("url", "http://evil.example.org/login")
    changed = alpha.update_event(added, pythonify=True)
    check("changed", changed.info == "Phishing, second look" and len(changed.attributes) == 3)
    check("its number stays", changed.id == added.id)
    old = raw("alpha", "POST", f"/events/edit/{added.uuid}", {"Event": {"info": "old news", "timestamp": "1000"}})
    check("an older version is refused", old.status_code == 403 and "not newer" in old.json()["errors"] and old.json()["id"] == str(added.id))
    check("and changed nothing", alpha.get_event(added.id)["Event"]["info"] == "Phishing, second look")
    check("publish", alpha.publish(added)["saved"] and alpha.get_event(added.id, pythonify=True).published)
    check("publish_timestamp", alpha.get_event(added.id, pythonify=True).publish_timestamp.timestamp() > 0)
    check("unpublish", alpha.unpublish(added)["success"] and not alpha.get_event(added.id, pythonify=True).published)
    changed = alpha.get_event(added.id, pythonify=True)
    changed.distribution = 0
    narrowed = alpha.update_event(changed, pythonify=True)
    check("distribution changes in place", int(narrowed.distribution) == 0 and [a.id for a in narrowed.attributes] == [a.id for a in changed.attributes])
    check("and is obeyed", errors(beta.get_event(added.uuid)))
    lines = alpha.events(pythonify=True)
    check("index", {e.info for e in lines} >= {"Phishing, second look", "head only", "half good"})
    extending = event("more of it", 1)
    extending.extends_uuid = added.uuid
    more = alpha.add_event(extending, pythonify=True)
    whole = alpha.get_event(added.uuid, extended=True)
    check("extended by", list(whole["Event"]["extensionEvents"]) == [str(more.id)])
    check("free text", {a["Attribute"]["value"] for a in alpha.freetext(more, "see hxxp://bad[.]example/x and 203.0.113[.]44")} == {"http://bad.example/x", "203.0.113.44"})
    check("delete", alpha.delete_event(more)["saved"] and errors(alpha.get_event(more.uuid)))
    check("blocked since", raw("alpha", "POST", "/events/add", {"Event": {"uuid": more.uuid, "info": "again"}}).status_code == 403)
    feed = added.to_feed(with_meta=True)
    check("PyMISP makes a feed of it", feed["Event"]["uuid"] == added.uuid and feed["Event"]["_manifest"])
    check("contact says why not", errors(alpha.contact_event_reporter(added, "hello")))
    check("enrich says why not", errors(alpha.enrich_event(added, "dns")))
    check("a reader can't add", errors(reader.add_event(event("no", 0))))
    check("a reader reads", reader.get_event(added.uuid, pythonify=True).id == added.id)


def index():
    a = alpha.add_event(event("Index Alpha one", 1, ("domain", "one.index.example")), pythonify=True)
    b = beta.add_event(event("Index Beta two", 1), pythonify=True)
    alpha.tag(a, "index:tag")
    alpha.publish(a)
    found = lambda who=alpha, **filters: {e.uuid for e in who.search_index(pythonify=True, **filters)}
    check("by title", found(eventinfo="Index Alpha") == {a.uuid})
    check("by organisation", b.uuid in found(org="CERT Beta") and a.uuid not in found(org="CERT Beta"))
    check("by organisation's number", found(org=a.orgc_id) >= {a.uuid})
    check("by tag", found(tags="index:tag") == {a.uuid})
    check("by published", a.uuid in found(published=True) and b.uuid not in found(published=True))
    check("by number", found(eventid=[a.id, b.id]) == {a.uuid, b.uuid})
    check("by attribute", found(attribute="one.index.example") == {a.uuid})
    check("by date", a.uuid in found(date_from="2020-01-01") and not found(date_from="2099-01-01"))
    check("by timestamp", a.uuid in found(timestamp="1d") and not found(timestamp=[1, 2]))
    check("by publish_timestamp", a.uuid in found(publish_timestamp="1h"))
    check("by threat level", a.uuid in found(threatlevel=4))
    check("not this organisation", a.uuid not in {e["uuid"] for e in raw("alpha", "POST", "/events/index", {"org": "!CERT Alpha"}).json()})
    first = raw("alpha", "POST", "/events/index", {"limit": 1, "page": 1}).json()
    second = raw("alpha", "POST", "/events/index", {"limit": 1, "page": 2}).json()
    check("pages", len(first) == len(second) == 1 and first[0]["uuid"] != second[0]["uuid"])
    check("how many there are", int(raw("alpha", "POST", "/events/index", {"limit": 1}).headers["x-result-count"]) > 1)
    down = [int(e["id"]) for e in raw("alpha", "GET", "/events/index/sort:id/direction:desc").json()]
    check("order", down == sorted(down, reverse=True))
    minimal = raw("sync", "POST", "/events/index", {"minimal": 1, "published": 1})
    line = next(e for e in minimal.json() if e["uuid"] == a.uuid)
    check("minimal", set(line) == {"id", "timestamp", "sighting_timestamp", "published", "uuid", "orgc_uuid"})
    known = {"If-None-Match": minimal.headers["etag"]}
    check("304 while nothing changes", raw("sync", "POST", "/events/index", {"minimal": 1, "published": 1}, headers=known).status_code == 304)
    alpha.add_attribute(a, {"type": "domain", "value": "new.index.example"})
    alpha.publish(a)
    check("200 once something did", raw("sync", "POST", "/events/index", {"minimal": 1, "published": 1}, headers=known).status_code == 200)
    wants = raw("sync", "POST", "/events/filterEventIdsForPush", [{"Event": {"uuid": a.uuid, "timestamp": "1"}}, {"Event": {"uuid": str(uuid.uuid4()), "timestamp": "5"}}]).json()
    check("wants what it has not", len(wants) == 1 and wants[0] != a.uuid)
    check("a title that is no number", errors(alpha.search_index(timestamp="soon")))


def attributes():
    home = alpha.add_event(event("Attributes", 1), pythonify=True)
    one = alpha.add_attribute(home, {"type": "url", "value": "http://attr.example/x", "comment": "c"}, pythonify=True)
    check("added", one.value == "http://attr.example/x" and one.category == "Network activity" and one.to_ids)
    check("viewed by number", alpha.get_attribute(one.id, pythonify=True).uuid == one.uuid)
    check("viewed by identifier", alpha.get_attribute(one.uuid)["Attribute"]["event_uuid"] == home.uuid)
    check("exists", alpha.attribute_exists(one) and not alpha.attribute_exists(str(uuid.uuid4())))
    check("halves", raw("alpha", "POST", f"/attributes/add/{home.id}", {"type": "domain|ip", "value": "two.example|192.0.2.4"}).json()["Attribute"]["value2"] == "192.0.2.4")
    again = alpha.add_attribute(home, {"type": "url", "value": "http://attr.example/x"})
    check("the same again", again["errors"][1]["errors"] == {"value": ["A similar attribute already exists for this event."]})
    bad = alpha.add_attribute(home, {"type": "ip-dst", "value": "zz"})
    check("no address", bad["errors"][0] == 403 and bad["errors"][1]["errors"] == {"value": ["IP address has an invalid format."]})
    bad = alpha.add_attribute(home, {"type": "md5", "value": "zz"})
    check("no hash", "expected: 32 hexadecimal" in bad["errors"][1]["errors"]["value"][0])
    bad = alpha.add_attribute(home, {"type": "md5", "category": "Network activity", "value": "a" * 32})
    check("a category that it can't have", "type" in bad["errors"][1]["errors"])
    many = raw("alpha", "POST", f"/attributes/add/{home.id}", [{"type": "md5", "value": "d" * 32}, {"type": "md5", "value": "zz"}, {"type": "sha1", "value": "E" * 40}]).json()
    check("several, good and bad", [a["value"] for a in many["Attribute"]] == ["d" * 32, "e" * 40] and list(many["errors"]) == ["attribute_1"])
    many = alpha.add_attribute(home, [{"type": "text", "value": f"line {n}"} for n in range(50)], pythonify=True)
    check("fifty at once", len(many["attributes"] if isinstance(many, dict) else many) == 50)
    one.comment, one.to_ids = "edited", False
    changed = alpha.update_attribute(one, pythonify=True)
    check("edited", changed.comment == "edited" and not changed.to_ids and changed.id == one.id)
    check("the event knows", alpha.get_event(home.id, pythonify=True).timestamp >= home.timestamp)
    changed.first_seen, changed.last_seen = "2026-10-01T00:00:00+00:00", "2026-10-02T00:00:00+00:00"
    check("first and last seen", str(alpha.update_attribute(changed, pythonify=True).last_seen) == "2026-10-02 00:00:00+00:00")
    wrong = raw("alpha", "POST", f"/attributes/edit/{one.uuid}", {"first_seen": "2026-10-03T00:00:00Z", "last_seen": "2026-10-02T00:00:00Z"})
    check("in the wrong order", "last_seen" in wrong.json()["errors"])
    check("deleted", alpha.delete_attribute(one)["message"] == "Attribute deleted.")
    check("and not shown", one.uuid not in {a.uuid for a in alpha.get_event(home.id, pythonify=True).attributes})
    check("unless asked for", one.uuid in {a.uuid for a in alpha.get_event(home.id, deleted=[0, 1], pythonify=True).attributes})
    check("restored", not alpha.restore_attribute(one)["Attribute"]["deleted"])
    check("deleted for good", alpha.delete_attribute(one, hard=True)["message"] == "Attribute deleted." and errors(alpha.get_attribute(one.uuid)))
    check("the others stay", len(alpha.get_event(home.id, pythonify=True).attributes) == 53)
    stored = raw("alpha", "POST", f"/attributes/add/{home.id}", {"type": "malware-sample", "value": "evil.exe", "data": base64.b64encode(b"MZ not really").decode(), "encrypt": True}).json()
    md5 = hashlib.md5(b"MZ not really").hexdigest()
    check("a sample's hash", stored["Attribute"]["value"] == f"evil.exe|{md5}")
    back = alpha.get_attribute(stored["Attribute"]["uuid"], pythonify=True)
    check("a sample comes back", back.malware_binary.getvalue() == b"MZ not really" and back.malware_filename == "evil.exe")
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(alpha.get_attribute(back.uuid)["Attribute"]["data"]))) as packed:
        check("in a zip that any unzip opens", packed.read(md5, b"infected") == b"MZ not really")
    file = alpha.add_attribute(home, {"type": "attachment", "value": "note.txt", "data": base64.b64encode(b"hello").decode()}, pythonify=True)
    check("an attachment", alpha.get_attribute(file.uuid, pythonify=True).data.getvalue() == b"hello")
    check("data that is no base64", errors(alpha.add_attribute(home, {"type": "attachment", "value": "x", "data": "%%%"})))
    check("index", len(alpha.attributes(pythonify=True)) > 50)
    statistics = alpha.attributes_statistics()
    check("statistics", int(statistics["text"]) >= 50)
    check("in percent", alpha.attributes_statistics(context="category", percentage=True)["Other"].endswith("%"))
    check("another's event is not for changing", raw("beta", "POST", f"/attributes/add/{home.id}", {"type": "text", "value": "x"}).status_code == 403)
    check("enrich says why not", errors(alpha.enrich_attribute(file, "dns")))


def objects():
    home = alpha.add_event(event("Objects", 1, ("ip-dst", "198.51.100.50")), pythonify=True)
    file = MISPObject("file")
    file.add_attribute("filename", "b.exe")
    file.add_attribute("md5", "e" * 32)
    added = alpha.add_object(home, file, pythonify=True)
    check("added", added.name == "file" and {a.object_relation for a in added.attributes} == {"filename", "md5"})
    check("viewed", alpha.get_object(added.id, pythonify=True).uuid == added.uuid and alpha.object_exists(added))
    check("in its event", alpha.get_event(home.id, pythonify=True).objects[0].attributes[0].value == "b.exe")
    added.add_attribute("sha1", "f" * 40)
    added.comment = "now with more"
    changed = alpha.update_object(added, pythonify=True)
    check("another attribute", len(changed.attributes) == 3 and changed.comment == "now with more")
    check("its number stays", changed.id == added.id and {a.id for a in added.attributes if hasattr(a, "id")} <= {a.id for a in changed.attributes})
    late = alpha.add_attribute(home, {"type": "domain", "value": "late.example"}, pythonify=True)
    whole = alpha.get_event(home.id, pythonify=True)
    check("attributes and objects apart", len(whole.attributes) == 2 and len(whole.objects) == 1 and len(whole.objects[0].attributes) == 3)
    check("how many", int(whole.attribute_count) == 5)
    link = changed.add_reference(late.uuid, "connected-to", "c")
    reference = alpha.add_object_reference(link, pythonify=True)
    check("a reference", reference.referenced_uuid == late.uuid and reference.relationship_type == "connected-to")
    check("in its object", alpha.get_object(added.id, pythonify=True).references[0].uuid == reference.uuid)
    check("taken back", alpha.delete_object_reference(reference)["saved"] and not alpha.get_object(added.id, pythonify=True).references)
    stray = raw("alpha", "POST", "/objectReferences/add", {"object_uuid": added.uuid, "referenced_uuid": str(uuid.uuid4()), "relationship_type": "x"})
    check("a reference to nothing", stray.status_code == 404)
    check("by name", [o.uuid for o in alpha.search(controller="objects", object_name="file", eventid=home.id, pythonify=True)] == [added.uuid])
    check("by value", [o.uuid for o in alpha.search(controller="objects", value="b.exe", pythonify=True)] == [added.uuid])
    twin = MISPObject("file")
    for relation, value in (("filename", "b.exe"), ("md5", "e" * 32), ("sha1", "f" * 40)):
        twin.add_attribute(relation, value)
    check("the same again is refused", errors(alpha.add_object(home, twin, break_on_duplicate=True)))
    check("without attributes", raw("alpha", "POST", f"/objects/add/{home.id}", {"Object": {"name": "file"}}).status_code == 403)
    check("deleted", alpha.delete_object(added)["saved"] and not alpha.get_event(home.id, pythonify=True).objects)
    check("kept as deleted", alpha.get_event(home.id, deleted=[0, 1], pythonify=True).objects[0].deleted)
    check("templates", any(t.name == "file" for t in alpha.object_templates(pythonify=True)))
    template = next(t for t in alpha.object_templates(pythonify=True) if t.name == "file")
    check("a template", alpha.get_object_template(template.uuid, pythonify=True).name == "file")
    check("a template as it came", "attributes" in alpha.get_raw_object_template("file"))
    check("update answers", admin.update_object_templates()["saved"])


def tags():
    home = alpha.add_event(event("Tags", 1, ("domain", "tags.example")), pythonify=True)
    check("on an event", alpha.tag(home, "case:one")["saved"])
    check("on an attribute", alpha.tag(home.attributes[0], "case:two", local=True)["saved"])
    whole = alpha.get_event(home.id, pythonify=True)
    check("there they are", [t.name for t in whole.tags] == ["case:one"] and [t.name for t in whole.attributes[0].tags] == ["case:two"])
    check("ours alone", whole.attributes[0].tags[0].local)
    check("twice is once", alpha.tag(home, "case:one")["saved"] and len(alpha.get_event(home.id, pythonify=True).tags) == 1)
    check("off", alpha.untag(home, "case:one")["saved"] and not alpha.get_event(home.id, pythonify=True).tags)
    check("what is not on can't come off", errors(alpha.untag(home, "case:one")))
    tag = MISPTag()
    tag.name, tag.colour = "case:made", "#ff0000"
    new = alpha.add_tag(tag, pythonify=True)
    check("made", new.colour == "#ff0000" and alpha.get_tag(new.id, pythonify=True).name == "case:made")
    new.colour = "#00ff00"
    check("changed", admin.update_tag(new, pythonify=True).colour == "#00ff00")
    check("hidden", admin.disable_tag(new, pythonify=True).hide_tag and not admin.enable_tag(new, pythonify=True).hide_tag)
    check("searched", {t.name for t in alpha.search_tags("case:%", pythonify=True)} >= {"case:two", "case:made"})
    check("exactly", [t.name for t in alpha.search_tags("case:made", strict_tagname=True, pythonify=True)] == ["case:made"])
    listed = {t.name: t for t in alpha.tags(pythonify=True)}
    check("counted", listed["case:two"].attribute_count == 1 and listed["case:made"].count == 0)
    check("taken away", admin.delete_tag(new)["saved"] and errors(alpha.get_tag(new.id)))
    check("not while in use", errors(admin.delete_tag(listed["case:two"].id)))
    check("a user takes none away", errors(alpha.delete_tag(listed["case:two"].id)))
    check("statistics", int(alpha.tags_statistics()["tags"]["case:two"]) == 1)
    taxonomy = next(t for t in alpha.taxonomies(pythonify=True) if t.namespace == "tlp")
    check("taxonomies", int(taxonomy.id) > 0)
    check("one", {e["tag"] for e in alpha.get_taxonomy(taxonomy.id)["entries"]} >= {"tlp:red", "tlp:clear"})
    check("enabled", admin.enable_taxonomy(taxonomy.id)["saved"] and alpha.get_taxonomy("tlp", pythonify=True).enabled)
    check("its tags", admin.enable_taxonomy_tags(taxonomy.id)["saved"] and alpha.search_tags("tlp:red", strict_tagname=True))
    check("required", admin.set_taxonomy_required(taxonomy.id, True)["saved"])
    check("hidden tags", admin.disable_taxonomy_tags(taxonomy.id)["saved"])
    check("disabled", admin.disable_taxonomy(taxonomy.id)["saved"] and not alpha.get_taxonomy("tlp", pythonify=True).enabled)
    check("a user enables none", errors(alpha.enable_taxonomy(taxonomy.id)))
    check("update answers", admin.update_taxonomies()["saved"])


def searching():
    one = event("Search one", 1, ("ip-src", "203.0.113.77"), ("domain", "a.search.example"), ("filename|sha256", "x.exe|" + "ab" * 32), ("text", "plain words"), ("email-src", "bad@search.example"))
    one.attributes[0].to_ids = False
    one.attributes[1].add_tag("search:attribute")
    one.add_tag("search:event")
    one = alpha.add_event(one, pythonify=True)
    two = alpha.add_event(event("Search two", 1, ("ip-dst", "203.0.113.77"), ("hostname", "b.search.example")), pythonify=True)
    alpha.publish(one)
    values = lambda **filters: sorted(a.value for a in alpha.search(controller="attributes", pythonify=True, **filters))
    of = [one.id, two.id]
    check("exact", values(value="203.0.113.77") == ["203.0.113.77"] * 2)
    check("in another spelling", values(value="A.Search.EXAMPLE") == ["a.search.example"])
    check("an end", values(value="%.search.example") == ["a.search.example", "b.search.example"])
    check("a beginning", values(value="203.0.113.%", eventid=of) == ["203.0.113.77"] * 2)
    check("a half", values(value="ab" * 32) == ["x.exe|" + "ab" * 32])
    check("the other half", values(value="x.exe", eventid=of) == ["x.exe|" + "ab" * 32])
    check("a text", values(value="plain words") == ["plain words"])
    check("an address of a person, by its holder", values(value="bad@search.example") == ["bad@search.example"])
    check("several", values(value=["a.search.example", "b.search.example"]) == ["a.search.example", "b.search.example"])
    check("not this", "203.0.113.77" not in values(eventid=of, value=["!203.0.113.77"]))
    check("nothing", values(value="nothing.like.this.example") == [])
    check("by type", values(eventid=of, type_attribute="hostname") == ["b.search.example"])
    check("by several types", len(values(eventid=of, type_attribute=["hostname", "domain"])) == 2)
    check("not this type", "plain words" not in values(eventid=of, type_attribute=["!text"]))
    check("by category", values(eventid=of, category="Payload delivery") == ["bad@search.example", "x.exe|" + "ab" * 32])
    check("to_ids", values(eventid=one.id, to_ids=False) == ["203.0.113.77", "plain words"])
    check("by tag of the attribute", values(tags="search:attribute") == ["a.search.example"])
    check("by tag of the event", len(values(tags="search:event")) == 5)
    check("both tags", values(tags=alpha.build_complex_query(and_parameters=["search:event", "search:attribute"])) == ["a.search.example"])
    check("not this tag", "a.search.example" not in values(eventid=one.id, tags=alpha.build_complex_query(or_parameters=["search:event"], not_parameters=["search:attribute"])))
    check("tags with a pattern", len(values(tags="search:%")) == 5)
    check("by organisation", values(eventid=of, org="CERT Beta") == [])
    check("by date", values(eventid=of, date_from="2099-01-01") == [] and values(eventid=of, date_from="2020-01-01") != [])
    check("by timestamp", len(values(eventid=of, timestamp="1h")) == 7 and values(eventid=of, timestamp=["1", "2"]) == [])
    check("published only", len(values(eventid=of, published=True)) == 5)
    check("since it was published", len(values(eventid=of, publish_timestamp="1h")) == 5)
    check("by title", len(values(eventinfo="Search two")) == 2)
    check("by identifier", values(uuid=two.attributes[1].uuid) == ["b.search.example"])
    check("an event's identifier", len(values(uuid=two.uuid)) == 2)
    pages = [values(eventid=of, limit=3, page=page) for page in (1, 2, 3)]
    check("pages", [len(page) for page in pages] == [3, 3, 1])
    check("a filter that can't be read", errors(alpha.search(controller="attributes", timestamp="whenever")))
    check("no such format", raw("alpha", "POST", "/attributes/restSearch", {"returnFormat": "nosuch"}).status_code == 404)
    search_as = lambda name, **filters: raw("alpha", "POST", "/attributes/restSearch", {"returnFormat": name, **filters}).text
    full = alpha.search(controller="attributes", value="a.search.example", include_context=True, include_event_tags=True, include_event_uuid=True, include_correlations=True)["Attribute"][0]
    check("with its event", full["Event"]["info"] == "Search one" and full["event_uuid"] == one.uuid)
    check("with the event's tags", {t["name"] for t in full["Tag"]} == {"search:attribute", "search:event"})
    related = alpha.search(controller="attributes", value="203.0.113.77", eventid=one.id, include_correlations=True)["Attribute"][0]
    check("with what is alike", related["RelatedAttribute"][0]["event_id"] == str(two.id))
    check("related events", [e["Event"]["id"] for e in alpha.get_event(two.id)["Event"]["RelatedEvent"]] == [str(one.id)])
    found = lambda **filters: sorted(e.info for e in alpha.search(controller="events", pythonify=True, **filters))
    check("events by value", found(value="203.0.113.77") == ["Search one", "Search two"])
    check("events by tag", found(tags="search:event") == ["Search one"])
    check("events by an attribute's tag", found(tags="search:attribute") == ["Search one"])
    check("events by type", found(type_attribute="hostname", eventid=of) == ["Search two"])
    check("events by identifier", found(uuid=[one.uuid, two.uuid]) == ["Search one", "Search two"])
    check("events by title", found(eventinfo="Search o") == ["Search one"])
    check("heads only", not alpha.search(controller="events", eventid=one.id, metadata=True, pythonify=True)[0].attributes)
    check("pages of events", len(alpha.search(controller="events", limit=1, page=2, pythonify=True)) == 1)
    csv = alpha.search(controller="attributes", return_format="csv", eventid=one.id)
    check("csv", csv.startswith("uuid,event_id,category,type,value") and f'"a.search.example"' in csv and len(csv.strip().splitlines()) == 6)
    check("some columns", alpha.search(controller="attributes", return_format="csv", eventid=one.id, requested_attributes=["value"], headerless=True).splitlines()[0] == '"203.0.113.77"')
    check("text", "a.search.example" in alpha.search(controller="attributes", return_format="text", eventid=one.id))
    check("text is for detection", "203.0.113.77" not in alpha.search(controller="attributes", return_format="text", eventid=one.id))
    check("values", "203.0.113.77" in search_as("values", eventid=one.id))
    check("count", search_as("count", eventid=of) == "7")
    check("hashes", "ab" * 32 in search_as("hashes", eventid=one.id))
    check("cache", hashlib.md5(b"a.search.example").hexdigest() in alpha.search(controller="attributes", return_format="cache", eventid=one.id))
    check("xml", "<value>a.search.example</value>" in raw("alpha", "POST", "/attributes/restSearch", {"returnFormat": "xml", "eventid": one.id}).text)
    check("xml of events", "<Event><id>" in raw("alpha", "POST", "/events/restSearch", {"returnFormat": "xml", "eventid": one.id}).text)
    check("suricata", "a.search.example" in alpha.search(controller="attributes", return_format="suricata", eventid=one.id))
    check("zeek", "a.search.example" in raw("alpha", "POST", "/attributes/restSearch", {"returnFormat": "zeek", "eventid": one.id}).text)
    check("rpz", "a.search.example" in raw("alpha", "POST", "/attributes/restSearch", {"returnFormat": "rpz", "eventid": one.id}).text)
    check("openioc", "Network/DNS" in raw("alpha", "POST", "/attributes/restSearch", {"returnFormat": "openioc", "eventid": one.id}).text)
    check("netfilter", "-s 203.0.113.77 -j DROP" in raw("alpha", "POST", "/attributes/restSearch", {"returnFormat": "netfilter", "eventid": one.id}).text)
    bundle = raw("alpha", "POST", "/events/restSearch", {"returnFormat": "stix2", "eventid": one.id}).json()
    check("stix2", bundle["type"] == "bundle" and any("a.search.example" in json.dumps(o) for o in bundle["objects"]))
    check("attack", raw("alpha", "POST", "/attributes/restSearch", {"returnFormat": "attack", "eventid": one.id}).json() == {})
    check("counted in the header", raw("alpha", "POST", "/attributes/restSearch", {"eventid": one.id}).headers["x-result-count"] == "5")
    check("by GET", len(raw("alpha", "GET", f"/attributes/restSearch/eventid:{one.id}/type:domain.json").json()["response"]["Attribute"]) == 1)
    careful = event("PAP", 1, ("domain", "careful.search.example"))
    careful.add_tag("PAP:AMBER")
    careful = alpha.add_event(careful, pythonify=True)
    alpha.publish(careful)
    check("PAP: seen", values(value="careful.search.example") == ["careful.search.example"])
    check("PAP: not blocked by", "careful" not in raw("alpha", "POST", "/attributes/restSearch", {"returnFormat": "rpz", "eventid": careful.id}).text)


def sightings():
    home = alpha.add_event(event("Sightings", 1, ("ip-dst", "198.51.100.99"), ("domain", "seen.example")), pythonify=True)
    first = alpha.add_sighting({"value": "198.51.100.99", "source": "sensor"}, pythonify=True)
    check("by value", first.source == "sensor" and str(first.attribute_id) == str(home.attributes[0].id))
    second = alpha.add_sighting({"type": "1"}, home.attributes[1], pythonify=True)
    check("of an attribute", str(second.attribute_id) == str(home.attributes[1].id) and str(second.type) == "1")
    check("of the event", {s.id for s in alpha.sightings(home, pythonify=True)} == {first.id, second.id})
    check("of one attribute", [s.id for s in alpha.sightings(home.attributes[0], pythonify=True)] == [first.id])
    check("searched", len(alpha.search_sightings(context="event", context_id=home.id)) == 2)
    check("false positives", [s["sighting"].id for s in alpha.search_sightings(context="event", context_id=home.id, type_sighting="1", pythonify=True)] == [second.id])
    check("by source", len(alpha.search_sightings(context="attribute", context_id=home.attributes[0].id, source="sensor")) == 1)
    check("the event tells when", int(next(e for e in raw("alpha", "GET", "/events/index").json() if e["uuid"] == home.uuid)["sighting_timestamp"]) > 0)
    check("of nothing known", errors(alpha.add_sighting({"value": "never.seen.example"})))
    other = beta.add_sighting({"value": "seen.example"}, pythonify=True)
    check("another's sighting", str(other.attribute_id) == str(home.attributes[1].id))
    check("the event's holder sees it", other.id in {s.id for s in alpha.sightings(home, pythonify=True)})
    check("a third does not", other.id not in {s.id for s in gamma.sightings(home, pythonify=True)})
    check("nor takes it back", errors(gamma.delete_sighting(other)))
    check("its maker does", beta.delete_sighting(other)["saved"])
    check("with the attribute", alpha.search(controller="attributes", value="198.51.100.99", include_sightings=True)["Attribute"][0]["Sighting"][0]["id"] == str(first.id))


def proposals():
    home = alpha.add_event(event("Proposals", 1, ("ip-dst", "198.51.100.120")), pythonify=True)
    new = beta.add_attribute_proposal(home, {"type": "ip-src", "category": "Network activity", "value": "203.0.113.201"}, pythonify=True)
    check("proposed", new.value == "203.0.113.201")
    edit = beta.update_attribute_proposal(home.attributes[0], {"to_ids": False, "comment": "noise"}, pythonify=True)
    check("a change", edit.comment == "noise" and str(edit.old_id) == str(home.attributes[0].id))
    check("listed", {p.id for p in alpha.attribute_proposals(home, pythonify=True)} == {new.id, edit.id})
    check("viewed", alpha.get_attribute_proposal(new.id, pythonify=True).uuid == new.uuid)
    check("its maker can't take it in", errors(beta.accept_attribute_proposal(new)))
    check("the holder does", alpha.accept_attribute_proposal(new)["saved"] and alpha.accept_attribute_proposal(edit)["saved"])
    whole = alpha.get_event(home.id, pythonify=True)
    check("so it is", {a.value for a in whole.attributes} == {"198.51.100.120", "203.0.113.201"} and not next(a for a in whole.attributes if a.value == "198.51.100.120").to_ids)
    gone = beta.delete_attribute_proposal(whole.attributes[1])
    check("that it goes", not errors(gone))
    check("discarded", alpha.discard_attribute_proposal(gone["ShadowAttribute"]["id"])["saved"] and not alpha.attribute_proposals(home, pythonify=True))
    index = raw("sync", "GET", "/shadow_attributes/index/all:1/timestamp:1/limit:1000/page:1/deleted[]:0/deleted[]:1.json").json()
    check("as a server asks", {p["ShadowAttribute"]["uuid"] for p in index} >= {new.uuid, edit.uuid})
    check("only for those who see the event", not errors(gamma.add_attribute_proposal(home, {"type": "text", "category": "Other", "value": "x"})))


def reports():
    home = alpha.add_event(event("Reports", 1), pythonify=True)
    report = MISPEventReport()
    report.name, report.content = "تقرير", "# ما حدث"
    added = alpha.add_event_report(home, report, pythonify=True)
    check("added", added.name == "تقرير")
    check("viewed", alpha.get_event_report(added.id, pythonify=True).content == "# ما حدث")
    check("listed", [r.uuid for r in alpha.get_event_reports(home.id, pythonify=True)] == [added.uuid])
    added.name = "Report"
    check("changed", alpha.update_event_report(added, pythonify=True).name == "Report")
    check("in the event", alpha.get_event(home.id, pythonify=True).event_reports[0].name == "Report")
    check("deleted", alpha.delete_event_report(added)["saved"] and not alpha.get_event_reports(home.id, pythonify=True))
    note = MISPNote()
    note.note, note.language, note.object_uuid, note.object_type = "ملاحظة", "ar", home.uuid, "Event"
    stored = alpha.add_analyst_data(note, pythonify=True)
    check("a note", stored.note == "ملاحظة")
    check("read again", alpha.get_analyst_data(stored, pythonify=True).uuid == stored.uuid)
    stored.note = "changed"
    check("a changed note", alpha.update_analyst_data(stored, pythonify=True).note == "changed")
    opinion = MISPOpinion()
    opinion.opinion, opinion.comment, opinion.object_uuid, opinion.object_type = 80, "likely", stored.uuid, "Note"
    kept = beta.add_analyst_data(opinion, pythonify=True)
    check("another's opinion on it", int(kept.opinion) == 80)
    check("stands with the note", raw("alpha", "GET", f"/analyst_data/view/Note/{stored.uuid}").json()["Note"]["Opinion"][0]["uuid"] == kept.uuid)
    check("an opinion out of range", raw("beta", "POST", f"/analyst_data/add/Opinion/{stored.uuid}/Note", {"opinion": 101}).status_code == 403)
    link = MISPRelationship()
    link.relationship_type, link.related_object_uuid, link.related_object_type = "related-to", home.uuid, "Event"
    link.object_uuid, link.object_type = home.uuid, "Event"
    check("a relationship", alpha.add_analyst_data(link, pythonify=True).relationship_type == "related-to")
    minimal = raw("sync", "POST", "/analyst_data/indexMinimal", {"orgc_name": []}).json()
    check("as a server asks", stored.uuid in minimal["Note"])
    check("another's is not for changing", errors(beta.delete_analyst_data(stored)))
    check("taken away", alpha.delete_analyst_data(stored)["saved"] and errors(alpha.get_analyst_data(stored)))


EICAR = "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"


def knowledge():
    lists = alpha.warninglists(pythonify=True)
    check("warning lists", len(lists) > 1)
    hit = next(w for w in lists if "EICAR" in w.name)
    check("one", alpha.get_warninglist(hit.id, pythonify=True).name == hit.name)
    found = alpha.values_in_warninglist([EICAR, "not.on.any.list.example"])
    check("a value on them", list(found) == [EICAR])
    home = alpha.add_event(event("Warned", 0, ("sha256", EICAR)), pythonify=True)
    check("told on the attribute", "warnings" in raw("alpha", "POST", "/attributes/restSearch", {"eventid": home.id, "includeWarninglistHits": 1}).json()["response"]["Attribute"][0])
    check("enforced", alpha.search(controller="attributes", eventid=home.id, enforce_warninglist=True)["Attribute"] == [])
    names = [h["name"] for h in found[EICAR]]
    for name in names:
        check(f"off: {name}", admin.toggle_warninglist(warninglist_name=name, force_enable=False)["saved"])
    check("off is off", alpha.values_in_warninglist([EICAR]) in ([], {}))
    for name in names:
        admin.toggle_warninglist(warninglist_name=name, force_enable=True)
    check("on again", EICAR in alpha.values_in_warninglist([EICAR]))
    check("a user switches none", errors(alpha.toggle_warninglist(hit.id)))
    check("notice lists", alpha.noticelists() == [])
    galaxies = alpha.galaxies(pythonify=True)
    check("galaxies", len(galaxies) > 3)
    actors = next(g for g in galaxies if g.type == "threat-actor")
    check("one galaxy", len(alpha.get_galaxy(actors.id, withCluster=True, pythonify=True).clusters) > 3)
    cluster = alpha.search_galaxy_clusters(actors.id, pythonify=True)[0]
    check("a cluster", alpha.get_galaxy_cluster(cluster.uuid, pythonify=True).value == cluster.value)
    check("attached", alpha.attach_galaxy_cluster(home, cluster)["saved"])
    check("as a tag", cluster.tag_name in [t.name for t in alpha.get_event(home.id, pythonify=True).tags])
    check("searched", len(alpha.search_galaxy("threat", pythonify=True)) >= 1)
    check("no own clusters, and why", raw("alpha", "POST", f"/galaxy_clusters/add/{actors.id}", {"value": "x"}).status_code == 405)
    for update in (admin.update_warninglists, admin.update_noticelists, admin.update_galaxies, admin.update_decaying_models):
        check(update.__name__, update()["saved"])
    model = {"name": "Fast", "parameters": {"lifetime": 10, "decay_speed": 2, "threshold": 30, "default_base_score": 80}, "attribute_types": ["sha256"]}
    check("a decaying model", raw("admin", "POST", "/decayingModel/import", model).json()["DecayingModel"]["name"] == "Fast")
    stored = alpha.decaying_models(pythonify=True)[0]
    scored = raw("alpha", "POST", "/attributes/restSearch", {"eventid": home.id, "includeDecayScore": 1}).json()["response"]["Attribute"][0]
    check("scores", 79 < scored["decay_score"][0]["score"] <= 80 and not scored["decay_score"][0]["decayed"])
    check("off", not admin.disable_decaying_model(stored)["DecayingModel"]["enabled"])
    check("on", admin.enable_decaying_model(stored)["DecayingModel"]["enabled"])
    # Tags weigh in.
    weighted = {"name": "Weighted", "attribute_types": ["domain"], "parameters": {
        "lifetime": 10, "decay_speed": 2, "threshold": 30, "default_base_score": 80,
        "base_score_config": {"false-positive:risk": 0.75, "admiralty-scale": 0.25, "local-scale": 0.5}}}
    weighted = raw("admin", "POST", "/decayingModel/import", weighted).json()["DecayingModel"]["id"]
    worth = alpha.add_event(event("Worth", 0, ("domain", "worth.example"), ("domain", "plain.worth.example")), pythonify=True)

    def base(value="worth.example", who="alpha", **more):
        found = raw(who, "POST", "/attributes/restSearch", {"eventid": worth.id, "value": value, "includeDecayScore": 1, "decayingModel": weighted, **more}).json()["response"]["Attribute"]
        return round(found[0]["decay_score"][0]["base_score"], 6) if found else None

    check("without tags the model's own", base() == 80)
    alpha.tag(worth.uuid, "false-positive:risk=\"medium\"")
    check("the event's tag", base() == 50 and base("plain.worth.example") == 50)
    alpha.tag(worth.attributes[0].uuid, "false-positive:risk=\"low\"")
    check("the attribute's goes before it", base() == 75 and base("plain.worth.example") == 50)
    alpha.tag(worth.attributes[0].uuid, "local-scale:high")
    check("a tag without a number says nothing", base() == 75)
    scale = admin.get_tag(next(t.id for t in admin.tags(pythonify=True) if t.name == "local-scale:high"), pythonify=True)
    scale.numerical_value = 100
    admin.update_tag(scale)
    check("its own number, by weight", base() == round((0.75 * 75 + 0.5 * 100) / 1.25, 6))
    alpha.set_user_setting("tag_numerical_value_override", {"local-scale:high": 0})
    check("the reader's own number", base() == 45 and base(who="admin") == 85)
    alpha.delete_user_setting("tag_numerical_value_override")
    check("decayed is left out", base(score=90) == 85 and base(score=90, excludeDecayed=1) is None and base(score=10, excludeDecayed=1) == 85)
    check("overrides", base("plain.worth.example", modelOverrides={"base_score_config": {}, "default_base_score": 33}) == 33)
    exported = raw("alpha", "GET", f"/decayingModel/export/{weighted}").json()
    check("exported", exported["name"] == "Weighted" and "id" not in exported)
    check("changed", raw("admin", "POST", f"/decayingModel/edit/{weighted}", {"DecayingModel": {"description": "x"}}).json()["DecayingModel"]["description"] == "x")
    check("not by users", refused("alpha", f"/decayingModel/edit/{weighted}", {"description": "y"}) and refused("alpha", f"/decayingModel/delete/{weighted}"))
    check("taken away", raw("admin", "POST", f"/decayingModel/delete/{weighted}").json()["saved"])
    check("models that come with the program", {"NIDS Simple Decaying Model"} <= {m.name for m in alpha.decaying_models(pythonify=True)} and len(alpha.decaying_models()) == 4)
    admin.update_decaying_models()
    check("once", len(alpha.decaying_models()) == 4)
    exclusion = MISPCorrelationExclusion()
    exclusion.value = EICAR
    other = alpha.add_event(event("Warned too", 0, ("sha256", EICAR)), pythonify=True)
    check("correlates", len(alpha.get_event(other.id)["Event"]["RelatedEvent"]) == 1)
    made = admin.add_correlation_exclusion(exclusion, pythonify=True)
    check("excluded", made.value == EICAR and alpha.get_event(other.id)["Event"]["RelatedEvent"] == [])
    check("listed", [e.value for e in alpha.correlation_exclusions(pythonify=True)] == [EICAR])
    check("no more", admin.delete_correlation_exclusion(made)["saved"] and len(alpha.get_event(other.id)["Event"]["RelatedEvent"]) == 1)
    check("clean answers", admin.clean_correlation_exclusions()["saved"])


def people():
    check("me", alpha.get_user("me", pythonify=True).email == "user@alpha.example")
    check("a key is never shown", alpha.get_user("me", pythonify=True).authkey == "(hidden)")
    org = MISPOrganisation()
    org.name, org.description, org.sector = "CERT Delta", "made over the API", "energy"
    made = admin.add_organisation(org, pythonify=True)
    check("an organisation", made.name == "CERT Delta" and made.sector == "energy")
    check("the name again", errors(admin.add_organisation(org)))
    made.description = "changed"
    check("changed", admin.update_organisation(made, pythonify=True).description == "changed")
    check("listed", {"CERT Alpha", "CERT Delta"} <= {o.name for o in alpha.organisations(pythonify=True)})
    check("exists", alpha.organisation_exists(made) and alpha.get_organisation(made.uuid, pythonify=True).id == made.id)
    check("a user makes none", errors(alpha.add_organisation(org)))
    user = MISPUser()
    user.email, user.org_id, user.role_id = "new@delta.example", made.id, 2
    added = admin.add_user(user, pythonify=True)
    check("an account", added.email == "new@delta.example" and len(added.authkey) > 30)
    check("its key works", PyMISP(url, added.authkey, ssl=False).get_user(pythonify=True).org_id == made.id)
    check("the address again", errors(admin.add_user(user)))
    added.role_id = 1
    check("another role", int(admin.update_user(added, pythonify=True).role_id) == 1)
    check("all accounts", len(admin.users(pythonify=True)) == 8)
    check("a manager's own", {u.email.split("@")[1] for u in manager.users(pythonify=True)} == {"alpha.example"})
    check("a user lists none", errors(alpha.users()))
    check("nor sees another", errors(alpha.get_user(added.id)))
    lifted = MISPUser()
    lifted.email, lifted.role_id = "lifted@alpha.example", 5
    check("nobody gives more than he has", errors(manager.add_user(lifted)))
    key = alpha.get_new_authkey("me")
    check("a new key", PyMISP(url, key if isinstance(key, str) else key["AuthKey"]["authkey_raw"], ssl=False).get_user(pythonify=True).email == "user@alpha.example")
    check("a password", alpha.change_user_password("correct horse battery staple")["saved"])
    check("a short one is refused", errors(alpha.change_user_password("short")))
    check("taken away", admin.delete_user(added)["saved"] and errors(admin.get_user(added.id)))
    check("the organisation too", admin.delete_organisation(made)["saved"])
    check("not one that holds something", errors(admin.delete_organisation(alpha.get_user("me", pythonify=True).org_id)))
    roles = alpha.roles(pythonify=True)
    check("roles", [r.name for r in roles] == ["reader", "user", "sync", "org-admin", "admin"] and roles[2].perm_sync and not roles[0].perm_add)
    check("they are fixed", errors(admin.update_role(roles[0])) and errors(admin.delete_role(1)))
    check("registrations", admin.user_registrations() == [])
    check("a setting", alpha.set_user_setting("dashboard_access", 1, pythonify=True).value == 1)
    check("a list of values", alpha.set_user_setting("publish_alert_filter", {"Tag.name": "x"})["UserSetting"]["value"] == {"Tag.name": "x"})
    check("read again", alpha.get_user_setting("dashboard_access", pythonify=True).value == 1)
    check("mine only", len(alpha.user_settings(pythonify=True)) == 2 and beta.user_settings() == [])
    check("removed", alpha.delete_user_setting("dashboard_access")["saved"] and errors(alpha.get_user_setting("dashboard_access")))
    check("statistics", int(alpha.users_statistics()["stats"]["event_count"]) > 5)
    check("heartbeat", alpha.users_heartbeat()["message"] == "OK")
    logs = admin.search_logs(limit=5, pythonify=True)
    check("the log", len(logs) == 5)
    check("by action", {entry.action for entry in admin.search_logs(model="Event", action="add", limit=3, pythonify=True)} == {"add"})
    check("not for users", errors(alpha.search_logs()))


def role(name, **flags):
    new = MISPRole()
    new.name = name
    for flag, value in flags.items():
        setattr(new, flag, value)
    return new


def account_with(role_id, email, who=admin):
    user = MISPUser()
    user.email, user.role_id = email, role_id
    user.org_id = alpha.get_user("me", pythonify=True).org_id
    return who.add_user(user, pythonify=True)


def refused(who, path, body=None):
    return raw(who, "POST", path, body).status_code == 403


def bearer(key, method, path, body=None):
    return requests.request(method, f"{url}/api/v1{path}", headers={"Authorization": f"Bearer {key}"}, json=body, timeout=30)


def roles():
    made = admin.add_role(role("Contributor", perm_add=True, perm_modify=True, perm_auth=True), pythonify=True)
    check("a role", made.name == "Contributor" and made.perm_add and not made.perm_publish and not made.perm_site_admin)
    check("its level", made.permission == "1" and made.permission_description == "manage_own")
    check("listed", [r.name for r in alpha.roles(pythonify=True)][-1] == "Contributor")
    check("the name again", errors(admin.add_role(role("Contributor"))) and errors(admin.add_role(role("reader"))) and errors(admin.add_role(role(" "))))
    check("nobody else makes one", errors(alpha.add_role(role("x"))) and errors(manager.add_role(role("x"))))
    added = account_with(made.id, "contributor@alpha.example")
    check("an account with it", int(added.role_id) == int(made.id))
    keys["contributor"] = added.authkey
    contributor = PyMISP(url, added.authkey, ssl=False)
    check("PyMISP knows its role", contributor._current_role.name == "Contributor" and not contributor._current_role.perm_publish)
    own = contributor.add_event({"info": "Contributed", "distribution": 0, "published": True, "Tag": [{"name": "sneaked:in"}],
                                 "Attribute": [{"type": "domain", "value": "contributed.example", "Tag": [{"name": "sneaked:in"}]}]}, pythonify=True)
    check("adds", own.info == "Contributed" and len(own.attributes) == 1)
    check("publishes nothing by adding", own.published is False)
    check("tags nothing by adding", not own.tags and not own.attributes[0].tags)
    own.info = "Contributed, changed"
    own.add_tag("sneaked:in")
    own.published = True
    own.timestamp = int(time.time()) + 5
    changed = contributor.update_event(own, pythonify=True)
    check("changes its own", changed.info == "Contributed, changed" and not changed.tags and changed.published is False)
    check("adds to its own", not errors(contributor.add_attribute(own, {"type": "domain", "value": "more.contributed.example"})))
    check("publishes nothing", errors(contributor.publish(own)))
    check("tags nothing", errors(contributor.tag(own.uuid, "x:y")) and errors(contributor.tag(own.attributes[0].uuid, "x:y")) and errors(contributor.add_tag({"name": "x:y"})))
    check("sees nothing", errors(contributor.add_sighting({"value": "contributed.example"})))
    check("notes nothing", refused("contributor", f"/analystData/add/Note/{own.uuid}/Event", {"note": "x"}))
    group = MISPSharingGroup()
    group.name, group.releasability = "Not theirs", "x"
    check("groups nothing", errors(contributor.add_sharing_group(group)))
    others = alpha.add_event(event("Of the organisation", 0, ("domain", "orgs.example")), pythonify=True)
    check("sees its organisation's", contributor.get_event(others.uuid, pythonify=True).info == "Of the organisation")
    check("changes none of them", errors(contributor.update_event({"uuid": others.uuid, "info": "mine"}, others.uuid)) and errors(contributor.delete_event(others)))
    check("nor their parts", refused("contributor", f"/attributes/edit/{others.attributes[0].uuid}", {"comment": "x"}) and refused("contributor", f"/attributes/delete/{others.attributes[0].uuid}") and refused("contributor", f"/attributes/add/{others.id}", {"type": "text", "value": "x"}))
    check("manages nobody", errors(contributor.users()) and errors(contributor.servers()) and errors(contributor.search_logs()))
    # The other doors.
    check("/api/v1 reads", bearer(added.authkey, "GET", "/records").status_code == 200 and bearer(added.authkey, "GET", "/me").json()["rights"] == ["read"])
    check("/api/v1 writes nothing", {bearer(added.authkey, method, path, {}).status_code for method, path in (("POST", "/records"), ("POST", "/import"), ("PUT", f"/records/{own.uuid}"), ("DELETE", f"/records/{own.uuid}"), ("POST", "/sightings"), ("POST", "/organisations"))} == {403})
    check("the command line gives no key for more", subprocess.run([manara, "key", "add", *where, "--user", added.email, "--scope", "admin"], capture_output=True).returncode != 0)
    # A change of the role holds at once.
    made.perm_modify_org, made.perm_publish, made.perm_tagger = True, True, True
    made = admin.update_role(made, pythonify=True)
    check("changed", made.perm_publish and made.permission == "3")
    check("holds at once", contributor.publish(own)["saved"] and not errors(contributor.update_event({"uuid": others.uuid, "info": "ours"}, others.uuid)) and contributor.tag(own.uuid, "now:allowed")["saved"])
    check("/api/v1 still needs all of it", bearer(added.authkey, "POST", "/records", {}).status_code == 403)
    made.perm_sighting = made.perm_analyst_data = made.perm_galaxy_editor = True
    admin.update_role(made)
    check("all of it", bearer(added.authkey, "GET", "/me").json()["rights"] == ["read", "write"])
    made.perm_auth = False
    admin.update_role(made)
    check("a role without keys", raw("contributor", "GET", "/users/view/me").status_code == 403 and bearer(added.authkey, "GET", "/me").status_code == 401)
    made.perm_auth = True
    admin.update_role(made)
    # Nobody gives more than he has.
    check("not while accounts have it", errors(admin.delete_role(made)))
    site = admin.add_role(role("Half an administrator", perm_site_admin=True, perm_admin=True, perm_auth=True), pythonify=True)
    half = account_with(site.id, "half@alpha.example")
    keys["half"] = half.authkey
    halved = PyMISP(url, half.authkey, ssl=False)
    check("runs the node", halved.servers() == [] and len(halved.users()) > 5)
    check("adds nothing itself", errors(halved.add_event(event("no"))))
    check("makes no role with more", errors(halved.add_role(role("More", perm_add=True))) and not errors(halved.add_role(role("Less", perm_auth=True))))
    site.perm_add = True
    check("nor of his own", errors(halved.update_role(site)))
    check("gives none with more", errors(account_with(made.id, "more@alpha.example", halved)) and errors(account_with(5, "more@alpha.example", halved)) and errors(account_with(None, "more@alpha.example", halved)))
    boss = admin.get_user("me", pythonify=True)
    check("makes no key for who has more", refused("half", f"/auth_keys/add/{boss.id}", {}) and refused("manager", f"/auth_keys/add/{boss.id}", {}))
    check("nor sets his password", refused("manager", f"/admin/users/edit/{boss.id}", {"password": "correct horse battery staple"}) and refused("manager", f"/admin/users/delete/{boss.id}"))
    check("a manager lets servers in", not errors(account_with(3, "server@alpha.example", manager)))
    check("the default", admin.set_default_role(made)["saved"] and next(r for r in alpha.roles(pythonify=True) if r.default_role).name == "Contributor")
    check("is given where none is named", int(account_with(None, "default@alpha.example").role_id) == int(made.id))
    check("and never taken away", errors(admin.delete_role(made)))
    check("back", admin.set_default_role(2)["saved"])
    for email in ("contributor@alpha.example", "half@alpha.example", "server@alpha.example", "default@alpha.example"):
        admin.delete_user(next(u for u in admin.users(pythonify=True) if u.email == email))
    check("taken away", not errors(admin.delete_role(made)) and not errors(admin.delete_role(site)) and not errors(admin.delete_role(next(r for r in admin.roles(pythonify=True) if r.name == "Less"))))
    check("five are left", len(admin.roles()) == 5)
    admin.delete_event(own)


def groups():
    group = MISPSharingGroup()
    group.name, group.releasability = "Alpha and Beta", "those two"
    made = alpha.add_sharing_group(group, pythonify=True)
    check("a group", made.name == "Alpha and Beta" and alpha.sharing_group_exists(made))
    beta_org = beta.get_user("me", pythonify=True).org_id
    check("a member", alpha.add_org_to_sharing_group(made, beta_org)["saved"])
    check("twice is refused", errors(alpha.add_org_to_sharing_group(made, beta_org)))
    check("seen by members", made.id in [g.id for g in beta.sharing_groups(pythonify=True)] and made.id not in [g.id for g in gamma.sharing_groups(pythonify=True)])
    shared = event("For two", 4, ("domain", "two.group.example"))
    shared.sharing_group_id = made.id
    stored = alpha.add_event(shared, pythonify=True)
    check("shared with it", str(stored.sharing_group_id) == str(made.id))
    check("a member reads", beta.get_event(stored.uuid, pythonify=True).info == "For two")
    check("no other does", errors(gamma.get_event(stored.uuid)) and gamma.search(controller="attributes", value="two.group.example")["Attribute"] == [])
    check("a stranger's group can't be used", "warnings" in raw("gamma", "POST", "/events/add", {"Event": {"info": "no", "Attribute": [{"type": "text", "value": "x", "distribution": "4", "sharing_group_id": made.id}]}}).json())
    check("nor for an event", raw("gamma", "POST", "/events/add", {"Event": {"info": "no", "distribution": "4", "sharing_group_id": made.id}}).status_code == 403)
    check("out again", alpha.remove_org_from_sharing_group(made, beta_org)["saved"] and errors(beta.get_event(stored.uuid)))
    made.name = "Alpha alone"
    check("renamed", alpha.update_sharing_group(made, pythonify=True).name == "Alpha alone")
    check("another's is not for changing", errors(beta.add_org_to_sharing_group(made, beta_org)))
    check("a server", alpha.add_server_to_sharing_group(made, 0, all_orgs=True)["saved"] and alpha.remove_server_from_sharing_group(made, 0)["saved"])
    check("not while in use", errors(alpha.delete_sharing_group(made)))
    empty = MISPSharingGroup()
    empty.name = "Nobody's"
    empty = alpha.add_sharing_group(empty, pythonify=True)
    check("taken away", alpha.delete_sharing_group(empty)["saved"] and not alpha.sharing_group_exists(empty))


def registers():
    blocked = str(uuid.uuid4())
    added = admin.add_event_blocklist([blocked, "nonsense"], comment="spam", event_info="x")
    check("blocked", added["result"]["successes"] == [blocked] and added["result"]["fails"] == ["nonsense"])
    check("refused", raw("alpha", "POST", "/events/add", {"Event": {"uuid": blocked, "info": "spam"}}).status_code == 403)
    entry = next(e for e in alpha.event_blocklists(pythonify=True) if e.event_uuid == blocked)
    check("listed", entry.comment == "spam")
    check("changed", admin._update_entries_in_blocklist("event", blocked, comment="ham")["EventBlocklist"]["comment"] == "ham")
    check("no longer", admin.delete_event_blocklist(entry.id)["saved"] and not errors(alpha.add_event(dict(uuid=blocked, info="ham", distribution=0))))
    org = str(uuid.uuid4())
    check("an organisation", admin.add_organisation_blocklist(org, comment="c", org_name="Spam Inc")["result"]["successes"] == [org])
    pushed = raw("sync", "POST", "/events/add", {"Event": {"info": "from spam", "distribution": "1", "Orgc": {"uuid": org, "name": "Spam Inc"}}})
    check("its events stay out", pushed.status_code == 403)
    check("listed too", alpha.organisation_blocklists(pythonify=True)[0].org_name == "Spam Inc")
    check("a user blocks nothing", errors(alpha.add_event_blocklist(blocked)))
    feed = MISPFeed()
    feed.name, feed.provider, feed.url, feed.source_format = "F", "P", "https://feed.example/", "misp"
    made = admin.add_feed(feed, pythonify=True)
    check("a feed", made.name == "F" and not made.enabled)
    check("on", admin.enable_feed(made, pythonify=True).enabled and not admin.disable_feed(made, pythonify=True).enabled)
    check("changed", admin.update_feed(made, pythonify=True).id == made.id and admin.get_feed(made.id, pythonify=True).provider == "P")
    check("fetch says why not", errors(admin.fetch_feed(made)))
    check("gone", admin.delete_feed(made)["saved"] and admin.feeds() == [])
    remote = MISPServer()
    remote.name, remote.url, remote.authkey, remote.remote_org_id = "Partner", "https://misp.partner.example", "k" * 40, "1"
    stored = admin.add_server(remote, pythonify=True)
    check("a server", stored.name == "Partner" and stored.authkey == "(hidden)")
    check("its key is sealed", "k" * 40 not in raw("admin", "GET", "/servers/index").text and (database or b"k" * 40 not in pathlib.Path(data, "manara.db").read_bytes()))
    stored.pull = True
    check("changed", admin.update_server(stored, pythonify=True).pull)
    check("pull says why not", errors(admin.server_pull(stored)))
    check("not for users", errors(alpha.servers()))
    check("gone", admin.delete_server(stored)["saved"] and admin.servers() == [])
    check("settings", admin.get_server_setting("MISP.uuid")["value"] == made_node and "finalSettings" in admin.server_settings())
    check("they are the node's", errors(admin.set_server_setting("MISP.live", False)))
    check("workers", admin.get_workers() == {"controls": False} and errors(admin.restart_workers()))
    check("schema", admin.db_schema_diagnostic()["diagnostic"] == [])
    check("communities", alpha.communities() == [])
    check("rules for partners", "CERT Beta" in raw("sync", "GET", "/servers/getAvailableSyncFilteringRules").json()["organisations"])
    bundle = {"type": "bundle", "id": f"bundle--{uuid.uuid4()}", "objects": [{
        "type": "indicator", "spec_version": "2.1", "id": f"indicator--{uuid.uuid4()}", "created": "2026-11-01T00:00:00Z", "modified": "2026-11-01T00:00:00Z",
        "pattern": "[domain-name:value = 'stix.example']", "pattern_type": "stix", "valid_from": "2026-11-01T00:00:00Z"}]}
    check("STIX 2", raw("alpha", "POST", "/events/upload_stix/2", bundle).json()["added"] == 1)
    check("STIX 1 says why not", raw("alpha", "POST", "/events/upload_stix", "<x/>").status_code == 405)


def policy():
    """Three organisations, every distribution: nobody sees or counts what is not theirs."""
    whole = event("Policy mixed", 1, ("domain", "open.policy.example"))
    secret = whole.add_attribute("domain", "secret.policy.example", distribution=0)
    whole.add_attribute("email-src", "victim@policy.example", to_ids=False)
    secret.add_tag("policy:hidden")
    mixed = alpha.add_event(whole, pythonify=True)
    own = alpha.add_event(event("Policy own", 0, ("domain", "own.policy.example"), ("domain", "open.policy.example")), pythonify=True)
    for who, name in ((beta, "beta"), (gamma, "gamma"), (sync, "sync")):
        seen = who.get_event(mixed.uuid, pythonify=True)
        check(f"{name}: the open part", [a.value for a in seen.attributes if a.type == "domain"] == ["open.policy.example"])
        check(f"{name}: counts what it sees", int(seen.attribute_count) == 2 and int(next(e for e in who.events() if e["uuid"] == mixed.uuid)["attribute_count"]) == 2)
        check(f"{name}: a person is a pseudonym", "victim@policy.example" not in json.dumps(who.get_event(mixed.uuid)))
        check(f"{name}: who typed it stays here", "event_creator_email" not in who.get_event(mixed.uuid)["Event"])
        check(f"{name}: not by number", errors(who.get_attribute(mixed.attributes[1].id)) and errors(who.get_attribute(mixed.attributes[1].uuid)))
        check(f"{name}: not by search", who.search(controller="attributes", value="secret.policy.example")["Attribute"] == [])
        check(f"{name}: not by pattern", who.search(controller="attributes", value="secret.pol%")["Attribute"] == [])
        check(f"{name}: not by its tag", who.search(controller="events", tags="policy:hidden") == [] and who.search(controller="attributes", tags="policy:hidden")["Attribute"] == [])
        check(f"{name}: not by event", errors(who.get_event(own.uuid)) and errors(who.get_event(own.id)) and not who.event_exists(own))
        check(f"{name}: not by index", own.uuid not in {e["uuid"] for e in who.events()} and raw(name, "POST", "/events/index", {"uuid": own.uuid}).headers["x-result-count"] == "0")
        check(f"{name}: not by correlation", who.get_event(mixed.uuid)["Event"]["RelatedEvent"] == [])
        check(f"{name}: not by count", raw(name, "POST", "/attributes/restSearch", {"returnFormat": "count", "value": "own.policy.example"}).text == "0")
        check(f"{name}: not by sighting", errors(who.add_sighting({"value": "own.policy.example"})))
        check(f"{name}: no proposal to what is not seen", errors(who.add_attribute_proposal(own, {"type": "text", "category": "Other", "value": "x"})))
        check(f"{name}: no tag on it", errors(who.tag(own.uuid, "x:y")) and errors(who.tag(mixed.attributes[1].uuid, "x:y")))
        check(f"{name}: no edit", errors(who.update_event(dict(uuid=mixed.uuid, info="mine now"), mixed.uuid)))
        check(f"{name}: no delete", errors(who.delete_event(mixed)))
        check(f"{name}: nor that there is such a tag", "policy:hidden" not in raw(name, "GET", "/tags/index").text + raw(name, "POST", "/tags/search", {"name": "policy%"}).text + raw(name, "GET", "/servers/getAvailableSyncFilteringRules").text)
    check("the tag is its holder's to see", "policy:hidden" in raw("alpha", "GET", "/tags/index").text)
    quiet = raw("sync", "POST", "/events/add", {"Event": {"info": "Quiet", "distribution": "0", "Orgc": {"uuid": str(uuid.uuid4()), "name": "CERT Unheard"}}}).json()["Event"]
    orgs = lambda who: raw(who, "GET", "/organisations/index/scope:all").text + raw(who, "GET", "/servers/getAvailableSyncFilteringRules").text
    check("nor who wrote what is not theirs", "CERT Unheard" not in orgs("gamma") and "CERT Unheard" in orgs("beta") and "CERT Unheard" in orgs("admin"))
    check("not by number either", errors(gamma.get_organisation(quiet["orgc_id"])) and not errors(beta.get_organisation(quiet["orgc_id"])))
    check("the holder sees it all", len(alpha.get_event(mixed.uuid, pythonify=True).attributes) == 3)
    check("and what is alike", [e["Event"]["uuid"] for e in alpha.get_event(mixed.uuid)["Event"]["RelatedEvent"]] == [own.uuid])
    check("an administrator too", len(admin.get_event(own.uuid, pythonify=True).attributes) == 2)
    red = event("Policy red", 3, ("domain", "red.policy.example"))
    red.add_tag("tlp:red")
    red = alpha.add_event(red, pythonify=True)
    check("TLP is obeyed whatever the distribution", errors(beta.get_event(red.uuid)))
    brought = {"Event": {"info": "Brought", "uuid": str(uuid.uuid4()), "distribution": "1", "published": True, "timestamp": "1700000000", "publish_timestamp": "1700000001", "locked": 1,
                         "Orgc": {"uuid": str(uuid.uuid4()), "name": "CERT Far"}, "Attribute": [{"type": "domain", "value": "far.example", "uuid": str(uuid.uuid4()), "timestamp": "1700000000"}]}}
    stored = raw("sync", "POST", "/events/add/metadata:1", brought).json()["Event"]
    check("a server brings another's", stored["Orgc"]["name"] == "CERT Far" and stored["Org"]["name"] == "CERT Beta" and stored["locked"] and stored["published"])
    check("its clock stays", stored["timestamp"] == "1700000000")
    check("its members can't change it", raw("beta", "POST", f"/attributes/add/{stored['id']}", {"type": "text", "value": "x"}).status_code == 403)
    check("they propose", "ShadowAttribute" in beta.add_attribute(stored["id"], {"type": "text", "value": "x"}))
    check("but may mark it for themselves", beta.tag(stored["uuid"], "ours:only", local=True)["saved"])
    newer = json.loads(json.dumps(brought))
    newer["Event"]["timestamp"], newer["Event"]["info"] = "1700000100", "Brought again"
    newer["Event"]["Attribute"][0].update(timestamp="1700000100", comment="new")
    again = raw("sync", "POST", f"/events/edit/{stored['uuid']}/metadata:1", newer).json()["Event"]
    check("a newer version", again["info"] == "Brought again" and again["published"])
    check("with its parts", beta.get_event(stored["uuid"])["Event"]["Attribute"][0]["comment"] == "new")
    check("our mark stays", "ours:only" in [t["name"] for t in beta.get_event(stored["uuid"])["Event"]["Tag"]])
    check("an older one is refused", raw("sync", "POST", f"/events/edit/{stored['uuid']}", brought).status_code == 403)
    far = account("CERT Gamma", "sync@gamma.example", "sync")
    keys["far"] = far
    third = json.loads(json.dumps(newer))
    third["Event"]["timestamp"], third["Event"]["info"] = "1700000200", "Brought by a third"
    check("another server brings a newer version", raw("far", "POST", f"/events/edit/{stored['uuid']}/metadata:1", third).json()["Event"]["info"] == "Brought by a third")
    check("which is its own copy", beta.get_event(stored["uuid"])["Event"]["info"] == "Brought again" and gamma.get_event(stored["uuid"])["Event"]["info"] == "Brought by a third")
    check("and one for each reader", sum(e["uuid"] == stored["uuid"] for e in alpha.events()) == 1)
    planted = [{"uuid": str(uuid.uuid4()), "attribute_uuid": third["Event"]["Attribute"][0]["uuid"], "date_sighting": "1700000300", "type": "0", "Organisation": {"uuid": mixed.orgc.uuid, "name": "CERT Alpha"}}]
    check("nobody says for an organisation of the node what it saw", raw("far", "POST", f"/sightings/bulkSaveSightings/{stored['uuid']}", planted).json()["message"].startswith("0 "))
    check("a user brings nobody else's", raw("beta", "POST", "/events/add", {"Event": {"info": "as if", "Orgc": {"uuid": str(uuid.uuid4()), "name": "CERT Far"}}}).json()["Event"]["Orgc"]["name"] == "CERT Beta")


def registrations():
    """On a node of its own, where people may ask for an account."""
    asks = lambda at, body: requests.post(f"{at}/users/register", json=body, timeout=30)
    closed = asks(url, {"email": "somebody@far.example"})
    check("off by default", closed.status_code == 403 and admin.user_registrations() == [])
    place = ["--data", str(pathlib.Path(folder.name) / "open")]
    boss = json.loads(run(manara, "init", *place, "--org", "CERT Open", "--country", "MY", "--admin", "boss@open.example", "--json"))
    node = subprocess.Popen([manara, "serve", *place, "--listen", "127.0.0.1:0", "--self-registration", "true"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        at = next(line.split()[-1] for line in node.stdout if line.startswith("listening on"))
        keeper = PyMISP(at, boss["api_key"], ssl=False)
        new = asks(at, {"email": "New@far.example", "org_name": "CERT Far", "message": "please", "perm_publish": True})
        known = asks(at, {"email": "boss@open.example", "message": "me again"})
        again = asks(at, {"email": "new@far.example", "message": "once more"})
        check("asked", new.status_code == 200 and new.json()["saved"])
        check("the answer tells nothing of accounts", new.text == known.text == again.text)
        check("what is no address", asks(at, {"email": "nobody"}).status_code == 403)
        check("what is no JSON", requests.post(f"{at}/users/register", data="x", timeout=30).status_code == 405)
        check("too much", asks(at, {"email": "a@far.example", "message": "x" * 20_000}).status_code == 413)
        check("nothing else is open", requests.post(f"{at}/users/registrations", timeout=30).status_code == 403 and requests.get(f"{at}/users/register", timeout=30).status_code == 403)
        waiting = keeper.user_registrations(pythonify=True)
        check("they wait", sorted(r.data["email"] for r in waiting) == ["boss@open.example", "new@far.example"])
        first = next(r for r in waiting if r.data["email"] == "new@far.example")
        check("as they were asked", first.type == "registration" and first.data["org_name"] == "CERT Far" and first.comment == "please" and first.data["perm_publish"] is True)
        other = next(r for r in waiting if r.data["email"] == "boss@open.example")
        check("not without an organisation", errors(keeper.accept_user_registration(first)))
        own = keeper.get_user("me", pythonify=True).org_id
        done = keeper.accept_user_registration(first, organisation=own)
        check("accepted", done["saved"] and PyMISP(at, done["User"]["authkey"], ssl=False).get_user("me", pythonify=True).email == "new@far.example")
        check("not twice", errors(keeper.accept_user_registration(first, organisation=own)))
        check("an account that is there", errors(keeper.accept_user_registration(other, organisation=own)))
        user = PyMISP(at, done["User"]["authkey"], ssl=False)
        check("for administrators", errors(user.user_registrations()) and errors(user.accept_user_registration(other, organisation=own)) and errors(user.discard_user_registration(other)))
        check("discarded", keeper.discard_user_registration(other)["saved"] and keeper.user_registrations() == [])
        codes = [asks(at, {"email": f"n{n}@far.example"}).status_code for n in range(25)]
        check("who asks often waits", 429 in codes and len(keeper.user_registrations()) < 25)
    finally:
        node.terminate()
        node.wait(20)


def statistics():
    """Each context answers, and of what is not theirs nobody gets a figure."""
    figures = {name: {context: json.dumps(who.users_statistics(context)) for context in ("data", "orgs", "users", "tags", "attributehistogram", "sightings", "galaxyMatrix")} for name, who in (("alpha", alpha), ("gamma", gamma))}
    hidden = event("Counted", 0, ("domain", "counted.example"), ("campaign-id", "counted"))
    hidden.add_tag("statistics:hidden")
    hidden.add_tag('misp-galaxy:mitre-attack-pattern="Hidden - T0000"')
    hidden = alpha.add_event(hidden, pythonify=True)
    alpha.add_sighting({"id": hidden.attributes[0].id})
    for context, before in figures["gamma"].items():
        check(f"{context}: nothing of another's", json.dumps(gamma.users_statistics(context)) == before)
    for context in ("data", "orgs", "tags", "attributehistogram", "sightings", "galaxyMatrix"):
        check(f"{context}: one's own", json.dumps(alpha.users_statistics(context)) != figures["alpha"][context])
    check("tags by namespace", any(space["name"] == "statistics" for space in alpha.users_statistics("tags")["treemap"]["children"]))
    check("types by organisation", next(org for org in alpha.users_statistics("attributehistogram") if org["name"] == "CERT Alpha")["data"]["campaign-id"] == 1)
    check("techniques", alpha.users_statistics("galaxyMatrix")["scores"]['misp-galaxy:mitre-attack-pattern="Hidden - T0000"'] == 1)
    # A server, as another node describes itself.
    config = sync.get_sync_config(pythonify=True)
    check("a node describes itself", config.url == url and config.Organisation["name"] == "CERT Beta" and config.uuid == made_node)
    config.authkey = keys["sync"]
    stored = admin.import_server(config, pythonify=True)
    check("imported", stored.name == "CERT Alpha" and stored.url == url and not stored.pull and not stored.push and stored.authkey == "(hidden)" and str(stored.remote_org_id) == str(beta.get_user("me", pythonify=True).org_id))
    check("and it answers", admin.test_server(stored).get("status") == 1 or "version" in json.dumps(admin.test_server(stored)))
    check("not without whose it is", errors(admin.import_server({"Server": {"url": url, "authkey": "x", "name": "x"}})))
    check("nor by users", errors(alpha.import_server(config)))
    admin.delete_server(stored)
    # A tag's name.
    tag = admin.add_tag({"name": "fresh:tag"}, pythonify=True)
    tag.name = "renamed:tag"
    check("a tag that stands nowhere", admin.update_tag(tag, pythonify=True).name == "renamed:tag" and errors(admin.add_tag({"name": ""})))
    tag.name = "statistics:hidden"
    check("not one that is there", errors(admin.update_tag(tag)))
    used = next(t for t in admin.tags(pythonify=True) if t.name == "statistics:hidden")
    used.name = "statistics:open"
    check("nor one that stands on something", errors(admin.update_tag(used)))


def delegations():
    """Three organisations: what each sees before, while it waits, and after it was refused or taken over."""
    orgs = {name: who.get_user("me", pythonify=True).org_id for name, who in (("alpha", alpha), ("beta", beta), ("gamma", gamma))}
    new = event("For somebody else to tell", 0, ("domain", "delegated.example"))
    new.add_attribute("email-src", "person@delegated.example", to_ids=False)
    new.add_tag("tlp:red")
    new.attributes[0].add_tag("policy:delegated")
    made = alpha.add_event(new, pythonify=True)
    sees = lambda who: (not errors(who.get_event(made.uuid)), made.uuid in {e["uuid"] for e in who.events()}, len(who.search(controller="attributes", value="delegated.example")["Attribute"]) == 1)
    check("before: its own", sees(alpha) == (True,) * 3 and sees(beta) == sees(gamma) == (False,) * 3)
    check("not to oneself", errors(alpha.delegate_event(made, orgs["alpha"])))
    check("not to nobody", errors(alpha.delegate_event(made, 4711)))
    check("not another's", errors(gamma.delegate_event(made, orgs["beta"])) and errors(beta.delegate_event(made, orgs["beta"])))
    check("not by a reader", errors(reader.delegate_event(made, orgs["beta"])))
    check("not with a strange distribution", errors(alpha.delegate_event(made, orgs["beta"], distribution=7)))
    wide = alpha.add_event(event("Wide", 1), pythonify=True)
    check("not what others see", errors(alpha.delegate_event(wide, orgs["beta"])))
    published = alpha.add_event(event("Published", 0), pythonify=True)
    alpha.publish(published)
    check("not what is published", errors(alpha.delegate_event(published, orgs["beta"])))
    asked = alpha.delegate_event(made, orgs["beta"], distribution=1, message="please", pythonify=True)
    check("asked", str(asked.org_id) == str(orgs["beta"]) and str(asked.requester_org_id) == str(orgs["alpha"]) and str(asked.event_id) == str(made.id) and asked.message == "please" and str(asked.distribution) == "1")
    check("twice is refused", errors(alpha.delegate_event(made, orgs["gamma"])))
    check("waiting: who is asked sees it", sees(alpha) == sees(beta) == (True,) * 3)
    check("waiting: no other does", sees(gamma) == (False,) * 3 and errors(gamma.get_attribute(made.attributes[0].uuid)) and "policy:delegated" not in raw("gamma", "GET", "/tags/index").text)
    check("waiting: the request is theirs", [d.id for d in beta.event_delegations(pythonify=True)] == [asked.id] and gamma.event_delegations() == [] and alpha.event_delegations() == [])
    check("waiting: and of who asks", [d["EventDelegation"]["id"] for d in raw("alpha", "POST", "/eventDelegations/index", {"value": "issued"}).json()] == [asked.id] and raw("gamma", "POST", "/eventDelegations/index", {"value": "issued"}).json() == [])
    check("waiting: not who typed it", "user@alpha.example" not in json.dumps(beta.get_event(made.uuid)) and "person@delegated.example" not in json.dumps(beta.get_event(made.uuid)))
    check("waiting: read only", all(refused("beta", path, body) for path, body in ((f"/events/edit/{made.uuid}", {"info": "x"}), (f"/attributes/add/{made.id}", {"type": "text", "value": "x"}), (f"/attributes/edit/{made.attributes[0].uuid}", {"comment": "x"}), (f"/events/publish/{made.id}", None), (f"/events/delete/{made.id}", None), ("/tags/attachTagToObject", {"uuid": made.uuid, "tag": "x:y"}))))
    check("waiting: at the other door too", bearer(keys["beta"], "GET", f"/records/{made.uuid}").status_code == 200 and bearer(keys["gamma"], "GET", f"/records/{made.uuid}").status_code == 404 and bearer(keys["beta"], "DELETE", f"/records/{made.uuid}").status_code in (403, 404))
    check("waiting: nobody else decides", errors(gamma.accept_event_delegation(asked)) and errors(gamma.discard_event_delegation(asked)) and errors(alpha.accept_event_delegation(asked)))
    check("waiting: its holder goes on", not errors(alpha.add_attribute(made, {"type": "domain", "value": "second.delegated.example"})) and sees(beta) == (True,) * 3 and sees(gamma) == (False,) * 3)
    check("waiting: proposals too", not errors(beta.add_attribute_proposal(made, {"type": "text", "category": "Other", "value": "proposed"})) and sees(beta) == (True,) * 3 and sees(gamma) == (False,) * 3)
    check("refused", beta.discard_event_delegation(asked)["message"] == "Delegation request deleted.")
    check("refused: its own again", sees(alpha) == (True,) * 3 and sees(beta) == sees(gamma) == (False,) * 3 and beta.event_delegations() == [])
    check("refused: once", errors(beta.discard_event_delegation(asked)) and errors(beta.accept_event_delegation(asked)))
    check("taken back", alpha.discard_event_delegation(alpha.delegate_event(made, orgs["gamma"], pythonify=True))["saved"] and sees(gamma) == (False,) * 3)
    opened = alpha.delegate_event(made, orgs["beta"], pythonify=True)
    alpha.publish(made)
    check("published meanwhile", errors(beta.accept_event_delegation(opened)))
    alpha.unpublish(made)
    alpha.discard_event_delegation(opened)
    # Taken over.
    asked = alpha.delegate_event(made, orgs["beta"], distribution=1, pythonify=True)
    check("taken over", beta.accept_event_delegation(asked)["message"] == "Event ownership transferred.")
    theirs = beta.get_event(made.uuid, pythonify=True)
    check("its author and holder are theirs", theirs.orgc.name == theirs.org.name == "CERT Beta" and str(theirs.distribution) == "1" and theirs.published is False and theirs.id == made.id)
    check("as it was", {a.value for a in theirs.attributes} == {"delegated.example", "second.delegated.example", "person@delegated.example"} and str(theirs.attributes[0].id) == str(made.attributes[0].id))
    check("nothing tells whose it was", not any("alpha" in json.dumps(who.get_event(made.uuid)).lower() for who in (beta, gamma)))
    check("TLP still holds", errors(alpha.get_event(made.uuid)) and errors(gamma.get_event(made.uuid)))
    check("who asked changes it no more", refused("alpha", f"/events/delete/{made.uuid}") or raw("alpha", "POST", f"/events/delete/{made.uuid}").status_code == 404)
    check("they change it", beta.untag(made.uuid, "tlp:red")["saved"] and beta.tag(made.uuid, "tlp:green")["saved"] and not errors(beta.add_attribute(made, {"type": "domain", "value": "third.delegated.example"})) and beta.publish(made)["saved"])
    check("the distribution that was asked for", gamma.get_event(made.uuid, pythonify=True).orgc.name == "CERT Beta" and alpha.get_event(made.uuid, pythonify=True).orgc.name == "CERT Beta")
    check("nothing waits", beta.event_delegations() == [] and raw("alpha", "POST", "/eventDelegations/index", {"value": "issued"}).json() == [])
    log = [entry for entry in json.loads(run(manara, "audit", *where, "--json")) if entry["subject"] == made.uuid and entry["action"] == "record.handover"]
    check("the log knows who began it", len(log) == 1 and "user@alpha.example" in log[0]["detail"] and log[0]["actor"] == "user@beta.example")
    # Whoever takes it over decides.
    other = alpha.add_event(event("They decide", 0, ("domain", "decide.example")), pythonify=True)
    asked = alpha.delegate_event(other, orgs["gamma"], pythonify=True)
    check("they decide", raw("gamma", "POST", f"/eventDelegations/acceptDelegation/{asked.id}", {"distribution": 2}).status_code == 200 and str(gamma.get_event(other.uuid, pythonify=True).distribution) == "2")
    gone = alpha.add_event(event("Gone meanwhile", 0), pythonify=True)
    asked = alpha.delegate_event(gone, orgs["gamma"], pythonify=True)
    alpha.delete_event(gone)
    check("gone meanwhile", gamma.event_delegations() == [] and errors(gamma.accept_event_delegation(asked)) and alpha.discard_event_delegation(asked)["saved"])


def size():
    body = {"Event": {"info": "Ten thousand", "distribution": "0", "Attribute": [{"type": "domain", "value": f"h{n}.large.example"} for n in range(10_000)]}}
    answer = raw("alpha", "POST", "/events/add", body).json()["Event"]
    check("ten thousand", len(answer["Attribute"]) == 10_000 and answer["attribute_count"] == "10000")
    found = alpha.search(controller="attributes", value="h9999.large.example")["Attribute"]
    check("the last of them", len(found) == 1 and found[0]["event_id"] == answer["id"])
    check("a page of them", len(alpha.search(controller="attributes", eventid=answer["id"], limit=100, page=100)["Attribute"]) == 100)
    one = raw("alpha", "POST", f"/attributes/add/{answer['id']}", {"type": "domain", "value": "one-more.large.example"}).json()
    check("one more", one["Attribute"]["value"] == "one-more.large.example" and raw("alpha", "POST", f"/events/view/{answer['id']}", {"metadata": 1}).json()["Event"]["attribute_count"] == "10001")


# Recorded answers of a real MISP that are not met, each with the reason.
UNMET = {
    "011_events_add_emoji": "MISP fails on it; here it is saved",
    "030_attributes_restore": "answers at once instead of sending to another address",
    "039_attributes_restSearch_bro": "written here",
    "041_attributes_restSearch_stix": "STIX 1 is not written",
    "046_attributes_restSearch_values": "written here",
    "047_attributes_restSearch_yara": "MISP failed; written here",
    "048_attributes_restSearch_yara_json": "MISP failed",
    "049_attributes_restSearch_opendata": "MISP failed",
    "051_attributes_restSearch_attack": "written here",
    "053_attributes_restSearch_context": "written here",
    "078_sightings_restSearch": "an event's number is taken for a number here",
    "104_decaying": "no models come with a node",
    "109_analyst_data_index": "MISP failed; answered here",
}
# Parts of answers that are about what that MISP held.
ABOUT_ITS_DATA = {"/UserSetting", "/8.8.8.8", "/Note/Orgc", "/Note/Org"}


def recorded():
    """120 requests as a real MISP 2.5 was asked, in order: the same status, and everything that was in its answer
    is in ours, with the same type."""
    with gzip.open(root / "fixtures/misp-wire/rest.jsonl.gz") as lines:
        pairs = [json.loads(line) for line in lines]
    check("all of them", len(pairs) >= 119)
    known = {}

    def learn(theirs, ours):
        if isinstance(theirs, dict) and isinstance(ours, dict):
            for name in set(theirs) & set(ours):
                one, other = theirs[name], ours[name]
                if name in ("id", "uuid") and isinstance(one, str) and isinstance(other, str) and (name == "uuid" or one.isdigit() and int(one) >= 60):
                    known.setdefault(one, other)
                learn(one, other)
        elif isinstance(theirs, list) and isinstance(ours, list):
            for one, other in zip(theirs, ours):
                learn(one, other)

    def here(value):
        if isinstance(value, dict):
            return {name: here(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [here(inner) for inner in value]
        return known.get(value, value) if isinstance(value, str) else value

    def kind(value):
        return "bool" if isinstance(value, bool) else "number" if isinstance(value, (int, float)) else type(value).__name__

    def compare(theirs, ours, path):
        if theirs is None or ours is None or path in ABOUT_ITS_DATA:
            return
        if kind(theirs) != kind(ours):
            yield f"{path} is {kind(theirs)} there, {kind(ours)} here"
        elif isinstance(theirs, dict):
            for name, value in theirs.items():
                if f"{path}/{name}" in ABOUT_ITS_DATA:
                    continue
                if name not in ours:
                    yield f"{path}/{name} is missing"
                else:
                    yield from compare(value, ours[name], f"{path}/{name}")
        elif isinstance(theirs, list) and theirs and ours:
            yield from compare(theirs[0], ours[0], f"{path}/0")

    for pair in pairs:
        request, response, name = pair["request"], pair["response"], pair["file"]
        path = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|(?<=/)[0-9]+(?=/|$)|(?<=event_id:)[0-9]+", lambda found: known.get(found.group(0), found.group(0)), request["path"])
        key = {"003_auth_missing": "", "004_auth_bad": "x" * 40}.get(name, keys["admin"])
        body = request["body"] if isinstance(request["body"], str) else here(request["body"])
        if name == "021_events_edit":
            del body["Event"]["timestamp"]  # of the day of the recording
        answer = raw("admin", request["method"], path, body, headers={"Authorization": key}, allow_redirects=False)
        if name in UNMET:
            check(f"{name} is met after all", answer.status_code != response["status"] or "answered" in UNMET[name] or "comes with" in UNMET[name] or "come with" in UNMET[name])
            continue
        # Numbers and names of that MISP's own things say nothing here.
        if name in ("088_organisations_view", "093_users_add", "100_taxonomies_view", "107_analyst_data_indexMinimal"):
            continue
        check(f"{name}: {response['status']} there, {answer.status_code} here", answer.status_code == response["status"])
        if isinstance(response["body"], (dict, list)):
            ours = answer.json()
            learn(response["body"], ours)
            differences = list(compare(response["body"], ours, ""))
            check(f"{name}: {differences[:5]}", not differences)


def documented():
    """Every method of PyMISP's main class has a row, and no row is of a method that there is not."""
    rows = {line.split("`")[1]: line.rsplit("|", 2)[1].strip() for line in (root / "docs/misp-api.md").read_text().splitlines() if line.startswith("| `")}
    methods = {name for name in dir(PyMISP) if not name.startswith("_")}
    check(f"methods without a row: {sorted(methods - set(rows))}", methods <= set(rows))
    check(f"rows without a method: {sorted(set(rows) - methods)}", set(rows) <= methods)
    check("each says how much", all(status == "full" or status.startswith(("full: ", "partial: ", "not applicable: ")) for status in rows.values()))
    check("most of it is there", sum(status.startswith("full") for status in rows.values()) > 150)


made_node = made["node"]
try:
    for work in (door, events, index, attributes, objects, tags, searching, sightings, proposals, reports, knowledge, people, roles, groups, registers, policy, registrations, delegations, statistics, size, recorded, documented):
        area(work)
finally:
    server.terminate()
    server.wait(20)
verified = subprocess.run([manara, "verify", *where], capture_output=True, text=True)
check(f"what was written agrees: {verified.stdout[-500:]}{verified.stderr[-500:]}", verified.returncode == 0)
for line in failed:
    print(f"FAILED {line}")
print(f"{passed} passed, {len(failed)} failed")
sys.exit(1 if failed else 0)
