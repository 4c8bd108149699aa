"""What is set up by hand, and feeds: fetched, cached, compared, guarded."""

from .node import *  # noqa: F403 - the callers, and the few words that all of these tests are made of


def registers():
    blocked = str(uuid.uuid4())
    added = admin.add_event_blocklist([blocked, "nonsense"], comment="spam", event_info="x")
    check("blocked", added["result"]["successes"] == [blocked] and added["result"]["fails"] == ["nonsense"])
    check("refused", raw("alpha", "POST", "/events/add", {"Event": {"uuid": blocked, "info": "spam"}}).status_code == 403)
    entry = next(e for e in admin.event_blocklists(pythonify=True) if e.event_uuid == blocked)
    check("titles of what is blocked are its keeper's", raw("alpha", "GET", "/eventBlocklists").status_code == 403)
    check("listed", entry.comment == "spam")
    check("changed", admin._update_entries_in_blocklist("event", blocked, comment="ham")["EventBlocklist"]["comment"] == "ham")
    check("no longer", admin.delete_event_blocklist(entry.id)["saved"] and not errors(alpha.add_event(dict(uuid=blocked, info="ham", distribution=0))))
    org = str(uuid.uuid4())
    check("an organisation", admin.add_organisation_blocklist(org, comment="c", org_name="Spam Inc")["result"]["successes"] == [org])
    pushed = raw("sync", "POST", "/events/add", {"Event": {"info": "from spam", "distribution": "1", "Orgc": {"uuid": org, "name": "Spam Inc"}}})
    check("its events stay out", pushed.status_code == 403)
    check("listed too", admin.organisation_blocklists(pythonify=True)[0].org_name == "Spam Inc")
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
    stored = raw("alpha", "POST", "/events/upload_stix/2", bundle).json()["Event"]
    one = stored["Attribute"][0]
    check("STIX 2 is an event", (one["type"], one["value"], one["to_ids"]) == ("domain", "stix.example", True))
    check("with the indicator's identifier", f"indicator--{one['uuid']}" == bundle["objects"][0]["id"])
    check("for its own organisation", stored["distribution"] == "0" and not stored["published"])
    check("which is there once", raw("alpha", "POST", "/events/upload_stix/2", bundle).status_code == 404)
    check("no bundle", raw("alpha", "POST", "/events/upload_stix/2", {"type": "indicator"}).status_code == 400)
    check("STIX 1 says why not", raw("alpha", "POST", "/events/upload_stix", "<x/>").status_code == 405)


@contextlib.contextmanager
def publisher():
    """A server of feeds: `files` by path (bytes, or a function of the request that answers by itself), `asked` what was asked."""
    files, asked = {}, []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            body = files.get(self.path)
            if callable(body):
                return body(self)
            if body is None:
                return self.send_error(404)
            tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
            fresh = self.headers.get("If-None-Match") == tag
            self.send_response(304 if fresh else 200)
            self.send_header("ETag", tag)
            self.send_header("Content-Length", "0" if fresh else str(len(body)))
            self.end_headers()
            if not fresh:
                self.wfile.write(body)

        def log_message(self, *_):
            pass

    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=served.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{served.server_port}", files, asked
    finally:
        served.shutdown()
        served.server_close()


def new_feed(name, address, source_format="misp", **more):
    feed = MISPFeed()
    feed.name, feed.provider, feed.url, feed.source_format, feed.enabled = name, "Them", address, source_format, True
    feed.from_dict(**more)
    return admin.add_feed(feed, pythonify=True)


def fetched(feed):
    """What fetching a large one came to, also where it goes on after the answer."""
    answer = admin.fetch_feed(feed)
    while "queued" in answer["result"]:
        time.sleep(0.2)
        job = raw("admin", "GET", f"/jobs/view/{answer['job_id']}").json()["Job"]
        if job["status"] not in ("1", "2"):
            return job["report"]
    return answer["report"]


def last(feed, name="last_fetch"):
    return raw("admin", "GET", f"/feeds/view/{feed.id}").json()["Feed"][name]["report"]


