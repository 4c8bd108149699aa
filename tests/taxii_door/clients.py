"""Other people's clients: OASIS' taxii2-client, and stix2's store over it."""

import warnings

import stix2
from stix2.datastore.filters import Filter
from taxii2client.common import TokenAuth
from taxii2client.v21 import ApiRoot, Collection, Server, Status, as_pages

from taxii_door.core import held, shelf
from taxii_door.node import alpha, beta, box, check, server, thing

warnings.filterwarnings("ignore")


def collection(path, who=alpha):
    return Collection(server.url + path, user=who.email, password=who.password)


def taxii2_client_finds_its_way():
    node = Server(f"{server.url}/taxii2/", user=alpha.email, password=alpha.password)
    check("title", node.title and node.default.url == f"{server.url}/taxii2/node/")
    root = node.api_roots[0]
    check("root", root.title and root.versions == ["application/taxii+json;version=2.1"] and root.max_content_length > 0)
    check("collections", {one.title for one in root.collections} >= {"Shelf", "Mixed markings"})
    by_key = ApiRoot(f"{server.url}/taxii2/node/", auth=TokenAuth(alpha.key))
    try:
        check("a key as a token is refused in another scheme", by_key.title and False)
    except Exception as error:  # noqa: BLE001 - requests' own
        check("a token of another scheme: 401", "401" in str(error))
    check("a key as the password", Server(f"{server.url}/taxii2/", user="key", password=alpha.key).title)


def taxii2_client_reads():
    one = collection(shelf)
    check("what it is", one.can_read and one.can_write and one.alias == "shelf")
    check("objects", one.get_objects()["objects"] == held)
    check("filters", [o["id"] for o in one.get_objects(type=["malware", "campaign"])["objects"]] == [o["id"] for o in held if o["type"] != "indicator"])
    check("by id", one.get_object(held[3]["id"])["objects"] == [held[3]])
    check("versions", one.object_versions(held[3]["id"])["versions"] == [held[3]["modified"]])
    for size in (1, 7, 30, 100):
        check(f"pages of {size}", [o for page in as_pages(one.get_objects, per_request=size) for o in page.get("objects", [])] == held)
        check(f"pages of {size} of the manifest", [o["id"] for page in as_pages(one.get_manifest, per_request=size) for o in page.get("objects", [])] == [o["id"] for o in held])


def taxii2_client_writes():
    one = collection(box("Of the client"))
    objects = [thing() for _ in range(1500)]
    status = one.add_objects({"objects": objects}, wait_for_completion=True, poll_interval=0.1)
    check("a large envelope, waited for", status.status == "complete" and status.success_count == 1500 and not status.failure_count)
    check("its status again", Status(f"{server.url}/taxii2/node/status/{status.id}/", user=alpha.email, password=alpha.password).total_count == 1500)
    small = one.add_objects({"objects": [thing(), {"type": "x"}]})
    check("failures", small.failure_count == 1 and len(small.failures) == 1)
    check("all are there", sum(len(page["objects"]) for page in as_pages(one.get_objects, per_request=400)) == 1501)
    one.delete_object(objects[0]["id"])
    try:
        one.get_object(objects[0]["id"])
        check("deleted", False)
    except Exception as error:  # noqa: BLE001
        check("deleted", "404" in str(error))


def stix2_keeps_its_objects_here():
    path = box("Of stix2")
    store = stix2.TAXIICollectionStore(collection(path), allow_custom=True)
    indicator = stix2.Indicator(name="i", pattern="[domain-name:value = 'x.example']", pattern_type="stix", valid_from="2024-01-01T00:00:00Z")
    malware = stix2.Malware(name="m", is_family=False)
    tie = stix2.Relationship(indicator, "indicates", malware)
    url = stix2.URL(value="http://x.example/")
    store.sink.add([indicator, malware, tie, url])
    newer = indicator.new_version(name="j")
    store.sink.add(newer)
    check("get", store.get(indicator.id) == newer and store.get(url.id) == url)
    check("all versions", store.all_versions(indicator.id) == [indicator, newer])
    check("query", [one.id for one in store.query([Filter("type", "=", "malware")])] == [malware.id])
    check("query by a name", [one.id for one in store.query([Filter("name", "=", "j")])] == [indicator.id])
    check("relationships", [one.id for one in store.relationships(indicator)] == [tie.id])
    check("what is not there", store.get(thing()["id"]) is None)
    reader = stix2.TAXIICollectionSource(collection(path, beta))
    check("another organisation reads it", {one.id for one in reader.query()} == {indicator.id, malware.id, tie.id, url.id})


AREAS = [taxii2_client_finds_its_way, taxii2_client_reads, taxii2_client_writes, stix2_keeps_its_objects_here]
