"""Who sees what: markings of objects, and what speaks of something that is hidden (§1.6.9: a server may omit what the
client is not authorized to receive). What somebody may not see is not there for them: not in pages, manifests,
versions, headers, counts or `more`."""

import urllib.parse

from taxii_door.node import (
    AMBER, FIRST, GREEN, LAST, RED, alpha, ask, beta, box, check, colleague, get, is_error, pages, post, put, relationship, thing,
)

mixed = box("Mixed markings")
free = [thing(name=f"free {n}", object_marking_refs=[GREEN]) for n in range(6)]
unmarked = [thing(name=f"unmarked {n}") for n in range(6)]
secret = [thing("malware", name=f"secret {n}", object_marking_refs=[[RED], [AMBER], [GREEN, RED]][n % 3]) for n in range(6)]
granular = thing("malware", name="a part of it", granular_markings=[{"marking_ref": RED, "selectors": ["name"]}])
labelled = thing("malware", name="by its label", labels=["tlp:red"])
own_marking = {"type": "marking-definition", "spec_version": "2.1", "id": thing("marking-definition")["id"], "created": "2024-01-01T00:00:00.000Z", "definition_type": "statement", "definition": {"statement": "for us"}, "object_marking_refs": [RED]}
under_it = thing("malware", name="under a hidden marking", object_marking_refs=[own_marking["id"]])
tie = relationship(free[0], secret[0])
other_tie = relationship(secret[1], unmarked[0])
open_tie = relationship(free[0], free[1])
report = thing("report", name="r", published="2024-01-01T00:00:00Z", object_refs=[free[0]["id"], secret[0]["id"]])
empty_report = thing("report", name="e", published="2024-01-01T00:00:00Z", object_refs=[secret[0]["id"]])
sighting = thing("sighting", sighting_of_ref=secret[2]["id"])
seen_report = {**report, "object_refs": [free[0]["id"]]}
sent = [
    free[0], secret[0], tie, unmarked[0], own_marking, under_it, free[1], open_tie, secret[1], other_tie, report, empty_report, sighting, granular, labelled,
    *[one for three in zip(free[2:], secret[2:], unmarked[1:]) for one in three], unmarked[5],
]
gone = {one["id"] for one in [*secret, granular, labelled, own_marking, under_it, tie, other_tie, empty_report, sighting]}
for n in range(0, len(sent), 5):
    put(alpha, mixed, *sent[n:n + 5])
shown = [seen_report if one is report else one for one in sent if one["id"] not in gone]
versioned = thing("tool", name="open", modified="2024-01-01T00:00:00.000Z")
closed = {**versioned, "name": "closed", "modified": "2024-02-01T00:00:00.000Z", "object_marking_refs": [RED]}


def who_sent_it_and_their_colleagues_see_all():
    for who in (alpha, colleague):
        check("objects", get(who, f"{mixed}objects/").json["objects"] == sent)
        check("manifest", get(who, f"{mixed}manifest/").ids == [one["id"] for one in sent])


def others_see_what_is_marked_for_them_and_nothing_that_speaks_of_the_rest():
    page = get(beta, f"{mixed}objects/")
    check("objects", page.json["objects"] == shown)
    check("manifest", get(beta, f"{mixed}manifest/").ids == [one["id"] for one in shown])
    check("no identifier of what is hidden", not any(one in page.body.decode() for one in gone))


def nothing_hidden_is_counted():
    """Pages are full, more is true only where there is more to see, headers are those of what is seen."""
    dates = {one["id"]: one["date_added"] for one in get(alpha, f"{mixed}manifest/").json["objects"]}
    wanted = [one["id"] for one in shown]
    for part in ("objects", "manifest"):
        for limit in (1, 2, 3, 5, len(shown) - 1, len(shown), len(shown) + 1):
            got = pages(beta, f"{mixed}{part}/", "", limit)
            check(f"{part} by {limit}", [one for page in got for one in page.ids] == wanted)
            check("all but the last are full, and none is empty", [len(page.ids) for page in got[:-1]] == [limit] * (len(got) - 1) and got[-1].ids)
            for page in got:
                check("headers", page.headers[FIRST] == dates[page.ids[0]] and page.headers[LAST] == dates[page.ids[-1]])
    only = get(beta, f"{mixed}objects/", "match[type]=malware")
    check("of a type of which all are hidden", "objects" not in only.json and not only.json.get("more", False) and "next" not in only.json)
    nothing = get(beta, f"{mixed}objects/", "match[type]=x-nothing")
    check("as of a type that nobody has", [only.body, only.headers[FIRST], only.headers[LAST]] == [nothing.body, nothing.headers[FIRST], nothing.headers[LAST]])
    ties = get(beta, f"{mixed}objects/", "match[type]=relationship&limit=1")
    check("one relationship and no more", ties.ids == [open_tie["id"]] and not ties.json.get("more", False))
    after = urllib.parse.quote(dates[shown[-1]["id"]])
    check("nothing after the last", get(beta, f"{mixed}manifest/", f"added_after={after}").json == {})


