"""PyMISP's own example scripts, unchanged, against the running binary: each is a process of its own with the arguments
that a person gives it, and afterwards the API is asked what it did. Scripts that are not run are named, with the reason."""

import csv
import functools
import http.server
import json
import logging
import pathlib
import subprocess
import sys
import tempfile
import threading

from pymisp import MISPEvent, MISPObject, MISPServer, MISPSharingGroup, PyMISP

from pymisp_source import unpacked

logging.getLogger("pymisp").setLevel(logging.CRITICAL)
manara = str(pathlib.Path(sys.argv[1]).resolve())
root = pathlib.Path(__file__).resolve().parent.parent

SERVICE = "asks a service of the internet"
OLD = "older than the PyMISP that it comes with: "
LEFT_OUT = {
    "add_email_object": "needs extract_msg, RTFDE and oletools",
    "add_github_user": SERVICE,
    "add_vehicle_object": SERVICE,
    "asciidoc_generator": "needs defang and pytaxonomies",
    "copy_list": OLD + "asks for XML; between two named servers of CIRCL",
    "cytomic_orion": SERVICE,
    "edit_user": OLD + "calls edit_user, which is gone",
    "fetch_warninglist_hits": OLD + "reads search's answer as a dictionary",
    "lookup": "needs pytaxonomies and pymispgalaxies; asks no server",
    "misp2cef": OLD + "reads search's answer as a dictionary",
    "misp2clamav": OLD + "looks for a `response` in search's answer, and prints nothing without",
    "openioc_to_misp": "needs beautifulsoup4",
    "proofpoint_tap": SERVICE,
    "proofpoint_vap": SERVICE,
    "search": OLD + "looks for a `response` in search's answer",
    "search_attributes_yara": OLD + "looks for a `response` in search's answer",
    "search_sighting": OLD + "looks for a `response` in search's answer",
    "show_sightings": "keeps its mark under /home/mispuser",
    "sync_sighting": "keeps its mark under /home/mispuser",
    "test_sign": "needs gpg and somebody's key; asks no server",
    "trustar_misp": SERVICE,
    "vmray_automation": SERVICE,
    "vt_to_misp": SERVICE,
    "warninglists": "needs pymispwarninglists",
    "yara": OLD + "calls get_yara, which is gone",
    "yara_dump": "needs yara-python",
}
ran, failed = set(), []


def check(name, good, what="it ran, and is not there"):
    if not good:
        failed.append(f"{name}: {what}")