def misp_feed(files, at, names):
    """Events of the fixtures as a feed: manifest, hashes, a file each."""
    manifest, hashes, all_events = {}, [], {}
    for name in names:
        said = json.loads((root / "fixtures/misp" / name).read_text())
        said = (said if "Event" in said else said["response"][0])["Event"]
        manifest[said["uuid"]] = {n: said.get(n) for n in ("info", "analysis", "threat_level_id", "date", "timestamp", "Orgc")} | {"Tag": said.get("Tag", [])}
        files[f"{at}/{said['uuid']}.json"] = json.dumps({"Event": said}).encode()
        values = [a for a in said.get("Attribute", [])] + [a for o in said.get("Object", []) for a in o.get("Attribute", [])]
        hashes += [f"{hashlib.md5(half.encode()).hexdigest()},{said['uuid']}" for a in values for half in (a["value"].split("|") if "|" in a["type"] else [a["value"]])]
        all_events[said["uuid"]] = said
    files[f"{at}/manifest.json"] = json.dumps(manifest).encode()
    files[f"{at}/hashes.csv"] = "\n".join(hashes).encode()
    return manifest, all_events


def feeds_of_events():
    with publisher() as (address, files, asked):
        names = ["eset-powerpool-misp-powerpool.json", "eset-telebots-misp-telebots.json", "eset-cloudmensis-cloudmensis.misp.json"]
        manifest, them = misp_feed(files, "/osint", names)
        power, tele, cloud = them
        mark = admin.add_tag({"name": "feed:them"}, pythonify=True)
        feed = new_feed("OSINT", f"{address}/osint", distribution=1, tag_id=mark.id, headers="X-Key: sesame", rules=json.dumps({"tags": {"OR": [], "NOT": []}, "orgs": {"OR": [], "NOT": []}}))
        index = raw("admin", "GET", f"/feeds/previewIndex/{feed.id}").json()
        check("a look at its index", set(index) == set(manifest) and index[power]["info"] == manifest[power]["info"])
        check("at one of its events", raw("admin", "GET", f"/feeds/previewEvent/{feed.id}/{power}").json()["Event"] == them[power])
        check("nothing of it was kept", errors(admin.get_event(power)))
        check("looks are not for users", raw("alpha", "GET", f"/feeds/previewIndex/{feed.id}").status_code == 403 and raw("alpha", "GET", f"/feeds/previewEvent/{feed.id}/{power}").status_code == 403)
        check("nor are fetches", errors(alpha.fetch_feed(feed)) and raw("alpha", "GET", "/feeds/fetchFromAllFeeds").status_code == 403)
        check("its headers go along", asked[-1][1].get("x-key") == "sesame")
        said = admin.fetch_feed(feed)
        check(f"fetched: {said}", said["report"]["added"] == 3 and said["report"]["errors"] == [] and "success" in said["result"])
        for one in them:
            stored = admin.get_event(one, pythonify=True)
            check("whole", len(stored.attributes) + sum(len(o.attributes) for o in stored.objects) == len(them[one].get("Attribute", [])) + sum(len(o["Attribute"]) for o in them[one].get("Object", [])) - len(said["report"]["rejections"]))
        check("each says what was not taken", said["report"]["rejected"] == len(said["report"]["rejections"]))
        stored = admin.get_event(power)["Event"]
        check("its author and its clock stay", stored["Orgc"]["name"] == "ESET" and stored["timestamp"] == them[power]["timestamp"] and stored["locked"])
        check("it goes as far as the feed is set up", stored["distribution"] == "1" and not errors(gamma.get_event(power)))
        check("and has the feed's mark", "feed:them" in [t["name"] for t in stored["Tag"]])
        del asked[:]
        check("nothing new", admin.fetch_feed(feed)["report"]["unmodified"] and [path for path, _ in asked] == ["/osint/manifest.json"] and "if-none-match" in asked[0][1])
        newer = json.loads(json.dumps(them[power]))
        check("narrowed here", raw("admin", "POST", f"/events/edit/{power}", {"Event": {"distribution": "0"}}).status_code == 200 and errors(gamma.get_event(power)))
        newer["timestamp"], newer["info"] = str(int(time.time()) + 60), "PowerPool, again"
        newer["Attribute"] = newer["Attribute"] + [{"type": "domain", "category": "Network activity", "value": "new.powerpool.example", "uuid": str(uuid.uuid4()), "timestamp": newer["timestamp"]}]
        files[f"/osint/{power}.json"] = json.dumps({"Event": newer}).encode()
        manifest[power]["timestamp"], manifest[power]["info"] = newer["timestamp"], newer["info"]
        files["/osint/manifest.json"] = json.dumps(manifest).encode()
        del asked[:]
        report = admin.fetch_feed(feed)["report"]
        check(f"a newer version: {report}", (report["updated"], report["unchanged"], report["added"]) == (1, 2, 0) and len(asked) == 2)
        check("with what is new in it", "new.powerpool.example" in [a["value"] for a in admin.get_event(power)["Event"]["Attribute"]] and admin.get_event(power)["Event"]["info"] == "PowerPool, again")
        check("and stays as narrow as it was made here", admin.get_event(power)["Event"]["distribution"] == "0" and errors(gamma.get_event(power)))
        check("as kept with the feed", last(feed)["updated"] == 1)
        check("not for users", "last_fetch" not in json.dumps(alpha.feeds()))
        # Broken ones.
        files[f"/osint/{tele}.json"] = files[f"/osint/{tele}.json"][:500]
        files[f"/osint/{cloud}.json"] = b"<!DOCTYPE html><html>log in</html>"
        for one in (tele, cloud):
            manifest[one]["timestamp"] = "2000000000"
        manifest[str(uuid.uuid4())] = manifest[power]
        files["/osint/manifest.json"] = json.dumps(manifest).encode()
        report = admin.fetch_feed(feed)["report"]
        check(f"broken files stop no other: {report}", len(report["errors"]) == 3 and report["unchanged"] == 1)
        check("half an event, a page, none at all", all(any(word in e for e in report["errors"]) for word in ("not all of it", "a page for people", "404")))
        check("and are tried again", admin.fetch_feed(feed)["report"]["unmodified"] is False)
        check("what was there stays", len(admin.get_event(tele)["Event"]["Attribute"]) == len(them[tele]["Attribute"]))
        # Rules.
        manifest, them = misp_feed(files, "/rules", names)
        chosen = new_feed("Chosen", f"{address}/rules", rules=json.dumps({"tags": {"OR": ["tlp:white"], "NOT": []}, "orgs": {"OR": ["CIRCL"], "NOT": []}}))
        check("rules choose", set(raw("admin", "GET", f"/feeds/previewIndex/{chosen.id}").json()) == {tele})
        report = admin.fetch_feed(chosen)["report"]
        check(f"and leave out: {report}", report["filtered"] == 2 and report["unchanged"] == 1)
        # An event of ours with the same identifier, one that is blocked, one that another feed has changed.
        mine = str(uuid.uuid4())
        own = admin.add_event(dict(uuid=mine, info="ours", distribution=0), pythonify=True)
        blocked = str(uuid.uuid4())
        admin.add_event_blocklist(blocked)
        liar = {n: dict(them[power], uuid=n) for n in (mine, blocked, str(uuid.uuid4()))}
        files["/liar/manifest.json"] = json.dumps({n: {"timestamp": "2000000000", "Orgc": e["Orgc"]} for n, e in liar.items()}).encode()
        for n, e in liar.items():
            files[f"/liar/{n}.json"] = json.dumps({"Event": e if n in (mine, blocked) else dict(e, uuid=power)}).encode()
        report = admin.fetch_feed(new_feed("Liar", f"{address}/liar"))["report"]
        check(f"ours is not overwritten, what is blocked stays out, another event is not taken: {report}", sum(report["skipped"].values()) == 2 and len(report["errors"]) == 1 and report["added"] == 0)
        check("ours is as it was", admin.get_event(mine)["Event"]["info"] == "ours")
        admin.delete_event(own)
        # How far it goes.
        secret = dict(them[power], uuid=str(uuid.uuid4()), Tag=[{"name": "tlp:red"}], distribution="3", Attribute=[dict(a, uuid=str(uuid.uuid4())) for a in them[power]["Attribute"][:2]], timestamp="1700000000")
        quiet = dict(secret, uuid=str(uuid.uuid4()), Tag=[], Attribute=[dict(a, uuid=str(uuid.uuid4())) for a in secret["Attribute"]])
        misp = {e["uuid"]: e for e in (secret, quiet)}
        files["/quiet/manifest.json"] = json.dumps({n: {"timestamp": e["timestamp"]} for n, e in misp.items()}).encode()
        files.update({f"/quiet/{n}.json": json.dumps({"Event": e}).encode() for n, e in misp.items()})
        reached = new_feed("Wide", f"{address}/quiet", distribution=3, override_ids=True)
        check("both", admin.fetch_feed(reached)["report"]["added"] == 2)
        check("TLP is obeyed, however wide the feed", errors(gamma.get_event(secret["uuid"])) and not errors(gamma.get_event(quiet["uuid"])) and not errors(alpha.get_event(secret["uuid"])))
        check("nothing of it is for detection", not any(a["to_ids"] for a in admin.get_event(quiet["uuid"])["Event"]["Attribute"]))
        for at, what in (("/none", "404"), ("/page", "a page for people"), ("/cut", "no manifest"), ("/list", "no manifest")):
            files[f"{at}/manifest.json"] = {"/page": b"  <HTML>", "/cut": b'{"a": {', "/list": b"[1, 2]"}.get(at)
            broken = new_feed(f"Broken {at}", f"{address}{at}")
            answer = admin.fetch_feed(broken)
            check(f"{what}: {answer}", errors(answer) and what in json.dumps(answer) and what in json.dumps(last(broken)))


