"""TAXII 2.1 §4 and §5: each endpoint and its resource."""

import json
import urllib.parse
import uuid

from taxii_door.core import root, shelf, held
from taxii_door.node import (
    TAXII, TIMESTAMP, alpha, ask, beta, box, check, colleague, get, is_error, is_uuid4, nobody, observable, post, put, thing, wait,
)

hidden = box("Of Alpha", read="CERT Alpha", write="CERT Alpha")
inbox = box("Into which Beta writes", read="CERT Alpha", write="all")
library = box("From which Beta reads", read="all", write="CERT Alpha")
told = put(alpha, hidden, thing())
put(alpha, inbox, thing())
read_only = thing()
put(alpha, library, read_only)


def section_4_1_1_discovery():
    """default is one of api_roots; roots are HTTPS or relative, begin with one slash, have no query."""
    for who in (alpha, beta):
        resource = get(who, "/taxii2/").json
        check("title", isinstance(resource["title"], str) and resource["title"])
        check("default", resource["default"] in resource["api_roots"])
        for url in resource["api_roots"]:
            check(url, (url.startswith("https://") or (url.startswith("/") and not url.startswith("//"))) and "?" not in url and ".." not in url and url.endswith("/"))
            check(f"{url} is there", get(who, url).status == 200)


def section_4_2_each_root_has_its_own_url():
    roots = get(alpha, "/taxii2/").json["api_roots"]
    check("once each", len(roots) == len(set(roots)) >= 1)
    check("unknown: 404", is_error(get(alpha, f"/taxii2/{uuid.uuid4()}/"), 404) and is_error(get(alpha, "/taxii2/none/"), 404))


def section_4_2_1_api_root():
    """versions include TAXII 2.1's media type with its version; max_content_length is positive."""
    resource = get(alpha, root).json
    check("title", isinstance(resource["title"], str) and resource["title"])
    check("versions", resource["versions"] == [TAXII])
    check("max_content_length", isinstance(resource["max_content_length"], int) and resource["max_content_length"] > 0)


def section_4_2_1_max_content_length_is_the_real_one():
    """Bodies smaller than it MUST NOT be 413; larger ones are (§5.5)."""
    most = get(alpha, root).json["max_content_length"]
    sized = box("Sizes")

    def note(size):
        one = json.dumps(thing("note", content=""))
        head, tail = one.split('"content": "')
        return head + '"content": "' + "x" * (size - len(one)) + tail

    def envelope(size):
        """Notes of less than 1 MB, which is the most of one object."""
        whole, rest = divmod(size - 14 - 1000, 900_000)
        return '{"objects":[' + "".join(note(899_999) + "," for _ in range(whole)) + note(rest + 1000) + "]}"

    for size, good in ((most - 1, True), (most, True), (most + 1, False), (2 * most, False)):
        body = envelope(size)
        assert len(body) == size
        answer = ask(alpha, "POST", f"{sized}objects/", body)
        check(f"{size - most} of the most: {answer.status} {answer.body[:200]}", answer.status == 202 if good else is_error(answer, 413))
    pages = [get(alpha, f"{sized}objects/")]
    while pages[-1].json.get("more"):
        pages.append(get(alpha, f"{sized}objects/", f"next={pages[-1].json['next']}"))
    check("it comes back", sum(len(page.body) for page in pages) > 2 * most - 100)


def section_4_3_status():
    """The status of a request by its identifier; unknown ones are 404."""
    for path in (root, ):
        answer = get(alpha, f"{path}status/{told['id']}/")
        check("the same as the POST said", answer.status == 200 and answer.json == told)
    for unknown in (str(uuid.uuid4()), "1", told["id"].upper(), "x" * 300):
        check(f"{unknown[:40]}: 404", is_error(get(alpha, f"{root}status/{unknown}/"), 404) or unknown == told["id"].upper())
    check("its sender's alone: not another organisation", is_error(get(beta, f"{root}status/{told['id']}/"), 404))
    check("nor a colleague", is_error(get(colleague, f"{root}status/{told['id']}/"), 404))


