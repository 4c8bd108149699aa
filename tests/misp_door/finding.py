"""Tags, searches in every format, sightings, proposals, reports, values in too many records."""

from .node import *  # noqa: F403 - the callers, and the few words that all of these tests are made of


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
    counted = alpha.tags_statistics()["tags"]
    check("statistics are of events", "case:two" not in counted and int(counted["tlp:green"]) >= 1)
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
    own = event("Own tags", 1, ("domain", "own.search.example"))
    own.add_tag("search:kept")
    own.attributes[0].add_tag("search:kept")
    own = alpha.add_event(own, pythonify=True)
    kept = next(tag for tag in admin.tags(pythonify=True) if tag.name == "search:kept")
    kept.exportable = False
    admin.update_tag(kept)
    text = raw("alpha", "POST", "/events/restSearch", {"returnFormat": "stix2", "eventid": own.id}).text
    check("stix2 without tags that are not for export", "own.search.example" in text and "search:kept" not in text)
    alpha.delete_event(own)
    bundle = raw("alpha", "POST", "/attributes/restSearch", {"returnFormat": "stix2", "value": "a.search.example"}).json()
    check("stix2 of one attribute", [o["pattern"] for o in bundle["objects"] if o["type"] == "indicator"] == ["[domain-name:value = 'a.search.example']"])
    check("attack", raw("alpha", "POST", "/attributes/restSearch", {"returnFormat": "attack", "eventid": one.id}).json() == {"galaxies": [], "tags": []})
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
    # What is said of a part stands with the part.
    thing, about = MISPObject("file"), event("Parts that are spoken of", 1, ("domain", "spoken.example"))
    thing.add_attribute("filename", "spoken.exe")
    about.add_object(thing)
    about.add_event_report("Spoken", "words")
    about = alpha.add_event(about, pythonify=True)
    parts = {"Attribute": about.attributes[0], "Object": about.objects[0], "EventReport": about.event_reports[0]}
    said = {kind: raw("alpha", "POST", f"/analyst_data/add/Note/{part.uuid}/{kind}", {"note": f"of the {kind}", "distribution": "1"}).json()["Note"]["uuid"] for kind, part in parts.items()}
    inner = about.objects[0].attributes[0].uuid
    alone = raw("alpha", "POST", f"/analyst_data/add/Opinion/{inner}/Attribute", {"opinion": 10, "distribution": "0"}).json()["Opinion"]["uuid"]
    notes = lambda part: [n.uuid for n in part.notes]
    for who, api in (("its maker", alpha), ("another", beta)):
        seen = api.get_event(about.uuid, pythonify=True)
        check(f"notes on parts, for {who}", [notes(seen.attributes[0]), notes(seen.objects[0]), notes(seen.event_reports[0])] == [[said[kind]] for kind in parts] and not seen.notes)
        check(f"an opinion that is one's own, for {who}", [o.uuid for o in seen.objects[0].attributes[0].opinions] == ([alone] if api is alpha else []))
    check("on an attribute alone", notes(alpha.get_attribute(parts["Attribute"], pythonify=True)) == [said["Attribute"]])
    check("on an object alone", notes(alpha.get_object(parts["Object"].uuid, pythonify=True)) == [said["Object"]])
    check("on a report alone", notes(alpha.get_event_report(parts["EventReport"].uuid, pythonify=True)) == [said["EventReport"]])
    back = alpha.get_event(about.uuid, pythonify=True)
    back.info = "Parts that are spoken of again"
    alpha.update_event(back)
    check("and sent back they are there once", notes(alpha.get_event(about.uuid, pythonify=True).attributes[0]) == [said["Attribute"]])
    check("not where only the head is asked for", said["Attribute"] not in raw("alpha", "GET", f"/events/view/{about.uuid}/metadata:1").text)
    # Numbers of pages beyond all counting.
    for path in ("/attributes/index", "/shadow_attributes/index", "/tags/index", "/events/index", "/organisations/index"):
        answer = raw("admin", "POST", path, {"page": 2**64 - 1, "limit": 10000})
        check(f"{path}: a page that is none", answer.status_code == 200 and "uuid" not in answer.text)


