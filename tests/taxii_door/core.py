"""TAXII 2.1 §1.6, §2 and §3: what holds for every endpoint."""

import gzip
import json
import urllib.parse

from taxii_door import node
from taxii_door.node import (
    FIRST, LAST, TAXII, TIMESTAMP, alpha, ask, basic, beta, box, check, get, is_error, is_uuid4, nobody, observable, pages,
    post, put, thing,
)

shelf = box("Shelf", description="What most of the tests read", alias="shelf")
kinds = ["indicator", "malware", "campaign"]
held = [thing(kinds[n % 3], name=f"thing {n}") for n in range(30)]
put(alpha, shelf, *held)
root = "/taxii2/node/"
# Every address of §3.1 that can be read.
READABLE = [
    "/taxii2/", root, f"{root}collections/", shelf, f"{shelf}manifest/", f"{shelf}objects/",
    f"{shelf}objects/{held[0]['id']}/", f"{shelf}objects/{held[0]['id']}/versions/",
]
PAGED = READABLE[4:]


def section_1_6_7_everything_is_utf_8_json():
    """UTF-8 encoded JSON (RFC 8259, I-JSON) for the serialization of all resources."""
    for path in READABLE:
        answer = get(alpha, path)
        check(f"{path}: JSON object", answer.status == 200 and isinstance(json.loads(answer.body.decode("utf-8")), dict))


def section_1_6_8_2_the_version_parameter_is_optional_and_means_the_newest():
    for accept in (TAXII, "application/taxii+json", "application/taxii+json; version=2.1", 'Application/TAXII+json;Version="2.1"'):
        for path in READABLE:
            check(f"Accept: {accept}", get(alpha, path, accept=accept).headers["content-type"] == TAXII)


def section_1_6_9_without_credentials_401_and_a_challenge():
    """401 and WWW-Authenticate with the schemes that there are, whatever the method and address."""
    for method in ("GET", "HEAD", "POST", "DELETE"):
        for path in [*READABLE, f"{root}status/{'0' * 8}-0000-4000-8000-{'0' * 12}/", f"{root}collections/nothing/", "/taxii2/nothing/"]:
            answer = ask(nobody, method, path)
            challenge = answer.headers.get("www-authenticate", "")
            check(f"{method} {path}: 401", answer.status == 401 and "Basic realm=" in challenge and "Bearer" in challenge)
            check(f"{method} {path}: an error resource", method == "HEAD" or is_error(answer, 401))


def section_1_6_9_basic_with_password_basic_with_key_and_bearer():
    for authorization in (basic(alpha.email, alpha.password), basic(alpha.email.upper(), alpha.password), basic("anything", alpha.key), f"Bearer {alpha.key}", f"bearer {alpha.key}", basic(alpha.email, alpha.password).replace("Basic", "bAsIc")):
        check(f"{authorization[:8]}…", get(nobody, shelf, authorization=authorization).status == 200)
    for authorization in (basic(alpha.email, "wrong"), basic("who@alpha.example", alpha.password), basic(beta.email, alpha.password), "Bearer wrong", "Basic !!!", "Basic", "", "Digest x", basic("", "")):
        check(f"'{authorization[:20]}': 401", is_error(get(nobody, shelf, authorization=authorization), 401))


def section_2_identifiers_and_timestamps():
    """Identifiers are RFC 4122 version 4; timestamps UTC with microseconds and Z; lists are never empty."""
    check("collection", all(is_uuid4(one["id"]) for one in get(alpha, f"{root}collections/").json["collections"]))
    status = put(alpha, box("Of identifiers"), thing())
    check("status", is_uuid4(status["id"]) and TIMESTAMP.match(status["request_timestamp"]))
    check("manifest", all(TIMESTAMP.match(one["date_added"]) for one in get(alpha, f"{shelf}manifest/").json["objects"]))
    check("no empty lists", "[]" not in json.dumps([get(alpha, path).json for path in READABLE]) and "failures" not in status)


def section_2_integers_fit_in_54_bits():
    check("max_content_length", 0 < get(alpha, root).json["max_content_length"] < 2**53)