def section_4_3_1_counts_and_details():
    """total is the envelope's number; counts add up; each detail has the object's id and version; complete or pending."""
    mixed = box("Mixed")
    good, bare = thing(), observable()
    created = {**thing("marking-definition"), "definition_type": "statement", "definition": {"statement": "s"}}
    del created["modified"]
    broken = [{**thing(), "id": "indicator--1"}, {"type": "indicator"}, {**thing(), "modified": "yesterday"}, "[1]", "17", '"text"', "null"]
    status = post(alpha, mixed, good, bare, *broken, created)
    check("202", status.status == 202)
    status = status.json
    check("counts", (status["total_count"], status["success_count"], status["failure_count"], status["pending_count"]) == (10, 3, 7, 0))
    check("complete", status["status"] == "complete" and TIMESTAMP.match(status["request_timestamp"]))
    check("successes", [(one["id"], one["version"]) for one in status["successes"]][::2] == [(good["id"], good["modified"]), (created["id"], created["created"])] and status["successes"][1]["id"] == bare["id"])
    check("failures say why", len(status["failures"]) == 7 and all(isinstance(one["id"], str) and one["version"] and one["message"] for one in status["failures"]))
    check("their ids", status["failures"][0]["id"] == "indicator--1" and status["failures"][2]["version"] == "yesterday")
    check("what is good is there", get(alpha, f"{mixed}objects/").json["objects"] == [good, bare, created])


def section_4_3_1_pending_then_complete():
    """A large envelope is taken with 202 and pending, and read later; its status goes on to complete."""
    large = box("Large")
    many = [thing() for _ in range(2500)] + [{"type": "nothing"}]
    status = post(alpha, large, *many)
    check("202, pending", status.status == 202 and status.json["status"] == "pending")
    check("counts", (status.json["total_count"], status.json["pending_count"], status.json["success_count"], status.json["failure_count"]) == (2501, 2501, 0, 0))
    path = f"{root}status/{status.json['id']}/"

    def complete():
        now = get(alpha, path).json
        check("counts add up", now["total_count"] == 2501 == now["success_count"] + now["failure_count"] + now["pending_count"])
        return now if now["status"] == "complete" else None

    done = wait(complete)
    check("complete", (done["success_count"], done["failure_count"], done["pending_count"], done["id"]) == (2500, 1, 0, status.json["id"]))
    check("each is named", [one["id"] for one in done["successes"]] == [one["id"] for one in many[:2500]])
    check("they are there, in order", get(alpha, f"{large}objects/", "limit=5000").json["objects"] == many[:2500])


def section_5_1_collections():
    """Those that the caller may read or write; 401 without credentials."""
    titles = {who: [one["title"] for one in get(who, f"{root}collections/").json["collections"]] for who in (alpha, beta)}
    check("of Alpha", {"Of Alpha", "Into which Beta writes", "From which Beta reads"} <= set(titles[alpha]))
    check("of Beta", "Of Alpha" not in titles[beta] and {"Into which Beta writes", "From which Beta reads"} <= set(titles[beta]))
    check("without credentials", is_error(get(nobody, f"{root}collections/"), 401))


def section_5_1_1_no_collections_no_key():
    """If there are none the key MUST be omitted, and the response is an empty object."""
    # A node of its own, with nothing in it.
    import http.client
    import pathlib
    import subprocess
    import tempfile

    from taxii_door import node
    with tempfile.TemporaryDirectory() as folder:
        data = str(pathlib.Path(folder) / "bare")
        made = json.loads(node.run(node.manara, "init", "--data", data, "--org", "Bare", "--country", "MY", "--admin", "a@bare.example", "--json"))
        served = subprocess.Popen([node.manara, "serve", "--data", data, "--listen", "127.0.0.1:0", "--log", "error"], stdout=subprocess.PIPE, text=True)
        try:
            at = next(line.split()[-1] for line in served.stdout if line.startswith("listening on")).removeprefix("http://")
            connection = http.client.HTTPConnection(at, timeout=30)
            connection.request("GET", f"{root}collections/", headers={"Authorization": f"Bearer {made['api_key']}", "Accept": TAXII})
            check("an empty object", json.loads(connection.getresponse().read()) == {})
        finally:
            served.terminate()
            served.wait(20)