class Scripts:
    """The folder of examples with its `keys.py`, and the API of the node that they work on."""

    def __init__(self, folder, url, key):
        self.folder, self.api = folder, PyMISP(url, key, False)
        # With a slash at its end: some scripts put paths behind it.
        (folder / "keys.py").write_text(f"misp_url = {url + '/'!r}\nmisp_key = {key!r}\nmisp_verifycert = False\nmisp_client_cert = ''\n")

    def __call__(self, name, *arguments):
        """What the script printed."""
        ran.add(name)
        command = [sys.executable, "-W", "ignore", f"{name}.py", *map(str, arguments)]
        done = subprocess.run(command, cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        if done.returncode != 0 or "Traceback" in done.stderr:
            failed.append(f"{name}: {done.returncode} {done.stdout[-300:]} {done.stderr[-800:]}")
        return done.stdout

    def file(self, name, content):
        (self.folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return name

    def written(self, name):
        file = self.folder / name
        return file.read_text() if file.exists() else ""

    def answer(self, path):
        return self.api.direct_call(path)

    def event(self, which):
        return self.api.get_event(which, pythonify=True)

    def found(self, info):
        """The one event with this title."""
        events = self.api.search_index(eventinfo=info, pythonify=True)
        return self.event(events[0].uuid) if events else MISPEvent()


def values(event):
    return {attribute.value for attribute in event.attributes}


def objects(event, name):
    return [o for o in event.objects if o.name == name]


def servers(script):
    """The script knows the first server only; servers, feeds and groups are numbered together."""
    server = MISPServer()
    server.from_dict(name="Itself", url=script.api.root_url, authkey=script.api.key, remote_org_id="1", pull=True, push=False)
    script.api.add_server(server)
    check("server_sync_check_conn", "'status': 1" in script("server_sync_check_conn"))


def events(script):
    """An event's way: made, filled, tagged, published, fetched, changed, taken away."""
    script("create_events", "-d", 1, "-i", "An example", "-a", 1, "-t", 2)
    made = script.found("An example")
    check("create_events", (int(made.distribution), int(made.analysis), int(made.threat_level_id)) == (1, 1, 2))
    script("add_named_attribute", "-e", made.uuid, "-t", "ip-dst", "-v", "203.0.113.77")
    check("add_named_attribute", values(script.event(made)) == {"203.0.113.77"})
    script("freetext", "-e", made.id, "-i", script.file("text.txt", "seen: 198.51.100.9 and bad[.]example.com"))
    check("freetext", {"198.51.100.9", "bad.example.com"} <= values(script.event(made)))
    rows = "a.pdf;Payload delivery;filename;By mail;0;1970-01-01;1970-01-02;tlp:green;ransomware\n192.0.2.5;Network activity;ip-dst;C2;1;;;tlp:white\n"
    script("add_attributes_from_csv", "-e", made.uuid, "-f", script.file("attributes.csv", rows))
    one = next((a for a in script.event(made).attributes if a.value == "a.pdf"), None)
    check("add_attributes_from_csv", one and one.comment == "By mail" and not one.to_ids and str(one.last_seen).startswith("1970-01-02") and {t.name for t in one.tags} == {"tlp:green", "ransomware"})
    check("add_attributes_from_csv", any(a.value == "192.0.2.5" and a.to_ids for a in script.event(made).attributes), "the second row")
    tag = script.api.add_tag({"name": "example:tag", "colour": "#123456"}, pythonify=True)
    script("addtag2", "-e", made.id, "-t", tag.id)
    check("addtag2", [t.name for t in script.event(made).tags] == ["example:tag"])
    check("tags", "example:tag" in script("tags"))
    script("copyTagsFromAttributesToEvent", "-e", made.id, "-y")
    check("copyTagsFromAttributesToEvent", {"example:tag", "ransomware", "tlp:green"} <= {t.name for t in script.event(made).tags})
    script.api.publish(made)
    script("last", "-l", "1d", "-o", "last.json")
    check("last", made.uuid in script.written("last.json"))
    script("get", "-e", made.id, "-o", "one.json")
    changed = json.loads(script.written("one.json") or "{}")
    check("get", changed.get("uuid") == made.uuid and len(changed["Attribute"]) == 5)
    changed.pop("timestamp", None)
    script("up", "-e", made.id, "-i", script.file("changed.json", json.dumps({**changed, "info": "Changed by a script"})))
    check("up", script.event(made).info == "Changed by a script" and len(script.event(made).attributes) == 5)
    return script.event(made)


def readings(script, made):
    """What scripts make of what is there."""
    script("get_csv", "-e", made.id, "-f", "table.csv")
    table = list(csv.DictReader(script.written("table.csv").splitlines()))
    check("get_csv", {row["value"] for row in table} == values(made) and {row["event_id"] for row in table} == {str(made.id)})
    script("get_csv", "-e", made.id, "-t", "ip-dst", "-a", "value", "type", "-f", "narrow.csv")
    narrow = list(csv.DictReader(script.written("narrow.csv").splitlines()))
    check("get_csv", {row["value"] for row in narrow} == {a.value for a in made.attributes if a.type == "ip-dst"} and all(list(row) == ["value", "type"] for row in narrow), "two columns of one type")
    lines = script("get_network_activity", "--event", made.id, "--no-comment").split()
    check("get_network_activity", set(lines) == {a.value for a in made.attributes if a.type == "ip-dst" and a.to_ids})
    flow = script("get_network_activity", "--event", made.id, "--netflow")
    check("get_network_activity", "host 203.0.113.77" in flow, "as a filter of flows")
    report = script("stats_report", "-t", "30d", "-e")
    check("stats_report", "Changed by a script" in report and "ip-dst" in report)


def parts(script, made, gitlab):
    """Samples and objects, and what ties them."""
    script("upload", "-u", script.file("sample.bin", b"MZ not really"), "-m", "-d", 0, "-i", "A sample")
    sample = script.found("A sample")
    kept = next((a for a in sample.attributes if a.type == "malware-sample"), None)
    check("upload", kept and kept.malware_binary and kept.malware_binary.getvalue() == b"MZ not really")
    script("upload", "-u", script.file("note.txt", "plain"), "-e", sample.id, "-c", "by hand")
    note = next((a for a in script.event(sample).attributes if a.type == "attachment"), None)
    check("upload", note and note.comment == "by hand" and note.data.getvalue() == b"plain", "to an event that is there")
    script("add_file_object", "-e", made.id, "-p", "sample.bin")
    files = objects(script.event(made), "file")
    check("add_file_object", len(files) == 1 and {a.object_relation for a in files[0].attributes} >= {"filename", "md5", "sha256", "malware-sample"})
    hashes = ";".join(("two.pdf", "6ff19f8b680df260883d61d7c00db14a8bc57aa0", "ea307d60ad0bd1df83ab5119df0bf638", "b6c9903c9c38400345ad21faa2df50211d8878c96079c43ae64f35b17c9f74a1"))
    script("add_filetype_object_from_csv", "-e", made.uuid, "-f", script.file("files.csv", hashes + "\n"))
    two = next((o for o in objects(script.event(made), "file") if o.get_attributes_by_relation("filename")[0].value == "two.pdf"), MISPObject("file"))
    check("add_filetype_object_from_csv", [t.name for a in two.get_attributes_by_relation("md5") for t in a.tags] == ["tlp:amber"])
    script("add_generic_object", "-e", made.id, "-t", "url", "-l", '[{"url": "http://object.example/"}]')
    address = next(iter(objects(script.event(made), "url")), None)
    check("add_generic_object", address)
    script("add_ssh_authorized_keys", "-e", made.id, "-p", script.file("authorized_keys", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample someone@example.org\n"))
    check("add_ssh_authorized_keys", [a.value for o in objects(script.event(made), "ssh-authorized-keys") for a in o.get_attributes_by_relation("key")] == ["AAAAC3NzaC1lZDI1NTE5AAAAIExample"])
    script("add_object_reference", "-o", two.uuid, "-t", address.uuid, "-r", "downloaded-from")
    references = [r for o in script.event(made).objects if o.uuid == two.uuid for r in o.references]
    check("add_object_reference", [(r.referenced_uuid, r.relationship_type) for r in references] == [(address.uuid, "downloaded-from")])
    script("add_object_relationship", "-o", two.uuid, "-t", sample.uuid, "-r", "related-to", "--type", "Event")
    related = [line["Relationship"] for line in script.answer("analystData/index/Relationship")]
    check("add_object_relationship", [(r["object_uuid"], r["related_object_uuid"], r["relationship_type"]) for r in related] == [(two.uuid, sample.uuid, "related-to")])
    for options, ban in (("-n", "192.0.2.77"), ("-d", "192.0.2.78")):
        script("add_fail2ban_object", "-b", ban, "-a", "ssh", "-t", "fail2ban", options, "-F", "note.txt")
    bans = objects(script.found("Fail2Ban blocking"), "fail2ban")
    check("add_fail2ban_object", {a.value for o in bans for a in o.get_attributes_by_relation("banned-ip")} == {"192.0.2.77", "192.0.2.78"}, "the second goes to the first one's event, found by its tag")
    script("load_csv", "-n", "file", "-p", "../tests/csv_testfiles/valid_fieldnames.csv", "-i", "A table")
    rows = list(csv.reader((script.folder / "../tests/csv_testfiles/valid_fieldnames.csv").open()))[1:]
    check("load_csv", len(objects(script.found("A table"), "file")) == len(rows) > 0)
    script("add_gitlab_user", "-e", made.id, "-u", "someone", "-l", gitlab)
    check("add_gitlab_user", [a.value for o in objects(script.event(made), "gitlab-user") for a in o.get_attributes_by_relation("username")] == ["someone"])
    check("generate_file_objects", '"file"' in script("generate_file_objects", "-p", "sample.bin"))
    script("del", "-a", kept.id)
    check("del", "malware-sample" not in {a.type for a in script.event(sample).attributes}, "an attribute")
    script("del", "-e", sample.id)
    check("del", "errors" in script.api.get_event(sample.id))


def sightings(script, made):
    """What was seen wrongly more often than rightly is no longer for detection."""
    doubted, believed = (next(a for a in made.attributes if a.value == value) for value in ("203.0.113.77", "192.0.2.5"))
    for which, kinds in ((doubted, "110"), (believed, "00")):
        for kind in kinds:
            script.api.add_sighting({"type": kind}, which)
    told = script("falsepositive_disabletoids", "-b", 1)
    now = {a.value: a.to_ids for a in script.event(made).attributes}
    check("falsepositive_disabletoids", now["203.0.113.77"] is False and now["192.0.2.5"] is True and "FP: 2 TP: 1" in told)
    check("falsepositive_disabletoids", script.event(made).published, "it publishes again")


def people(script):
    """Accounts, organisations, groups."""
    script("add_user", "-e", "scripted@example.org", "-o", 1, "-r", 3)
    user = next((u for u in script.api.users(pythonify=True) if u.email == "scripted@example.org"), None)
    check("add_user", user and user.role_id == "3")
    check("users_list", "scripted@example.org" in script("users_list"))
    script("delete_user", "-i", user.id)
    check("delete_user", not any(u.id == user.id for u in script.api.users(pythonify=True)))
    group = script.api.add_sharing_group({"name": "Scripted group", "releasability": "members"}, pythonify=True)
    check("sharing_groups", "Scripted group" in script("sharing_groups"))
    known = "5bd0e6c1-7c3c-4d0a-9d0a-2f1f0a3a9a01"
    script("add_organisations", "-c", script.file("organisations.csv", f"CERT Scripted,TR,Government,CSIRT,desk@example.org,{known},1,{group.uuid}\nCERT Partner,MY,,,,5bd0e6c1-7c3c-4d0a-9d0a-2f1f0a3a9a02,0,\n"))
    added = script.api.get_organisation(known, pythonify=True)
    check("add_organisations", (added.name, added.nationality, added.sector, added.local) == ("CERT Scripted", "TR", "Government", True))
    check("add_organisations", any(o.name == "CERT Partner" for o in script.api.organisations(scope="external", pythonify=True)), "one that is not of this node")
    members = MISPSharingGroup()
    members.from_dict(**script.api.get_sharing_group(group.uuid))
    check("add_organisations", known in {m["Organisation"]["uuid"] for m in members.SharingGroupOrg}, "a member of the group")
    script("edit_organisation", "-i", added.id, "-e", "new@example.org")
    check("edit_organisation", script.api.get_organisation(known, pythonify=True).name == "CERT Scripted", "what was not named stays")


def feeds(script, made, published, address):
    """A feed as PyMISP's users publish one: made of an event, served, set up, fetched and cached by scripts."""
    whole = MISPEvent()
    whole.load_file(str(root / "fixtures/misp/eset-powerpool-misp-powerpool.json"))
    for each in (whole, made):
        (published / f"{each.uuid}.json").write_text(json.dumps(each.to_feed(with_meta=False)))
    script("generate_meta_feed", "--feed", published)
    manifest = json.loads((published / "manifest.json").read_text() or "{}")
    check("generate_meta_feed", set(manifest) == {whole.uuid, made.uuid} and (published / "hashes.csv").exists())
    script("add_feed", "-f", "misp", "-u", address, "-n", "Scripted", "-i", "network", "-p", "Example")
    feed = next((f for f in script.api.feeds(pythonify=True) if f.name == "Scripted"), None)
    check("add_feed", feed and (feed.source_format, feed.url.rstrip("/"), feed.provider) == ("misp", address.rstrip("/"), "Example"))
    script.api.enable_feed(feed.id)
    script.api.enable_feed_cache(feed.id)
    script("fetch_events_feed", "-f", feed.id)
    fetched = script.event(whole.uuid)
    check("fetch_events_feed", values(fetched) == values(whole) and len(fetched.objects) == len(whole.objects))
    script("cache_all")
    told = next(f for f in script.answer("feeds/index") if f["Feed"]["id"] == str(feed.id))
    check("cache_all", int(told["Feed"].get("cache_timestamp") or 0) > 0)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    source = unpacked(folder)
    data = str(folder / "node")
    made = json.loads(subprocess.check_output([manara, "init", "--data", data, "--org", "CERT Example", "--country", "MY", "--admin", "admin@cert.example", "--json"]))
    for knowledge in ("warninglists", "taxonomies", "galaxies", "objects"):
        subprocess.run([manara, "import", "--data", data, "--tlp", "clear", str(root / "fixtures/knowledge" / knowledge)], check=True, capture_output=True)
    some = [str(root / "fixtures/misp" / name) for name in ("eset-kryptocibule-misp-kryptocibule.json", "eset-xdspy-misp-xdspy-event.json")]
    subprocess.run([manara, "import", "--data", data, "--tlp", "green", *some], check=True, capture_output=True)
    public = folder / "public"
    (public / "feed").mkdir(parents=True)
    (public / "api/v4").mkdir(parents=True)
    person = {name: f"https://git.example/{name}" for name in ("avatar_url", "web_url")} | {"username": "someone", "id": 7, "name": "Some One", "state": "active"}
    (public / "api/v4/users").write_text(json.dumps([person]))
    partner = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=public))
    threading.Thread(target=partner.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{partner.server_port}/"
    server = subprocess.Popen([manara, "serve", "--data", data, "--listen", "127.0.0.1:0", "--log", "error", "--fetch-private"], stdout=subprocess.PIPE, text=True)
    try:
        url = next(line.split()[-1] for line in server.stdout if line.startswith("listening on"))
        script = Scripts(source / "examples", url, made["api_key"])
        servers(script)
        event = events(script)
        areas = [(readings, event), (parts, event, address), (sightings, event), (people,), (feeds, event, public / "feed", f"{address}feed/")]
        for area, *more in areas:
            try:
                area(script, *more)
            except Exception as error:  # noqa: BLE001 - whatever it was, it is told, and the other areas go on
                failed.append(f"{area.__name__}: {type(error).__name__} {error}")
    finally:
        server.terminate()
        server.wait(20)
        partner.shutdown()
    verified = subprocess.run([manara, "verify", "--data", data], capture_output=True, text=True)
    check("verify", verified.returncode == 0, verified.stdout[-500:] + verified.stderr[-500:])
    there = {path.stem for path in (source / "examples").glob("*.py")} - {"__init__", "keys"}
    for name in sorted(there - ran - set(LEFT_OUT)):
        failed.append(f"{name}: neither run nor named")
    for name in sorted((set(LEFT_OUT) - there) | (set(LEFT_OUT) & ran)):
        failed.append(f"{name}: take it off the list")

for line in failed:
    print(f"FAILED {line}")
bad = {line.split(":")[0] for line in failed}
print(f"{len(ran - bad)} of {len(ran)} of PyMISP's example scripts do what they are for; {len(LEFT_OUT)} are left out, each with a reason")
print(f"{len(ran - bad)} passed, {len(failed)} failed")
sys.exit(1 if failed else 0)