def section_3_1_a_path_ends_in_a_slash():
    """A request's path ends in a slash, with and without filters; without the slash it is understood as well."""
    for path in READABLE:
        with_slash, without = get(alpha, path), get(alpha, path.rstrip("/"))
        check(f"{path}", with_slash.status == 200 and with_slash.body == without.body)
    check("with filters", get(alpha, f"{shelf}objects/", "match[type]=indicator").status == 200)


def section_3_1_success_has_the_body_of_its_type():
    names = [{"title", "api_roots"}, {"title", "versions", "max_content_length"}, {"collections"}, {"id", "title", "can_read", "can_write"}, {"objects"}, {"objects"}, {"objects"}, {"versions"}]
    for path, required in zip(READABLE, names):
        check(path, required <= set(get(alpha, path).json))


def section_3_1_every_answer_names_the_media_type_and_version():
    """All responses MUST include the media type and version, errors too."""
    for path in READABLE:
        check(path, get(alpha, path).headers["content-type"] == TAXII)
        check(f"HEAD {path}", ask(alpha, "HEAD", path).headers["content-type"] == TAXII)
    errors = [
        (get(alpha, "/taxii2/nothing/"), 404), (get(alpha, f"{shelf}objects/", "limit=0"), 400), (get(nobody, shelf), 401), (get(alpha, shelf, accept="text/html"), 406),
        (ask(alpha, "PUT", shelf), 405), (ask(alpha, "POST", f"{shelf}objects/", "{}", content_type="text/plain"), 415), (ask(alpha, "POST", f"{shelf}objects/", "{"), 422),
        (get(alpha, f"{shelf}objects/indicator--{'0' * 8}-0000-4000-8000-{'0' * 12}/"), 404), (ask(alpha, "TRACE", shelf), 405),
    ]
    for answer, status in errors:
        check(f"error {status} (was {answer.status}, {answer.headers.get('content-type')})", is_error(answer, status))


def section_3_1_a_type_that_is_defined_is_never_406_nor_415():
    for accept in (TAXII, "text/html, application/taxii+json;version=2.1;q=0.1", "*/*", "application/*", "application/taxii+json ; version=2.1", "application/taxii+json;version=2.1,application/stix+json;version=2.1", "application/xml;q=0.9, */*;q=0.8", None):
        for path in READABLE:
            check(f"Accept: {accept} at {path}", get(alpha, path, accept=accept).status == 200)
    posted = box("Of content types")
    for content_type in (TAXII, "application/taxii+json", "Application/Taxii+JSON; version=2.1", 'application/taxii+json;version="2.1"', "application/taxii+json;charset=utf-8;version=2.1"):
        check(f"Content-Type: {content_type}", post(alpha, posted, thing(), content_type=content_type).status == 202)


def section_3_1_another_type_or_version_is_406_or_415():
    for accept in ("application/taxii+json;version=2.0", "application/vnd.oasis.taxii+json; version=2.0", "text/html", "application/taxii+json;version=2.1;q=0", "application/taxii+json;q=0.0", "application/taxii+json;version=3.0", "nonsense", "image/*"):
        for path in READABLE:
            check(f"Accept: {accept} at {path}", is_error(get(alpha, path, accept=accept), 406))
        check(f"Accept: {accept}, POST", is_error(post(alpha, shelf, thing(), accept=accept), 406))
        check(f"Accept: {accept}, DELETE", is_error(ask(alpha, "DELETE", f"{shelf}objects/{held[3]['id']}/", accept=accept), 406))
    for content_type in ("application/json", "application/stix+json;version=2.1", "application/taxii+json;version=2.0", "text/plain", "", None):
        check(f"Content-Type: {content_type}", is_error(post(alpha, shelf, thing(), content_type=content_type), 415))
    check("nothing of it was taken", len(get(alpha, f"{shelf}objects/").ids) == 30)


def section_3_1_methods_that_an_address_does_not_have_are_405():
    for path in READABLE:
        for method in ("PUT", "PATCH", "POST", "DELETE"):
            if (method == "POST" and path.endswith("objects/")) or (method == "DELETE" and path == PAGED[2]):
                continue
            answer = ask(alpha, method, path)
            check(f"{method} {path}", is_error(answer, 405) and "GET" in answer.headers["allow"])