def section_5_2_1_collection():
    """id, title, can_read and can_write as the caller may; alias unique and usable; media types."""
    for who, path, read, write in ((alpha, hidden, True, True), (alpha, inbox, True, True), (beta, inbox, False, True), (beta, library, True, False), (beta, shelf, True, True)):
        resource = get(who, path).json
        check(path, (resource["can_read"], resource["can_write"]) == (read, write) and is_uuid4(resource["id"]) and resource["title"])
        listed = [one for one in get(who, f"{root}collections/").json["collections"] if one["id"] == resource["id"]]
        check("the same as in the list", listed == [resource])
    check("by its alias", get(alpha, f"{root}collections/shelf/").json == get(alpha, shelf).json)
    check("its objects by its alias", get(alpha, f"{root}collections/shelf/objects/").body == get(alpha, f"{shelf}objects/").body)
    media = get(alpha, shelf).json["media_types"]
    check("media types of all that it can hold", media and {one["media_type"] for one in get(alpha, f"{shelf}manifest/").json["objects"]} <= set(media))


def section_5_2_what_is_not_for_somebody_is_not_there():
    for path in (hidden, f"{hidden}manifest/", f"{hidden}objects/", f"{hidden}objects/{held[0]['id']}/", f"{hidden}objects/{held[0]['id']}/versions/"):
        unknown = path.replace(hidden.split("/")[-2], str(uuid.uuid4()))
        one, other = get(beta, path), get(beta, unknown)
        check(path, is_error(one, 404) and one.body == other.body)
    check("POST", is_error(post(beta, hidden, thing()), 404))
    check("DELETE (§5.7: neither, 404)", is_error(ask(beta, "DELETE", f"{hidden}objects/{held[0]['id']}/"), 404))
    check("without credentials 401, whatever is there", is_error(get(nobody, hidden), 401) and is_error(get(nobody, f"{root}collections/{uuid.uuid4()}/"), 401))


def section_5_3_5_4_5_6_5_8_can_read_false_is_403():
    """If can_read is false the endpoint MUST return 403 or 404."""
    mine = thing()
    put(beta, inbox, mine)
    for part in ("manifest/", "objects/", f"objects/{mine['id']}/", f"objects/{mine['id']}/versions/"):
        check(part, is_error(get(beta, inbox + part), 403))
    check("alpha reads it", get(alpha, f"{inbox}objects/{mine['id']}/").json["objects"] == [mine])


def section_5_5_can_write_false_is_403():
    check("POST", is_error(post(beta, library, thing()), 403))
    check("nothing was taken", get(alpha, f"{library}objects/").ids == [read_only["id"]])


def section_5_3_manifest():
    """Entries of the objects; filters apply to the objects; media_type is one of the collection's."""
    objects, manifest = get(alpha, f"{shelf}objects/").json["objects"], get(alpha, f"{shelf}manifest/").json["objects"]
    check("one each", [(one["id"], one["version"]) for one in manifest] == [(one["id"], one["modified"]) for one in objects])
    check("dates", all(TIMESTAMP.match(one["date_added"]) for one in manifest))
    page = get(alpha, f"{shelf}manifest/", "limit=10")
    check("more", page.json["more"] is True and "next" in page.json)
    rest = get(alpha, f"{shelf}manifest/", f"limit=50&next={page.json['next']}")
    check("the rest", page.ids + rest.ids == [one["id"] for one in manifest])