def crowds():
    """Values that are in too many records; and Snort's rules."""
    for n in range(24):
        alpha.add_event(event(f"Crowd {n}", 0 if n % 2 else 1, ("domain", "crowd.example.com"), ("domain", f"c{n}.crowd.example.com")))
    check("counted on an administrator's word", errors(alpha.direct_call("correlations/generateOccurrences", {})) and errors(alpha.direct_call("correlations/overCorrelations")))
    check("counted", "saved" in admin.direct_call("correlations/generateOccurrences", {}))
    found = {line["value"]: line for line in admin.direct_call("correlations/overCorrelations")}
    check(f"what is in too many: {found}", found["crowd.example.com"]["occurrence"] == "24" and not found["crowd.example.com"]["excluded"] and "c1.crowd.example.com" not in found)
    check("a page", admin.direct_call("correlations/overCorrelations", {"limit": 1, "page": 500}) == [])
    hundred = alpha.add_event(event("Everywhere", 0, *[("domain", "crowd.example.com")]), pythonify=True)
    check("not so many as to be cut", "OverCorrelatingValue" not in alpha.get_event(hundred)["Event"])
    for n in range(100):
        alpha.add_event(event(f"More crowd {n}", 0, ("domain", "crowd.example.com")))
    cut = alpha.get_event(hundred)["Event"]["OverCorrelatingValue"]
    check(f"what is cut is said: {cut}", cut == [{"value": "crowd.example.com", "occurrence": "125"}] and len(alpha.get_event(hundred)["Event"]["RelatedEvent"]) <= 50)
    of = lambda who: raw(who, "POST", "/attributes/restSearch", {"value": "crowd.example.com", "includeCorrelations": 1, "limit": 1}).json()["response"]["Attribute"][0]
    check("of an attribute too", of("alpha").get("over_correlation") is True)
    check("others count what is theirs", "over_correlation" not in of("beta") and len(of("beta")["RelatedAttribute"]) == 11)
    rules = event("Rules", 1, ("ip-dst", "5.188.10.50"), ("hostname", "snort.rules.example"), ("url", 'http://snort.rules.example:8080/a;b"c?d=1'), ("user-agent", "Evil/1.0; x"), ("url", "https://snort.rules.example/x"), ("snort", 'alert tcp any any -> any any (msg:"by hand"; sid:1;)'), ("domain", "quiet.rules.example"))
    for attribute in rules.attributes:
        attribute.to_ids = attribute.value != "quiet.rules.example"
    rules = alpha.add_event(rules, pythonify=True)
    lines = lambda: raw("alpha", "POST", "/attributes/restSearch", {"returnFormat": "snort", "eventid": rules.id}).text.splitlines()
    check("not before it is published", all(line.startswith("#") for line in lines()))
    alpha.publish(rules)
    written = [line for line in lines() if not line.startswith("#")]
    check(f"a rule a value: {written}", len(written) == 5 and 'alert tcp any any -> any any (msg:"by hand"; sid:1;)' in written and not any("quiet" in line for line in written))
    check("names as the DNS spells them", any("|05|snort|05|rules|07|example|00|" in line and "-> any 53" in line for line in written))
    check("addresses", any(line.startswith("alert ip $HOME_NET any -> 5.188.10.50 any") for line in written))
    check("nothing of a value is syntax", any('content:"/a|3b|b%22c?d=1"; depth:12; http_raw_uri' in line and "8080" in line for line in written) and any("User-Agent|3a 20|Evil/1.0|3b| x|0d 0a|" in line for line in written))
    check("events too", "5.188.10.50" in raw("beta", "POST", "/events/restSearch", {"returnFormat": "snort", "eventid": rules.id}).text)
    check("each rule has a number of its own", len({re.search("sid:([0-9]+)", line)[1] for line in written}) == len(written))