def one_by_one_they_are_not_there():
    for identity in sorted(gone):
        unknown = thing(identity.split("--")[0])["id"]
        for path in (f"objects/{identity}/", f"objects/{identity}/versions/"):
            answer, of_unknown = get(beta, mixed + path), get(beta, mixed + path.replace(identity, unknown))
            check(path, is_error(answer, 404) and answer.body == of_unknown.body)
            check("whatever is asked for", is_error(get(beta, mixed + path, "match[spec_version]=2.1"), 404))
        check("by match", get(beta, f"{mixed}objects/", f"match[id]={identity}").json.get("objects") is None)
        check("nor in a manifest", get(beta, f"{mixed}manifest/", f"match[id]={identity}&match[version]=all").json == {})
        check("nor can it be taken out", is_error(ask(beta, "DELETE", f"{mixed}objects/{identity}/"), 404))
    check("all is there still", get(alpha, f"{mixed}objects/").json["objects"] == sent)


def a_hidden_version_is_not_there():
    """The newest that may be seen is the newest."""
    both = box("A version that is hidden")
    put(alpha, both, versioned)
    put(alpha, both, closed)
    put(alpha, both, thing(object_marking_refs=[GREEN]))
    path = f"{both}objects/{versioned['id']}/"
    check("alpha", get(alpha, path).json["objects"] == [closed] and len(get(alpha, f"{path}versions/").json["versions"]) == 2)
    check("beta", get(beta, path).json["objects"] == [versioned])
    check("versions", get(beta, f"{path}versions/").json["versions"] == [versioned["modified"]])
    check("all", get(beta, path, "match[version]=all").json["objects"] == [versioned])
    check("last and first of the page", get(beta, f"{both}objects/", "match[version]=first,last").json["objects"][0] == versioned)
    check("its time", is_error(get(beta, path, f"match[version]={closed['modified']}"), 404))


def what_beta_sends_red_is_betas():
    """The marking is the sender's: the node's own organisation does not see it either."""
    theirs = box("Of two")
    red = thing(object_marking_refs=[RED])
    mine = thing(object_marking_refs=[RED])
    put(beta, theirs, red)
    put(alpha, theirs, mine)
    check("beta", get(beta, f"{theirs}objects/").json["objects"] == [red])
    check("alpha", get(alpha, f"{theirs}objects/").json["objects"] == [mine])
    again = put(alpha, theirs, red)
    check("what is hidden is not told of by a POST", "message" not in again["successes"][0])
    check("nor in the way", get(alpha, f"{theirs}objects/").json["objects"] == [mine, red])
    check("a second time it is there", "message" in put(alpha, theirs, red)["successes"][0])


def nobody_can_take_anothers_identifier():
    """Who posts it first, for nobody to see, stops nobody, and hides nothing that refers to it."""
    named = box("Of an identifier that another took")
    real = thing(object_marking_refs=[GREEN])
    put(beta, named, {**real, "object_marking_refs": [RED]})
    speaks = relationship(real, real, object_marking_refs=[GREEN])
    put(alpha, named, real, speaks)
    check("alpha", get(alpha, f"{named}objects/").json["objects"] == [real, speaks])
    check("who sees both sees one", get(beta, f"{named}objects/").ids == [real["id"], speaks["id"]])
    check("also of all versions", get(beta, f"{named}objects/", "match[version]=all").ids == [real["id"], speaks["id"]])


def named_readers_are_the_readers():
    """A collection that names its readers: its objects go no further, whatever they say."""
    named = box("For both by name", read="CERT Alpha,CERT Beta", write="all")
    put(alpha, named, thing(object_marking_refs=[GREEN]), thing())
    check("beta", len(get(beta, f"{named}objects/").ids) == 2)


AREAS = [
    who_sent_it_and_their_colleagues_see_all, others_see_what_is_marked_for_them_and_nothing_that_speaks_of_the_rest,
    nothing_hidden_is_counted, one_by_one_they_are_not_there, a_hidden_version_is_not_there, what_beta_sends_red_is_betas,
    nobody_can_take_anothers_identifier,
    named_readers_are_the_readers,
]