def section_5_5_add_objects():
    """202 with a status; an exact duplicate is no error and is not held twice."""
    added = box("Added")
    one, url = thing(), observable()
    first = put(alpha, added, one, url)
    again = post(alpha, added, one, url, one)
    check("again", again.status == 202 and again.json["success_count"] == 3 and again.json["failure_count"] == 0 and again.json["id"] != first["id"])
    check("by somebody else", post(beta, added, one).json["success_count"] == 1)
    check("held once", get(alpha, f"{added}objects/", "match[version]=all").json["objects"] == [one, url])
    check("twice in one envelope", post(alpha, added, *[thing()] * 2).json["success_count"] == 2 and len(get(alpha, f"{added}objects/").ids) == 3)


def section_5_5_what_is_no_envelope_is_422():
    for body in ("", "{", "[]", "null", "17", '"x"', "{}", '{"objects":{}}', '{"objects":[]}', '{"objects":null}', '{"objects":[1,]}', '{"more":false}', "{'objects':[]}", '{"objects":[{}]} x', b"\xff\xfe", b'{"objects":[{"type":"\xff"}]}', b"\xef\xbb\xbf{}", '{"type":"bundle","id":"bundle--1"}', "[" * 100000, '{"objects":' * 100000):
        answer = ask(alpha, "POST", f"{shelf}objects/", body)
        check(f"{body[:30]}: {answer.status}", is_error(answer, 422))
    check("a bundle is said to be one", "bundle" in json.dumps(post(alpha, shelf, {"type": "bundle", "id": f"bundle--{uuid.uuid4()}", "objects": []}).json))
    check("nothing was taken", len(get(alpha, f"{shelf}objects/").ids) == 30)


def section_5_5_custom_members_of_an_envelope_are_ignored():
    """§7.1.1: silently ignore non-understood properties."""
    custom = box("Custom")
    one = thing()
    answer = ask(alpha, "POST", f"{custom}objects/", json.dumps({"x_own": [1], "more": False, "next": "x", "objects": [one], "id": "bundle--1"}))
    check("taken", answer.status == 202 and get(alpha, f"{custom}objects/").json["objects"] == [one])


def section_5_6_an_object():
    """An envelope with the object; version and spec_version filter; unknown: 404."""
    one = held[4]
    answer = get(alpha, f"{shelf}objects/{one['id']}/")
    check("it", answer.status == 200 and answer.json["objects"] == [one] and not answer.json.get("more", False))
    check("an empty envelope", get(alpha, f"{shelf}objects/{one['id']}/", "added_after=2100-01-01T00:00:00Z").json == {"more": False})
    check("of another specification", get(alpha, f"{shelf}objects/{one['id']}/", "match[spec_version]=2.0").json == {"more": False})
    for unknown in (thing()["id"], "indicator", "indicator--1", one["id"].upper(), "x", one["id"].replace("--", "-")):
        for path in (f"{shelf}objects/{unknown}/", f"{shelf}objects/{unknown}/versions/"):
            check(f"{unknown}: 404", is_error(get(alpha, path), 404))
        check(f"DELETE {unknown}: 404", is_error(ask(alpha, "DELETE", f"{shelf}objects/{unknown}/"), 404))