def section_3_1_head_is_get_without_a_body():
    for path in READABLE:
        head, whole = ask(alpha, "HEAD", path), get(alpha, path)
        names = ("content-type", "content-length", FIRST, LAST)
        check(path, head.status == 200 and not head.body and [head.headers.get(name) for name in names] == [whole.headers.get(name) for name in names])
    check("HEAD of nothing", ask(alpha, "HEAD", f"{shelf}objects/nothing/").status == 404)


def section_3_2_when_the_first_and_the_last_came():
    """X-TAXII-Date-Added-First and -Last are timestamps, on every 200 of manifest, objects, object and versions."""
    for path in PAGED:
        for query in ("", "limit=1", "added_after=2100-01-01T00:00:00.000000Z", "match[spec_version]=2.0"):
            answer = get(alpha, path, query)
            check(f"{path} {query}", answer.status == 200 and TIMESTAMP.match(answer.headers[FIRST]) and TIMESTAMP.match(answer.headers[LAST]))
    manifest = get(alpha, f"{shelf}manifest/", "limit=7")
    dates = [one["date_added"] for one in manifest.json["objects"]]
    for path in (f"{shelf}manifest/", f"{shelf}objects/"):
        answer = get(alpha, path, "limit=7")
        check(f"{path}: those of its first and last object", [answer.headers[FIRST], answer.headers[LAST]] == [dates[0], dates[-1]])


def section_3_3_ascending_by_the_date_added():
    """Objects and manifests are sorted in ascending order by the date added: the most recently added is last."""
    check("objects", get(alpha, f"{shelf}objects/").ids == [one["id"] for one in held])
    manifest = get(alpha, f"{shelf}manifest/").json["objects"]
    check("manifest", [one["id"] for one in manifest] == [one["id"] for one in held])
    dates = [one["date_added"] for one in manifest]
    check("no two at one time", dates == sorted(set(dates)))


def section_3_3_collections_stand_in_one_order():
    lists = [get(alpha, f"{root}collections/").body for _ in range(5)]
    check("five times the same", len(set(lists)) == 1)
    box("A new one, the last")
    names = [one["title"] for one in get(alpha, f"{root}collections/").json["collections"]]
    check("a new one moves none", names[:-1] == [one["title"] for one in json.loads(lists[0])["collections"]])


def section_3_4_malformed_parameters_are_400():
    """If any of the URL query parameters are malformed, the server MUST return 400."""
    malformed = [
        "limit=0", "limit=-1", "limit=x", "limit=", "limit=1.0", "limit=1e3", "limit=%2B1", "limit=1,2", "limit=1&limit=2", "limit=%00",
        "added_after=", "added_after=now", "added_after=2024-01-01", "added_after=2024-01-01T00:00:00", "added_after=2024-02-30T00:00:00Z", "added_after=2024-01-01T00:00:00Z,2024-01-02T00:00:00Z",
        "added_after=2024-01-01T00:00:00Z&added_after=2024-01-01T00:00:00Z", "added_after=1700000000",
        "next=nonsense", "next=AAAA", "next=bQEAAAAAAAAAAAA", "next=%F0%9F%92%A5",
        "match[spec_version]=", "match[spec_version]=3", "match[spec_version]=2.1,", "match[spec_version]=2.0,%202.1",
    ]
    for query in malformed:
        for path in PAGED:
            check(f"{path}?{query}", is_error(get(alpha, path, query), 400))
    for query in ("match[version]=", "match[version]=newest", "match[version]=2024", "match[version]=all,last", "match[version]=last,all", "match[version]=last,last", "match[version]=first,,last", "match[version]=last&match[version]=first"):
        for path in PAGED[:3]:
            check(f"{path}?{query}", is_error(get(alpha, path, query), 400))
    for query in ("match[id]=", "match[id]=indicator", "match[id]=indicator--1", "match[type]=", "match[type]=indicator,", "match[type]=a&match[type]=b"):
        for path in PAGED[:2]:
            check(f"{path}?{query}", is_error(get(alpha, path, query), 400))


def section_3_4_unknown_fields_may_be_used():
    for query in ("match[x_own]=1", "whatever=2", "match[confidence]=50"):
        check(query, get(alpha, f"{shelf}objects/", query).ids == [one["id"] for one in held])