def feeds_of_lists():
    with publisher() as (address, files, asked):
        files["/list.txt"] = b"# evil things\n198.51.100.77\nhxxp://bad.list.example.org/x # seen\nnothing to see\nc2[.]list[.]example[.]com\n"
        feed = new_feed("Evil list", f"{address}/list.txt", "freetext", distribution=1, fixed_event=True, delta_merge=True, publish=True)
        lines = raw("admin", "GET", f"/feeds/previewIndex/{feed.id}").json()
        check("a look", [line["value"] for line in lines] == ["198.51.100.77", "http://bad.list.example.org/x", "c2.list.example.com"] and lines[0]["type"] == "ip-dst")
        said = admin.fetch_feed(feed)["report"]
        check(f"fetched: {said}", said["added"] == 3 and said["rejected"] == 1 and said["rejections"][0]["place"] == "line 4")
        kept = said["event"]
        check("the event is remembered", raw("admin", "GET", f"/feeds/view/{feed.id}").json()["Feed"]["event_id"] == kept)
        stored = gamma.get_event(kept, pythonify=True)
        check("an event of the feed", stored.info == "Evil list feed" and stored.published and stored.orgc.name == "CERT Alpha" and {a.value for a in stored.attributes} == {line["value"] for line in lines})
        check("found by value", gamma.search(controller="attributes", value="c2.list.example.com")["Attribute"][0]["event_id"] == str(stored.id))
        del asked[:]
        check("nothing new is one question", admin.fetch_feed(feed)["report"]["unmodified"] and len(asked) == 1 and "if-none-match" in asked[0][1])
        files["/list.txt"] = b"198.51.100.77\n203.0.113.78\n"
        said = admin.fetch_feed(feed)["report"]
        check(f"in step with the list: {said}", (said["added"], said["removed"], said["unchanged"], said["event"]) == (1, 2, 1, kept))
        now = admin.get_event(kept, deleted=True, pythonify=True)
        check("what is gone is deleted softly", {a.value for a in now.attributes if a.deleted} == {"http://bad.list.example.org/x", "c2.list.example.com"} and len(admin.get_event(kept)["Event"]["Attribute"]) == 2)
        check("the same ones as before", {a.uuid for a in stored.attributes} < {a.uuid for a in now.attributes})
        check("with a newer clock", now.timestamp > stored.timestamp)
        files["/list.txt"] = b"198.51.100.77\nc2.list.example.com\n203.0.113.78\n"
        said = admin.fetch_feed(feed)["report"]
        check(f"what is back is back: {said}", (said["added"], said["removed"]) == (1, 0) and len(admin.get_event(kept)["Event"]["Attribute"]) == 3 and len(admin.get_event(kept, deleted=True)["Event"]["Attribute"]) == 4)
        for body, what in ((b"<html><body>198.51.100.9</body></html>", "a page for people"), (b"nothing\nat all here\n", "no value"), (b"", "empty")):
            files["/list.txt"] = body
            answer = admin.fetch_feed(feed)
            check(f"{what}: {answer}", errors(answer) and what in json.dumps(answer))
        check("nothing was taken out for that", len(admin.get_event(kept)["Event"]["Attribute"]) == 3)

        def large(request):
            request.send_response(200)
            request.send_header("Content-Length", str(1 << 40))
            request.end_headers()

        def short(request):
            request.send_response(200)
            request.send_header("Content-Length", "1000")
            request.end_headers()
            request.wfile.write(b"198.51.100.77\n")
            request.close_connection = True

        def away(to):
            def answer(request):
                request.send_response(302)
                request.send_header("Location", to)
                request.send_header("Content-Length", "0")
                request.end_headers()
            return answer

        files.update({"/large": large, "/short": short, "/loop": away("/loop"), "/other": away("https://127.0.0.1/x"), "/file": away("file:///etc/passwd")})
        for at, what in (("/large", "may have"), ("/short", "broke off"), ("/loop", "more than 5 times"), ("/other", "sends us to"), ("/file", "sends us to"), ("/none", "404")):
            answer = admin.fetch_feed(new_feed(f"Broken {at}", f"{address}{at}", "freetext"))
            check(f"{at}: {answer}", errors(answer) and what in json.dumps(answer))
        files["/moved"], files["/packed"] = away("/packed"), gzip.compress(b"packed.list.example.com\n")
        moved = new_feed("Moved", f"{address}/moved", "freetext", fixed_event=False, orgc_id=beta.get_user("me")["User"]["org_id"], force_to_ids=True)
        first = admin.fetch_feed(moved)["report"]
        check(f"moved and packed: {first}", first["added"] == 1 and admin.get_event(first["event"])["Event"]["Orgc"]["name"] == "CERT Beta")
        check("not published, and for those who set it up alone", not admin.get_event(first["event"])["Event"]["published"] and errors(gamma.get_event(first["event"])))
        check("nothing new, no new event", admin.fetch_feed(moved)["report"]["unmodified"])
        files["/packed"] = gzip.compress(b"packed.list.example.com\nmore.list.example.com\n")
        check("else a new one each time", admin.fetch_feed(moved)["report"]["event"] not in (first["event"], None))
        settings = {"csv": {"value": "2,3", "delimiter": ";"}, "common": {"excluderegex": "/^9;/"}}
        files["/rows.csv"] = b"id;ip;name\n1;198.51.100.80;a.rows.example.com\n2;\"198.51.100.81\";\n9;198.51.100.82;\n3;none;none\n"
        rows = new_feed("Rows", f"{address}/rows.csv", "csv", settings=json.dumps(settings))
        said = admin.fetch_feed(rows)["report"]
        check(f"columns: {said}", (said["added"], said["filtered"], said["rejected"]) == (3, 1, 1))
        check("settings stay a text", admin.get_feed(rows.id, pythonify=True).settings == settings and admin.update_feed(admin.get_feed(rows.id, pythonify=True), pythonify=True).settings == settings)
        rows.settings = {"csv": {"value": "3", "delimiter": ";"}}
        admin.update_feed(rows)
        check("other settings read it anew", admin.fetch_feed(rows)["report"]["unmodified"] is False)
        many = "".join(f"h{n}.many.example.com\n" for n in range(30_000))
        files["/many.txt"] = many.encode()
        large_list = new_feed("Many", f"{address}/many.txt", "freetext", delta_merge=True)
        check("thirty thousand", fetched(large_list)["added"] == 30_000)
        files["/many.txt"] = "".join(f"h{n}.many.example.com\n" for n in range(25_000, 60_000)).encode()
        said = fetched(large_list)
        check(f"and most of them others: {said}", (said["added"], said["removed"], said["unchanged"]) == (30_000, 25_000, 5000) and raw("admin", "GET", f"/events/view/{said['event']}/metadata:1").json()["Event"]["attribute_count"] == "35000")
        begun, go_on = threading.Event(), threading.Event()

        def slow(request):
            begun.set()
            go_on.wait(20)
            request.send_response(200)
            request.send_header("Content-Length", "17")
            request.end_headers()
            request.wfile.write(b"slow.example.com\n")

        files["/slow"] = slow
        patient, answers = new_feed("Slow", f"{address}/slow", "freetext"), []
        first = threading.Thread(target=lambda: answers.append(admin.fetch_feed(patient)))
        first.start()
        begun.wait(20)
        second = threading.Thread(target=lambda: answers.append(admin.fetch_feed(patient)))
        second.start()
        time.sleep(0.3)
        waiting = {line["Job"]["status"] for line in raw("admin", "GET", "/jobs/index/limit:2").json()}
        go_on.set()
        first.join()
        second.join()
        check(f"one reads a feed at a time, the second after it: {answers}", waiting == {"1", "2"} and sorted(a["report"]["added"] for a in answers) == [0, 1])
        (local_feeds / "local.txt").write_text("local.list.example.com\n")
        check("a local one", admin.fetch_feed(new_feed("Local", "local.txt", "freetext", input_source="local"))["report"]["added"] == 1)
        for at in ("../node/node.key", "/etc/passwd", "none.txt"):
            answer = admin.fetch_feed(new_feed("Local", at, "freetext", input_source="local"))
            check(f"from its folder only: {answer}", errors(answer) and "feed_dir" in json.dumps(answer))
        for feed in admin.feeds(pythonify=True):
            feed.enabled = feed.name == "Evil list"
            admin.update_feed(feed)
        files["/list.txt"] = b"198.51.100.77\n"
        said = admin.fetch_all_feeds()
        check(f"all that are on: {said}", len(said["report"]) == 1 and said["report"][next(iter(said["report"]))]["removed"] == 2)
        check("not one that is off", errors(admin.fetch_feed(moved)))