def section_5_7_delete_an_object():
    """200; then 404 for it, and it is in no manifest and no page. Permissions as in the table."""
    bin_ = box("Bin")
    one, other = thing(), thing()
    versions = [{**one, "modified": f"202{n}-01-01T00:00:00.000Z"} for n in range(4)]
    put(alpha, bin_, *versions, other)
    path = f"{bin_}objects/{one['id']}/"
    answer = ask(alpha, "DELETE", f"{path}?match[version]={versions[3]['modified']}")
    check("one version: 200", answer.status == 200 and answer.headers["content-type"] == TAXII)
    check("the one before is the last", get(alpha, f"{bin_}objects/").json["objects"] == [versions[2], other] or set(get(alpha, f"{bin_}objects/").ids) == {one["id"], other["id"]})
    check("of it the newest that is left", get(alpha, path).json["objects"] == [versions[2]])
    check("the version: 404", is_error(get(alpha, path, f"match[version]={versions[3]['modified']}"), 404))
    check("nor in the versions", get(alpha, f"{path}versions/").json["versions"] == [v["modified"] for v in versions[:3]])
    check("first", ask(alpha, "DELETE", f"{path}?match[version]=first").status == 200)
    check("the next is the first", get(alpha, path, "match[version]=first").json["objects"] == [versions[1]])
    check("a version that is not there: 404", is_error(ask(alpha, "DELETE", f"{path}?match[version]=2001-01-01T00:00:00.000Z"), 404))
    check("malformed: 400", is_error(ask(alpha, "DELETE", f"{path}?match[version]=x"), 400))
    check("of another specification: 404", is_error(ask(alpha, "DELETE", f"{path}?match[spec_version]=2.0"), 404))
    check("all of it: 200", ask(alpha, "DELETE", path).status == 200)
    for gone in (path, f"{path}versions/", f"{path}?match[version]=all"):
        check(f"{gone[-30:]}: 404", is_error(get(alpha, *gone.split("?")), 404))
    check("again: 404", is_error(ask(alpha, "DELETE", path), 404))
    check("not in pages", get(alpha, f"{bin_}objects/", "match[version]=all").ids == [other["id"]] == get(alpha, f"{bin_}manifest/", "match[version]=all").ids)
    check("elsewhere nothing changed", get(alpha, f"{shelf}objects/").ids == [one["id"] for one in held])
    put(alpha, bin_, versions[1])
    check("it can come again, as the last", get(alpha, f"{bin_}objects/").ids == [other["id"], one["id"]])


def section_5_7_delete_needs_both_permissions():
    """neither: 404, only read: 403, only write: 403."""
    sent = thing()
    put(beta, inbox, sent)
    check("only write", is_error(ask(beta, "DELETE", f"{inbox}objects/{sent['id']}/"), 403))
    check("only read", is_error(ask(beta, "DELETE", f"{library}objects/{read_only['id']}/"), 403))
    check("neither", is_error(ask(beta, "DELETE", f"{hidden}objects/{told['successes'][0]['id']}/"), 404))
    check("all are there", get(alpha, f"{library}objects/").ids == [read_only["id"]] and get(alpha, f"{hidden}objects/").json["objects"])


def section_5_8_versions():
    """All versions of an object; pages and spec_version as elsewhere; nothing: an empty object."""
    shelf_of = box("Of many versions")
    one = thing()
    made = [{**one, "modified": f"2024-01-01T00:00:{n:02}.000Z"} for n in range(12)]
    put(alpha, shelf_of, *made)
    path = f"{shelf_of}objects/{one['id']}/versions/"
    check("all", get(alpha, path).json["versions"] == [v["modified"] for v in made])
    page = get(alpha, path, "limit=5")
    check("a page", page.json["versions"] == [v["modified"] for v in made[:5]] and page.json["more"] is True)
    rest = get(alpha, path, f"added_after={urllib.parse.quote(page.headers['x-taxii-date-added-last'])}")
    check("the rest by added_after", rest.json["versions"] == [v["modified"] for v in made[5:]])
    rest = get(alpha, path, f"next={page.json['next']}&limit=3")
    check("and by next", rest.json["versions"] == [v["modified"] for v in made[5:8]])
    check("nothing: an empty object", get(alpha, path, "match[spec_version]=2.0").json == {} == get(alpha, path, "added_after=2100-01-01T00:00:00Z").json)


AREAS = [value for name, value in list(globals().items()) if name.startswith("section_")]