def section_3_4_added_after_is_after_it():
    """Only objects added after the timestamp; without it the oldest first."""
    manifest = get(alpha, f"{shelf}manifest/").json["objects"]
    for at in (0, 13, 28, 29):
        after = urllib.parse.quote(manifest[at]["date_added"])
        for path in (f"{shelf}objects/", f"{shelf}manifest/"):
            check(f"after {at}", get(alpha, path, f"added_after={after}").ids == [one["id"] for one in held[at + 1:]])
    check("an offset is a time", get(alpha, f"{shelf}objects/", "added_after=2020-01-01T00:00:00%2B02:00").ids == [one["id"] for one in held])
    check("not a date of the objects", len(get(alpha, f"{shelf}objects/", "added_after=2024-06-01T00:00:00Z").ids) == 30)


def section_3_4_limit_is_the_most():
    """No more than asked for; all of them where they are no more than the limit; more where there are more."""
    for limit, count, more in ((1, 1, True), (29, 29, True), (30, 30, False), (31, 30, False), (2**31, 30, False), (2**70, 30, False)):
        for path in (f"{shelf}objects/", f"{shelf}manifest/"):
            answer = get(alpha, path, f"limit={limit}")
            check(f"{path} limit={limit}", answer.status == 200 and len(answer.ids) == count and answer.json.get("more", False) is more)


def section_3_4_1_match_id():
    for wanted in ([held[5]], [held[5], held[2], held[29]], held[:25]):
        query = "match[id]=" + ",".join(one["id"] for one in wanted)
        for path in (f"{shelf}objects/", f"{shelf}manifest/"):
            check(f"{len(wanted)} of them", get(alpha, path, query).ids == [one["id"] for one in held if one in wanted])
    other = "malware" + held[0]["id"].removeprefix("indicator")
    check("the same UUID of another type is another", get(alpha, f"{shelf}objects/", f"match[id]={other}").json.get("objects") is None)
    mixed = f"match[id]={held[0]['id']},{'malware' + held[3]['id'].removeprefix('indicator')},{held[1]['id']}"
    check("types and UUIDs don't mix", get(alpha, f"{shelf}objects/", mixed).ids == [held[0]["id"], held[1]["id"]])


def section_3_4_1_match_type():
    """Only the types listed; a type of STIX is no error; several are an OR; fields are an AND."""
    for types in (["indicator"], ["malware", "campaign"], kinds, ["indicator", "x-unknown"]):
        query = "match[type]=" + ",".join(types)
        for path in (f"{shelf}objects/", f"{shelf}manifest/"):
            check(query, get(alpha, path, query).ids == [one["id"] for one in held if one["type"] in types])
        found = [one for page in pages(alpha, f"{shelf}objects/", query, limit=4) for one in page.ids]
        check(f"{query} in pages", found == [one["id"] for one in held if one["type"] in types])
    for kind in ("attack-pattern", "note", "opinion", "language-content", "extension-definition", "ipv6-addr", "x-own-type"):
        answer = get(alpha, f"{shelf}objects/", f"match[type]={kind}")
        check(f"{kind}: nothing, and no error", answer.status == 200 and "objects" not in answer.json)
    both = get(alpha, f"{shelf}objects/", f"match[type]=malware&match[id]={held[0]['id']},{held[1]['id']}")
    check("AND", both.ids == [held[1]["id"]])