def feeds_cached():
    for feed in admin.feeds(pythonify=True):
        admin.delete_feed(feed)
    with publisher() as (address, files, asked):
        manifest, them = misp_feed(files, "/osint", ["eset-powerpool-misp-powerpool.json", "eset-telebots-misp-telebots.json"])
        power = next(iter(them))
        known = next(a for a in them[power]["Attribute"] if a["type"] == "md5" or a["type"] == "sha1")["value"]
        files["/list.txt"] = f"{known}\nonly.cache.example.com\nshared.cache.example.com\n".encode()
        files["/rows.csv"] = b"shared.cache.example.com\nrows.cache.example.com\n"
        misp = new_feed("Cached events", f"{address}/osint?key=secret#".split("?")[0], caching_enabled=True, lookup_visible=True)
        text = new_feed("Cached list", f"{address}/list.txt", "freetext", caching_enabled=True, lookup_visible=True)
        rows = new_feed("Cached rows", f"{address}/rows.csv", "csv", caching_enabled=True)
        check("not one that is not to be cached", errors(admin.cache_feed(new_feed("Uncached", f"{address}/list.txt", "freetext"))))
        check("not by users", errors(alpha.cache_feed(text)))
        check("nothing yet", admin.search_feeds(known) == [])
        said = admin.cache_misp_feeds()
        check(f"those of MISP's format: {said}", said["report"][str(misp.id)]["errors"] == [] and [path for path, _ in asked] == ["/osint/hashes.csv"])
        check("the others", admin.cache_freetext_feeds()["report"][str(text.id)]["added"] == 3 and admin.cache_all_feeds()["report"][str(rows.id)]["added"] == 2)
        del asked[:]
        check("nothing new", admin.cache_all_feeds()["report"][str(misp.id)]["unmodified"] and len(asked) == 3 and all("if-none-match" in headers for _, headers in asked))
        found = {line["Feed"]["name"]: line["Feed"] for line in admin.search_feeds(known)}
        check(f"who knows it: {found}", set(found) == {"Cached events", "Cached list"} and found["Cached events"]["uuid"] == [power])
        check("in another spelling", [line["Feed"]["name"] for line in admin.search_feeds("ONLY.cache[.]example[.]com")] == ["Cached list"])
        check("as PyMISP has it", {feed.name for feed in admin.search_feeds([known, "rows.cache.example.com"], pythonify=True)} == {"Cached events", "Cached list", "Cached rows"})
        check("users see those that are shown", [line["Feed"]["name"] for line in alpha.search_feeds("shared.cache.example.com")] == ["Cached list"])
        check("in the list of feeds too", {feed.name for feed in alpha.feeds(pythonify=True)} == {"Cached events", "Cached list"} and errors(alpha.get_feed(rows.id)) and len(admin.feeds()) == 4)
        table = {line["Feed"]["name"]: line["Feed"] for line in admin.compare_feeds()}
        common = lambda one, other: next(c["overlap_count"] for c in table[one]["ComparedFeed"] if c["name"] == other)
        check(f"what they have in common: {table}", common("Cached list", "Cached rows") == common("Cached rows", "Cached list") == 1 and common("Cached list", "Cached events") == 1 and common("Cached rows", "Cached events") == 0)
        check("how much of it", table["Cached rows"]["values"] == 2 and next(c for c in table["Cached rows"]["ComparedFeed"] if c["name"] == "Cached list")["overlap_percentage"] == 50)
        check("users compare what is shown to them", {line["Feed"]["name"] for line in alpha.compare_feeds()} == {"Cached events", "Cached list"})
        mine = alpha.add_event(event("Known elsewhere", 0, ("domain", "shared.cache.example.com"), ("filename|sha1" if len(known) == 40 else "filename|md5", f"a.exe|{known}"), ("domain", "unknown.cache.example.com")), pythonify=True)
        seen = lambda who, path, body: {a["value"]: sorted(f["name"] for f in a.get("Feed", [])) for a in raw(who, "POST", path, body).json().get("Event", {}).get("Attribute", []) or raw(who, "POST", path, body).json().get("response", {}).get("Attribute", [])}
        shown = seen("alpha", f"/events/view/{mine.id}", {"includeFeedCorrelations": 1})
        check(f"with the event: {shown}", shown == {"shared.cache.example.com": ["Cached list"], f"a.exe|{known}": ["Cached events", "Cached list"], "unknown.cache.example.com": []})
        check("an administrator sees all", seen("admin", f"/events/view/{mine.id}", {"includeFeedCorrelations": 1})["shared.cache.example.com"] == ["Cached list", "Cached rows"])
        check("with a search", seen("alpha", "/attributes/restSearch", {"eventid": mine.id, "includeFeedCorrelations": 1}) == shown)
        whole = raw("alpha", "POST", "/events/restSearch", {"eventid": mine.id, "includeFeedCorrelations": 1}).json()["response"][0]["Event"]["Attribute"]
        check("and with whole events", {a["value"]: sorted(f["name"] for f in a.get("Feed", [])) for a in whole} == shown)
        check("not unless it is asked for", "Cached list" not in raw("alpha", "GET", f"/events/view/{mine.id}").text)
        in_events = next(f for a in raw("alpha", "POST", f"/events/view/{mine.id}", {"includeFeedCorrelations": 1}).json()["Event"]["Attribute"] for f in a.get("Feed", []) if f["name"] == "Cached events")
        check("with the feed's events", in_events["event_uuids"] == [power] and in_events["provider"] == "Them")
        files["/list.txt"] = b"shared.cache.example.com\n"
        check("a new edition", admin.cache_feed(text)["report"]["added"] == 1 and [line["Feed"]["name"] for line in admin.search_feeds("only.cache.example.com")] == [])
        files["/osint/hashes.csv"] = None
        del asked[:]
        files["/osint/manifest.json"] = json.dumps(manifest, indent=1).encode()
        said = admin.cache_feed(misp)["report"]
        check(f"without hashes its events are read: {said}", said["errors"] == [] and len(asked) == 4 and "Cached events" in [line["Feed"]["name"] for line in admin.search_feeds(known)])
        files["/list.txt"] = b"<html>"
        check("a broken source leaves what was there", errors(admin.cache_feed(text)) and [line["Feed"]["name"] for line in alpha.search_feeds("shared.cache.example.com")] == ["Cached list"])
        admin.disable_feed_cache(text)
        check("off is off", alpha.search_feeds("shared.cache.example.com") == [])
        admin.delete_feed(rows)
        check("gone with its feed", "Cached rows" not in json.dumps(admin.search_feeds("shared.cache.example.com")) + json.dumps(admin.compare_feeds()))
        hidden = new_feed("Hidden key", f"{address}/list.txt?key=sesame", "freetext", headers="Authorization: sesame", lookup_visible=True)
        check("keys stay with administrators", "sesame" not in raw("alpha", "GET", "/feeds/index").text + raw("alpha", "GET", f"/feeds/view/{hidden.id}").text and "sesame" in raw("admin", "GET", "/feeds/index").text)
        check("well-known feeds", admin.load_default_feeds()["message"] == "Default feed metadata loaded." and len(admin.feeds()) > 20)
        many = len(admin.feeds())
        check("once", admin.load_default_feeds()["saved"] and len(admin.feeds()) == many and not any(f["Feed"]["enabled"] for f in admin.feeds() if f["Feed"]["default"]))
        exported = [f for f in admin.feeds() if f["Feed"]["name"].startswith("CIRCL")]
        again = raw("admin", "POST", "/feeds/importFeeds", exported + [{"Feed": dict(exported[0]["Feed"], url="https://other.example/", enabled=True)}]).json()
        check(f"a list of feeds: {again}", again["message"].startswith("1 new") and not any(f["Feed"]["enabled"] for f in admin.feeds() if f["Feed"]["url"] == "https://other.example/"))
        for feed in admin.feeds(pythonify=True):
            admin.delete_feed(feed)