def section_3_4_1_match_spec_version():
    """Only specifications that are named; without it only the latest of each object."""
    specs = box("Specifications")
    old = {"type": "malware", "id": thing("malware")["id"], "created": "2020-01-01T00:00:00.000Z", "modified": "2020-01-01T00:00:00.000Z", "name": "of 2.0", "labels": ["worm"]}
    newer = {**old, "spec_version": "2.1", "modified": "2021-01-01T00:00:00.000Z", "name": "the same in 2.1"}
    only_old = {**old, "id": thing("malware")["id"]}
    new = thing()
    put(alpha, specs, old, only_old, newer, new)

    def of(query):
        return [(one["id"], one.get("spec_version", "2.0")) for one in get(alpha, f"{specs}objects/", query).json.get("objects", [])]

    everything = [(old["id"], "2.0"), (only_old["id"], "2.0"), (old["id"], "2.1"), (new["id"], "2.1")]
    check("2.0", of("match[spec_version]=2.0") == everything[:2])
    check("2.1", of("match[spec_version]=2.1") == everything[2:])
    check("both, all versions", of("match[spec_version]=2.0,2.1&match[version]=all") == everything)
    check("the latest of each", of("") == everything[1:])
    check("the latest of each, of all versions", of("match[version]=all") == everything[1:])
    check("of the first of each, the latest", of("match[version]=first") == [everything[0], everything[1], everything[3]])
    check("of the first and last of each, the latest", of("match[version]=first,last") == everything[1:])
    check("a version that is named", of(f"match[version]={old['modified']}") == everything[:2])
    check("media types", [one["media_type"] for one in get(alpha, f"{specs}manifest/", "match[spec_version]=2.0,2.1&match[version]=all").json["objects"]] == [f"application/stix+json;version={spec}" for _, spec in everything])
    check("of one object", get(alpha, f"{specs}objects/{old['id']}/", "match[spec_version]=2.0").json["objects"] == [old])
    check("versions of one", get(alpha, f"{specs}objects/{old['id']}/versions/", "match[spec_version]=2.0").json["versions"] == [old["modified"]])


def section_3_4_1_match_version():
    """last (the default), first, all, and times, alone and together."""
    versions = box("Versions")
    one = thing("tool", name="t")
    at = [{**one, "modified": f"202{n}-01-01T01:01:01.00{n}Z", "name": f"version {n}"} for n in range(5)]
    other = thing("tool", name="other", modified="2022-01-01T01:01:01.002Z")
    # Out of order, in several envelopes and within one.
    put(alpha, versions, at[2])
    put(alpha, versions, at[4], at[1], other)
    put(alpha, versions, at[3], at[0])
    came = [at[2], at[4], at[1], other, at[3], at[0]]

    def of(query, path=f"{versions}objects/"):
        return get(alpha, path, query).json.get("objects", [])

    cases = {
        "": [at[4], other], "last": [at[4], other], "first": [other, at[0]], "all": came, "first,last": [at[4], other, at[0]], "last,first": [at[4], other, at[0]],
        at[1]["modified"]: [at[1]], at[2]["modified"]: [at[2], other], f"first,{at[3]['modified']},last": [at[4], other, at[3], at[0]],
        f"{at[1]['modified']},{at[3]['modified']}": [at[1], at[3]], "1999-01-01T00:00:00.000Z": [], "2021-01-01T01:01:01.001000Z": [at[1]], "2021-01-01T01:01:01.0010Z": [at[1]],
    }
    for value, expected in cases.items():
        query = f"match[version]={value}" if value else ""
        check(f"objects {value}", of(query) == expected)
        check(f"manifest {value}", [(m["id"], m["version"]) for m in of(query, f"{versions}manifest/")] == [(e["id"], e["modified"]) for e in expected])
        check(f"one object {value}", value.startswith("1999") or of(query, f"{versions}objects/{one['id']}/") == [e for e in expected if e["id"] == one["id"]])
        found = [o for page in pages(alpha, f"{versions}objects/", query, limit=1) for o in page.json.get("objects", [])]
        check(f"pages {value}", found == expected)
    check("with a type", of("match[version]=all&match[type]=tool") == came and of("match[version]=all&match[type]=malware") == [])
    check("with an id", of(f"match[version]=first&match[id]={one['id']}") == [at[0]])
    newer = {**one, "modified": "2030-01-01T00:00:00.000Z"}
    put(alpha, versions, newer)
    check("a newer one takes the end", of("match[version]=last") == [other, newer])


def section_3_4_1_what_has_no_modified_has_created_or_one_value():
    """Without `modified` the version is `created`; without both a value that stays the same."""
    bare = box("Without versions")
    marking = {"type": "marking-definition", "spec_version": "2.1", "id": thing("marking-definition")["id"], "created": "2017-01-20T00:00:00.000Z", "definition_type": "statement", "definition": {"statement": "Copyright 2026"}}
    url = observable()
    status = put(alpha, bare, marking, url)
    manifest = get(alpha, f"{bare}manifest/").json["objects"]
    check("created", manifest[0]["version"] == marking["created"] and status["successes"][0]["version"] == marking["created"])
    check("a value", TIMESTAMP.match(manifest[1]["version"]) and status["successes"][1]["version"] == manifest[1]["version"])
    check("again: the same value", put(alpha, bare, url)["successes"][0]["version"] == manifest[1]["version"])
    check("versions", get(alpha, f"{bare}objects/{url['id']}/versions/").json["versions"] == [manifest[1]["version"]])
    check("it can be asked for", get(alpha, f"{bare}objects/", f"match[version]={manifest[1]['version']}").ids == [url["id"]])
    check("created can be asked for", get(alpha, f"{bare}objects/", f"match[version]={marking['created']}").ids == [marking["id"]])
    for value in ("last", "first", "all"):
        check(value, get(alpha, f"{bare}objects/", f"match[version]={value}").ids == [marking["id"], url["id"]])


def section_3_5_pages_by_next():
    """more and next; the same filters with next give the rest, each object once, in order."""
    for query in ("", "match[version]=all", "match[type]=malware", "match[type]=malware,indicator", "added_after=2020-01-01T00:00:00Z"):
        for limit in (1, 4, 29, 30, 31):
            got = pages(alpha, f"{shelf}objects/", query, limit)
            found = [one for page in got for one in page.ids]
            check(f"{query} by {limit}", found == get(alpha, f"{shelf}objects/", query).ids)
            check("more and next come together", all(("next" in page.json) == page.json.get("more", False) for page in got))
    page = get(alpha, f"{shelf}objects/", "limit=3").json
    again = [get(alpha, f"{shelf}objects/", f"limit=3&next={page['next']}").body for _ in range(3)]
    check("next can be repeated", len(set(again)) == 1)
    check("next is used with other filters", get(alpha, f"{shelf}objects/", f"next={page['next']}&match[type]=indicator").ids == [one["id"] for one in held[3:] if one["type"] == "indicator"])
    check("with another limit", len(get(alpha, f"{shelf}objects/", f"next={page['next']}&limit=5").ids) == 5)
    check("and with added_after, the later holds", get(alpha, f"{shelf}objects/", f"next={page['next']}&added_after=2020-01-01T00:00:00Z").ids == [one["id"] for one in held[3:]])


def section_3_5_pages_by_added_after():
    """Without next: added_after with X-TAXII-Date-Added-Last, the same filters."""
    for path in (f"{shelf}objects/", f"{shelf}manifest/"):
        found, after = [], "1970-01-01T00:00:00.000000Z"
        while True:
            page = get(alpha, path, f"limit=4&added_after={after}")
            found += page.ids
            after = page.headers[LAST]
            if not page.json.get("more"):
                break
        check(path, found == [one["id"] for one in held])


def section_3_5_next_is_not_trusted():
    """Appendix B: the value is reevaluated in the context of the query, and tells nothing that it may not."""
    secret = box("Of Beta alone", read="CERT Beta", write="CERT Beta")
    put(beta, secret, *[thing() for _ in range(3)])
    token = get(beta, f"{secret}objects/", "limit=1").json["next"]
    check("in another collection it shows that one's", set(get(alpha, f"{shelf}objects/", f"next={token}").ids) <= {one["id"] for one in held})
    check("to somebody else nothing", is_error(get(alpha, f"{secret}objects/", f"next={token}"), 404))
    changed = token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1]
    check("changed: 400", is_error(get(beta, f"{secret}objects/", f"next={changed}"), 400))


def section_3_6_1_errors_say_what_and_where():
    """title is required, http_status matches the header; all are texts."""
    known = {"title", "description", "error_id", "error_code", "http_status", "external_details", "details"}
    bad = [get(alpha, f"{shelf}objects/", "limit=many"), ask(alpha, "POST", f"{shelf}objects/", '{"objects": [{]}'), get(alpha, "/taxii2/x/"), get(nobody, "/taxii2/")]
    for answer in bad:
        told = answer.json
        check(f"{told}", set(told) <= known and told["title"] and told["http_status"] == str(answer.status))
    check("the value", "many" in bad[0].json["description"])
    check("the place", "line 1, column" in bad[1].json["description"])