def feeds_guarded():
    """A node that was not told otherwise fetches nothing from its own network, and no files."""
    other = pathlib.Path(folder.name) / "guarded"
    at = ["--data", str(other)]
    if database:
        subprocess.run(["psql", database, "-qc", "CREATE DATABASE misp_guarded"], check=True)
        at += ["--database", f"{database.rsplit('/', 1)[0]}/misp_guarded"]
    key = json.loads(run(manara, "init", *at, "--org", "CERT Alpha", "--country", "MY", "--admin", "admin@alpha.example", "--json"))["api_key"]
    serving = subprocess.Popen([manara, "serve", *at, "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        address = next(line.split()[-1] for line in serving.stdout if line.startswith("listening on"))
        node = PyMISP(address, key, ssl=False)
        with publisher() as (source, files, asked):
            files["/list.txt"] = b"198.51.100.77\n"
            port = source.rsplit(":", 1)[1]
            for host in ("127.0.0.1", "localhost", "[::1]", "0.0.0.0", "2130706433", "[::ffff:127.0.0.1]", "127.1"):
                feed = MISPFeed()
                feed.name, feed.provider, feed.url, feed.source_format, feed.enabled, feed.caching_enabled = "F", "P", f"http://{host}:{port}/list.txt", "freetext", True, True
                feed = node.add_feed(feed, pythonify=True)
                said = json.dumps([node.fetch_feed(feed), node.cache_feed(feed), node.direct_call(f"feeds/previewIndex/{feed.id}")])
                check(f"{host} is refused: {said}", said.count("errors") >= 3 and "fetch_private" in said)
            check("nobody was asked", asked == [])
        feed = MISPFeed()
        feed.name, feed.provider, feed.url, feed.source_format, feed.input_source, feed.enabled = "L", "P", "/etc/passwd", "freetext", "local", True
        said = json.dumps(node.fetch_feed(node.add_feed(feed, pythonify=True)))
        check(f"no local files: {said}", "feed_dir" in said and "root" not in said)
        # A server that we synchronise with is asked for the hashes of what it gives us.
        open_, secret = (alpha.add_event(event("For the cache", distribution, ("domain", f"d{distribution}.servercache.example"), ("filename|md5", f"{distribution}.exe|{distribution}bcdef0123456789abcdef0123456789"))) ["Event"] for distribution in (1, 0))
        partner = MISPServer()
        partner.name, partner.url, partner.authkey, partner.remote_org_id = "Main", url, keys["sync"], "1"
        partner = node.add_server(partner, pythonify=True)
        check("not one that is not to be cached", errors(node.direct_call(f"servers/cache/{partner.id}", {})))
        partner.caching_enabled = True
        node.update_server(partner)
        cached = node.direct_call("servers/cache/all", {})
        check(f"a server is cached: {cached}", cached["report"][str(partner.id)]["added"] > 5 and cached["report"][str(partner.id)]["rejected"] == 0)
        known = node.search_feeds(["d1.servercache.example", "1bcdef0123456789abcdef0123456789"])
        check(f"what it knows: {known}", len(known) == 2 and all(line["Feed"]["type"] == "MISP Server" and line["Feed"]["uuid"] == [open_["uuid"]] for line in known))
        check("what it does not give us is not known", node.search_feeds(["d0.servercache.example", "0bcdef0123456789abcdef0123456789"]) == [])
        ours = node.add_event(event("Here too", 0, ("domain", "d1.servercache.example")))["Event"]["id"]
        shown = node.direct_call(f"events/view/{ours}", {"includeFeedCorrelations": 1})["Event"]["Attribute"][0]
        check(f"with an event: {shown}", [line["name"] for line in shown["Server"]] == ["Main"] and "Feed" not in shown)
        node.delete_server(partner)
        check("gone with it", node.search_feeds("d1.servercache.example") == [])
    finally:
        serving.terminate()
        serving.wait(20)