def section_3_7_content_is_an_envelope():
    """The root of STIX content MUST be an envelope; empty: without objects."""
    check("one object", set(get(alpha, PAGED[2]).json) <= {"more", "next", "objects"})
    empty = box("Empty")
    for path in (f"{empty}objects/", f"{empty}manifest/"):
        answer = get(alpha, path)
        check(f"{path} empty", answer.status == 200 and "objects" not in answer.json and not answer.json.get("more", False))
    check("an empty manifest is an empty object (§5.3.1)", get(alpha, f"{empty}manifest/").json == {})
    check("no bundle", '"bundle"' not in get(alpha, f"{shelf}objects/").body.decode())


def section_3_8_names_are_as_they_are_written():
    """Property names and literals exactly; required properties present."""
    check("discovery", {"title", "api_roots", "default"} == set(get(alpha, "/taxii2/").json))
    check("root", set(get(alpha, root).json) <= {"title", "description", "versions", "max_content_length"})
    check("collection", set(get(alpha, shelf).json) == {"id", "title", "description", "alias", "can_read", "can_write", "media_types"})
    check("manifest", all(set(one) == {"id", "date_added", "version", "media_type"} for one in get(alpha, f"{shelf}manifest/").json["objects"]))
    status = put(alpha, box("Of names"), thing())
    check("status", set(status) <= {"id", "status", "request_timestamp", "total_count", "success_count", "successes", "failure_count", "failures", "pending_count", "pendings"})
    check("status-details", all({"id", "version"} <= set(one) <= {"id", "version", "message"} for one in status["successes"]))


def section_3_9_and_8_2_1_discovery_stands_at_the_root():
    check("/taxii2/", get(alpha, "/taxii2/").status == 200)
    check("no other case", get(alpha, "/TAXII2/").status in (401, 404))


def section_8_2_1_a_request_without_user_agent_is_served():
    check("none is sent here at all", get(alpha, "/taxii2/", user_agent=None).status == 200)


def http_urls_may_be_encoded():
    """RFC 3986 §2.1: an octet and its percent-encoding are the same."""
    encoded = f"{shelf}objects/{held[0]['id'].replace('-', '%2D')}/"
    check("in a path", get(alpha, encoded).ids == [held[0]["id"]])
    query = "match%5Btype%5D=indicator%2Cmalware&match%5bversion%5d=last&limit=%37"
    check("in a query", get(alpha, f"{shelf}objects/", query).ids == get(alpha, f"{shelf}objects/", "match[type]=indicator,malware&limit=7").ids)
    for path in ("/taxii2/%zz/", f"{root}collections/%ff%fe/", f"{shelf}objects/%00/", f"{root}collections/../../", f"{shelf}objects/{'a' * 5000}/"):
        check(f"{path[:60]}: 404", is_error(get(alpha, path), 404))


def http_answers_are_packed_as_they_are_taken():
    """RFC 9110 §8.4, §12.5.3."""
    plain = get(alpha, f"{shelf}objects/")
    check("none asked for", "content-encoding" not in plain.headers and "accept-encoding" in plain.headers["vary"].lower())
    packed = get(alpha, f"{shelf}objects/", accept_encoding="gzip")
    check("gzip", packed.headers.get("content-encoding") == "gzip" and gzip.decompress(packed.body) == plain.body)
    for name, tool in (("zstd", ["zstd", "-dc"]), ("br", None)):
        packed = get(alpha, f"{shelf}objects/", accept_encoding=f"{name}, identity;q=0.5")
        check(name, packed.headers.get("content-encoding") == name and len(packed.body) < len(plain.body) / 2)
        if tool:
            check(f"{name}, unpacked", node.subprocess.run(tool, input=packed.body, capture_output=True).stdout == plain.body)
    for refused in ("gzip;q=0", "identity", "deflate", "gzip; q=0.0, br;q=0"):
        check(f"Accept-Encoding: {refused}", get(alpha, f"{shelf}objects/", accept_encoding=refused).body == plain.body)


AREAS = [value for name, value in list(globals().items()) if name.startswith(("section_", "http_"))]
