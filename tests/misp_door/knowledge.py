"""Taxonomies, galaxies, lists, models; clusters that organisations make."""

from .node import *  # noqa: F403 - the callers, and the few words that all of these tests are made of


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


def new_cluster(value, distribution=1, **more):
    cluster = MISPGalaxyCluster()
    cluster.value, cluster.distribution = value, distribution
    cluster.description, cluster.authors, cluster.source = f"{value} is ours", ["CERT Alpha"], "an analyst"
    for name, of in more.items():
        setattr(cluster, name, of)
    return cluster


def galaxy_of(who, kind):
    return next(g for g in who.galaxies(pythonify=True) if g.type == kind)


def clusters():
    """Own clusters, their relations, and galaxies beside tags."""
    check("who writes edits galaxies", alpha.misp_instance_version["perm_galaxy_editor"] is True and reader.misp_instance_version["perm_galaxy_editor"] is False)
    actors = galaxy_of(alpha, "threat-actor")
    imported = alpha.search_galaxy_clusters(actors, context="default", pythonify=True)
    known = next(c for c in imported if c.elements_meta.get("synonyms"))
    before = int(time.time())
    made = alpha.add_galaxy_cluster(actors, new_cluster("Sandstorm of the South"), pythonify=True)
    check("made", made.value == "Sandstorm of the South" and made.authors == ["CERT Alpha"] and made.galaxy_id == actors.id and made.Galaxy.type == "threat-actor")
    check("its tag has its identifier", made.tag_name == f'misp-galaxy:threat-actor="{made.uuid}"')
    check("its version is when it changed", before <= int(made.version) <= time.time())
    check("it is ours", made.Orgc.name == made.Org.name == "CERT Alpha" and made.default is False and not made.published and not made.locked)
    members = raw("alpha", "GET", f"/galaxy_clusters/view/{made.uuid}").json()["GalaxyCluster"]
    with gzip.open(root / "fixtures/misp-wire/sync.jsonl.gz") as lines:
        recorded_view = next(pair for pair in map(json.loads, lines) if pair["file"].startswith("005"))["response"]["body"]["GalaxyCluster"]
    check(f"as MISP shows one: {set(recorded_view) - set(members)}", set(recorded_view) <= set(members))
    check("by number, identifier and tag", {alpha.get_galaxy_cluster(n, pythonify=True).uuid for n in (made.id, made.uuid)} == {made.uuid} and errors(alpha.get_galaxy_cluster(99999999)))
    check("nothing without a name", raw("alpha", "POST", f"/galaxy_clusters/add/{actors.id}", {"value": " "}).json()["errors"] == {"value": ["valueNotEmpty"]})
    check("nor in no galaxy", errors(alpha.add_galaxy_cluster("no-such-galaxy", new_cluster("x"))))
    check("nor twice", errors(alpha.add_galaxy_cluster(actors, new_cluster("again", uuid=made.uuid))))
    check("nor one that is knowledge", errors(alpha.add_galaxy_cluster(actors, new_cluster("spoofed", uuid=known.uuid))))
    check("a reader makes none", errors(reader.add_galaxy_cluster(actors, new_cluster("no"))))
    made.add_cluster_element("synonyms", "SoS")
    made.add_cluster_element("synonyms", "Ghibli")
    changed = alpha.update_galaxy_cluster(made, pythonify=True)
    check("elements", changed.elements_meta == {"synonyms": ["SoS", "Ghibli"]} and changed.id == made.id and int(changed.version) > int(made.version))
    changed.cluster_elements = [e for e in changed.cluster_elements if e.value != "SoS"]
    changed = alpha.update_galaxy_cluster(changed, pythonify=True)
    check("fewer of them", changed.elements_meta == {"synonyms": ["Ghibli"]})
    check("published", alpha.publish_galaxy_cluster(changed)["success"] and alpha.get_galaxy_cluster(made.uuid, pythonify=True).published)
    check("and not", raw("alpha", "POST", f"/galaxy_clusters/unpublish/{made.uuid}").json()["success"] and not alpha.get_galaxy_cluster(made.uuid, pythonify=True).published)
    alpha.publish_galaxy_cluster(changed)
    changed.description = "changed since"
    changed = alpha.update_galaxy_cluster(changed, pythonify=True)
    check("a change is to be published again", not changed.published and changed.description == "changed since")
    alpha.publish_galaxy_cluster(changed)
    check("another's is not for changing", errors(beta.update_galaxy_cluster(changed)) and errors(beta.delete_galaxy_cluster(changed)) and errors(beta.publish_galaxy_cluster(changed)))
    check("an administrator may", admin.update_galaxy_cluster(changed, pythonify=True).Org.name == "CERT Alpha")
    check("knowledge is not", raw("admin", "POST", f"/galaxy_clusters/edit/{known.uuid}", {"value": "x"}).status_code == 403 and raw("admin", "POST", f"/galaxy_clusters/delete/{known.uuid}").status_code == 403)
    fork = alpha.fork_galaxy_cluster(actors, known, pythonify=True)
    check("forked", fork.extends_uuid == known.uuid and fork.value == known.value and fork.uuid != known.uuid and fork.default is False and not fork.published)
    check("with its elements", fork.elements_meta == known.elements_meta)

    # Relations
    fresh = alpha.get_galaxy_cluster(made.uuid, pythonify=True)
    fresh.add_cluster_relation(known, "uses", distribution=1)
    related = alpha.update_galaxy_cluster(fresh, pythonify=True)
    relation = related.cluster_relations[0]
    check("a relation with a cluster", (relation.referenced_galaxy_cluster_uuid, relation.referenced_galaxy_cluster_type, len(related.cluster_relations)) == (known.uuid, "uses", 1))
    relation.add_tag("tlp:green")
    again = alpha.update_galaxy_cluster(related, pythonify=True).cluster_relations[0]
    check("keeps its number, gets a tag", again.id == relation.id and [t.name for t in again.tags] == ["tlp:green"])
    more = MISPGalaxyClusterRelation()
    more.from_dict(galaxy_cluster_uuid=made.uuid, referenced_galaxy_cluster_uuid=fork.uuid, referenced_galaxy_cluster_type="similar", distribution=1)
    added = alpha.add_galaxy_cluster_relation(more)
    check("a relation by itself", not errors(added) and added["GalaxyClusterRelation"]["referenced_galaxy_cluster_id"] == str(fork.id))
    both = alpha.get_galaxy_cluster(made.uuid, pythonify=True).cluster_relations
    check("both", [r.referenced_galaxy_cluster_type for r in both] == ["uses", "similar"] and both[0].id == relation.id)
    both[1].referenced_galaxy_cluster_type = "variant-of"
    check("changed", not errors(alpha.update_galaxy_cluster_relation(both[1])) and [r.referenced_galaxy_cluster_type for r in alpha.get_galaxy_cluster(made.uuid, pythonify=True).cluster_relations] == ["uses", "variant-of"])
    inbound = raw("alpha", "GET", f"/galaxy_clusters/view/{known.uuid}").json()["GalaxyCluster"]["RelationshipInbound"]
    check("seen from the other side", [r["galaxy_cluster_uuid"] for r in inbound] == [made.uuid] and inbound[0]["SourceCluster"]["value"] == "Sandstorm of the South")
    check("another adds none", errors(beta.add_galaxy_cluster_relation(more)) and errors(beta.delete_galaxy_cluster_relation(both[0].id)))
    check("none to nowhere", errors(raw("alpha", "POST", "/galaxy_cluster_relations/add", {"galaxy_cluster_uuid": made.uuid, "referenced_galaxy_cluster_uuid": "x", "referenced_galaxy_cluster_type": "y"}).json()))
    check("one goes", alpha.delete_galaxy_cluster_relation(both[1])["success"] and [r.id for r in alpha.get_galaxy_cluster(made.uuid, pythonify=True).cluster_relations] == [relation.id])
    check("and is gone", errors(alpha.delete_galaxy_cluster_relation(both[1])))
    third = MISPGalaxyClusterRelation()
    third.from_dict(galaxy_cluster_uuid=made.uuid, referenced_galaxy_cluster_uuid=fork.uuid, referenced_galaxy_cluster_type="secretly", distribution=0)
    hidden = alpha.add_galaxy_cluster_relation(third)["GalaxyClusterRelation"]
    check("a number is not used twice", hidden["id"] not in (str(both[0].id), str(both[1].id)))
    check("one of ours alone", [r["referenced_galaxy_cluster_type"] for r in beta.get_galaxy_cluster(made.uuid)["GalaxyCluster"]["GalaxyClusterRelation"]] == ["uses"])

    # Lists
    values = lambda **filters: [c.value for c in alpha.search_galaxy_clusters(actors, pythonify=True, **filters)]
    check("custom", sorted(values(context="custom")) == sorted(["Sandstorm of the South", known.value]))
    check("default", len(values(context="default")) == len(imported) and len(values()) == len(imported) + 2)
    check("searched", values(context="all", searchall="sandstorm of the south") == ["Sandstorm of the South"])
    check("of the own organisation", "Sandstorm of the South" in values(context="org") and beta.search_galaxy_clusters(actors, context="org") == [])
    check("in the galaxy", "Sandstorm of the South" in [c.value for c in alpha.get_galaxy(actors.id, withCluster=True, pythonify=True).clusters])
    search = lambda who="alpha", **filters: [c["GalaxyCluster"] for c in raw(who, "POST", "/galaxy_clusters/restSearch", filters).json()["response"]]
    alpha.publish_galaxy_cluster(made.uuid)
    minimal = search(published=1, minimal=1, custom=1)
    check("as a server asks", [c["uuid"] for c in minimal] == [made.uuid] and set(minimal[0]) == {"uuid", "version"})
    check("by identifier", [c["value"] for c in search(uuid=[made.uuid, str(uuid.uuid4())])] == ["Sandstorm of the South"] and [c["default"] for c in search(uuid=known.uuid)] == [True])
    check("by name, in a galaxy", len(search(value=known.value, galaxy="threat-actor")) == 2 and search(value=known.value, galaxy="sector") == [])
    check("by tag", [c["uuid"] for c in search(tag_name=made.tag_name)] == [made.uuid])
    check("a page", len(search(galaxy_uuid=actors.uuid, limit=5, page=2)) == 5)

    # Beside tags
    home = event("Galaxies", 1, ("domain", "one.galaxy.example"), ("domain", "two.galaxy.example"))
    home.add_tag(known.tag_name)
    home.attributes[0].add_tag(made.tag_name)
    home.attributes[1].add_tag(made.tag_name)
    home.add_tag('misp-galaxy:threat-actor="Nobody of that name"')
    home = alpha.add_event(home, pythonify=True)
    check("on an event that was added", [c.uuid for g in home.galaxies for c in g.clusters] == [known.uuid])
    home = alpha.get_event(home.id, pythonify=True)
    block = home.galaxies[0]
    check("a galaxy of an event", len(home.galaxies) == 1 and block.id == actors.id and block.clusters[0].id == known.id)
    line = raw("alpha", "GET", f"/events/view/{home.id}").json()["Event"]["Galaxy"][0]["GalaxyCluster"][0]
    check("with what it says", line["meta"]["synonyms"] == known.elements_meta["synonyms"] and line["tag_id"] == str(home.tags[0].id) and {"event_tag_id", "local", "relationship_type", "Org", "Orgc"} <= set(line))
    check("of each attribute", [[c.uuid for g in a.galaxies for c in g.clusters] for a in home.attributes] == [[made.uuid]] * 2)
    bare = raw("alpha", "GET", f"/events/view/{home.id}/excludeGalaxy:1").json()["Event"]
    check("left out where they are not wanted", bare["Galaxy"] == [] and all(a["Galaxy"] == [] for a in bare["Attribute"]))
    check("in a search of events", [c["uuid"] for c in alpha.search(eventid=home.id)[0]["Event"]["Galaxy"][0]["GalaxyCluster"]] == [known.uuid])
    found = alpha.search(controller="attributes", eventid=home.id, pythonify=True)
    check("and of attributes", [a.galaxies[0].clusters[0].value for a in found] == ["Sandstorm of the South"] * 2)
    check("unless not wanted", "Galaxy" not in raw("alpha", "POST", "/attributes/restSearch", {"eventid": home.id, "excludeGalaxy": 1}).text)
    check("attached to an attribute", alpha.attach_galaxy_cluster(home.attributes[0], fork)["saved"] and {c.uuid for g in alpha.get_event(home.id, pythonify=True).attributes[0].galaxies for c in g.clusters} == {made.uuid, fork.uuid})
    counted = raw("alpha", "POST", "/attributes/restSearch", {"returnFormat": "context", "eventid": home.id}).json()
    check("context", {(c["value"], c["count"]) for g in counted["galaxies"] for c in g["GalaxyCluster"]} == {("Sandstorm of the South", 2), (known.value, 2), (fork.value, 1)} and [t["count"] for t in counted["tags"]] == [2])
    technique = next(c for c in alpha.search_galaxy_clusters(galaxy_of(alpha, "cmtmf-attack-pattern"), pythonify=True) if c.elements_meta.get("kill_chain"))
    alpha.attach_galaxy_cluster(home, technique)
    attack = raw("alpha", "POST", "/events/restSearch", {"returnFormat": "attack", "eventid": home.id}).json()
    check("attack", [(g["type"], [(c["value"], c["count"]) for c in g["GalaxyCluster"]]) for g in attack["galaxies"]] == [("cmtmf-attack-pattern", [(technique.value, 2)])] and attack["galaxies"][0]["GalaxyCluster"][0]["kill_chain"])
    check("how often it is used", raw("alpha", "GET", f"/galaxy_clusters/view/{made.uuid}").json()["GalaxyCluster"]["tag_count"] == 2)

    # Files
    exported = raw("alpha", "POST", f"/galaxies/export/{actors.id}", {"Galaxy": {"default": False, "custom": True}}).json()
    check("exported", {c["GalaxyCluster"]["uuid"] for c in exported} == {made.uuid, fork.uuid})
    copy = json.loads(json.dumps(next(c for c in exported if c["GalaxyCluster"]["uuid"] == fork.uuid)))
    copy["GalaxyCluster"].update(uuid=str(uuid.uuid4()), value="From a file")
    check("imported", "1 imported" in raw("beta", "POST", "/galaxies/import", [copy]).json()["message"])
    check("as the importer's", beta.get_galaxy_cluster(copy["GalaxyCluster"]["uuid"], pythonify=True).Orgc.name == "CERT Beta")

    # Taken away
    check("deleted", alpha.delete_galaxy_cluster(fork)["success"] and alpha.get_galaxy_cluster(fork, pythonify=True).deleted)
    check("not listed", fork.uuid not in {c["GalaxyCluster"]["uuid"] for c in alpha.search_galaxy_clusters(actors, context="custom")})
    check("but among the deleted", [c.uuid for c in alpha.search_galaxy_clusters(actors, context="deleted", pythonify=True)] == [fork.uuid])
    check("nor on what has its tag", fork.uuid not in json.dumps(alpha.get_event(home.id)["Event"]["Attribute"][0]["Galaxy"]))
    check("restored", raw("alpha", "POST", f"/galaxy_clusters/restore/{fork.uuid}").json()["success"] and not alpha.get_galaxy_cluster(fork, pythonify=True).deleted)
    check("for good", alpha.delete_galaxy_cluster(fork, hard=True)["success"] and errors(alpha.get_galaxy_cluster(fork)))
    blocked = raw("admin", "GET", "/galaxy_cluster_blocklists/index").json()
    check("it is kept out", [b["cluster_uuid"] for b in blocked] == [fork.uuid] and raw("alpha", "GET", "/galaxy_cluster_blocklists/index").status_code == 403)
    check("what is left says so", alpha.delete_galaxy_cluster(changed)["success"] and errors(alpha.delete_galaxy_cluster(str(uuid.uuid4()))))


def clusters_pushed():
    """What another server brings, as recorded."""
    push = lambda *items, who="sync": raw(who, "POST", "/galaxies/pushCluster", list(items))
    with gzip.open(root / "fixtures/misp-wire/sync.jsonl.gz") as lines:
        pairs = {pair["file"][:3]: pair for pair in map(json.loads, lines)}
    brought = pairs["007"]["request"]["body"][0]
    cluster = brought["GalaxyCluster"]
    check("needs a synchronising key", push(brought, who="alpha").status_code == 403)
    check("taken", push(brought).json()["message"].startswith("Galaxy clusters imported. 1 imported, 0 ignored, 0 failed."))
    held = sync.get_galaxy_cluster(cluster["uuid"], pythonify=True)
    check("its author and clock stay", held.Orgc.name == "ORGA" and held.Org.name == "CERT Beta" and held.version == cluster["version"] and held.locked and held.published)
    check("with its elements", held.elements_meta == {"synonyms": ["CA"]} and held.Galaxy.name == "Threat Actor")
    check("its members can't change it", errors(beta.update_galaxy_cluster(held)))
    check("the same again is ignored", "0 imported, 1 ignored" in push(brought).json()["message"])
    newer = json.loads(json.dumps(brought))
    newer["GalaxyCluster"].update(version=str(int(cluster["version"]) + 5), value="Renamed", GalaxyClusterRelation=[{"referenced_galaxy_cluster_uuid": str(uuid.uuid4()), "referenced_galaxy_cluster_type": "uses", "distribution": "3"}])
    check("a newer one", "1 imported" in push(newer).json()["message"] and sync.get_galaxy_cluster(cluster["uuid"], pythonify=True).value == "Renamed")
    check("with its relations", len(sync.get_galaxy_cluster(cluster["uuid"], pythonify=True).cluster_relations) == 1)
    check("an older one is ignored", "1 ignored" in push(brought).json()["message"] and sync.get_galaxy_cluster(cluster["uuid"], pythonify=True).value == "Renamed")
    ours = beta.add_galaxy_cluster(galaxy_of(beta, "threat-actor"), new_cluster("Ours to change"), pythonify=True)
    theirs = {"GalaxyCluster": {**cluster, "uuid": ours.uuid, "version": "1999999999"}}
    refused, there = push(theirs), pairs["007"]["response"]
    check("what was made here is not changed from outside", refused.status_code == there["status"] and refused.json() == {**there["body"], "url": "/galaxies/pushCluster"} and beta.get_galaxy_cluster(ours.uuid, pythonify=True).value == "Ours to change")
    known = beta.search_galaxy_clusters(galaxy_of(beta, "sector"), pythonify=True)[0]
    check("nor knowledge", push({"GalaxyCluster": {**cluster, "uuid": known.uuid}}).status_code == 403 and beta.get_galaxy_cluster(known.uuid, pythonify=True).default)
    mixed = push({"GalaxyCluster": {"uuid": "no"}}, {"GalaxyCluster": {**cluster, "uuid": str(uuid.uuid4())}})
    check("the good of several", mixed.status_code == 200 and "1 imported, 0 ignored, 1 failed" in mixed.json()["message"])
    unknown = {"uuid": str(uuid.uuid4()), "type": "plays", "name": "Plays", "description": "of theirs", "namespace": "theirs", "version": "1", "icon": "theater"}
    far = {**cluster, "uuid": str(uuid.uuid4()), "type": "plays", "value": "First act", "Galaxy": unknown, "distribution": "0"}
    check("with a galaxy that was not here", "1 imported" in push({"GalaxyCluster": far}).json()["message"] and beta.get_galaxy_cluster(far["uuid"], pythonify=True).Galaxy.name == "Plays")
    check("which is listed then", beta.get_galaxy(unknown["uuid"], withCluster=True, pythonify=True).clusters[0].value == "First act")
    check("for those who see its clusters", errors(gamma.get_galaxy(unknown["uuid"])) and "Plays" not in json.dumps(gamma.galaxies()))


def policy_of_clusters():
    """A cluster of one organisation: the others neither find nor count it, though its tag is on what they see."""
    actors = galaxy_of(alpha, "threat-actor")
    before = len(beta.search_galaxy_clusters(actors))
    secret = alpha.add_galaxy_cluster(actors, new_cluster("Quiet Dune", 0), pythonify=True)
    alpha.publish_galaxy_cluster(secret)
    shared = event("Quiet", 1, ("domain", "quiet.dune.example"))
    shared.add_tag(secret.tag_name)
    shared.attributes[0].add_tag(secret.tag_name)
    shared = alpha.add_event(shared, pythonify=True)
    check("its holder sees it", shared.galaxies[0].clusters[0].value == "Quiet Dune" and shared.attributes[0].galaxies[0].clusters[0].value == "Quiet Dune")
    open_one = alpha.add_galaxy_cluster(actors, new_cluster("Loud Dune", 1), pythonify=True)
    link = MISPGalaxyClusterRelation()
    link.from_dict(galaxy_cluster_uuid=secret.uuid, referenced_galaxy_cluster_uuid=open_one.uuid, referenced_galaxy_cluster_type="part-of", distribution=1)
    check("related", not errors(alpha.add_galaxy_cluster_relation(link)))
    alpha.publish_galaxy_cluster(secret)
    for who, name in ((beta, "beta"), (gamma, "gamma"), (sync, "sync")):
        seen = raw(name, "GET", f"/events/view/{shared.uuid}").json()["Event"]
        check(f"{name}: sees the tag", secret.tag_name in [t["name"] for t in seen["Tag"]])
        check(f"{name}: not the cluster", seen["Galaxy"] == [] and seen["Attribute"][0]["Galaxy"] == [])
        check(f"{name}: not by search", "Quiet Dune" not in raw(name, "POST", "/events/restSearch", {"eventid": shared.id}).text + raw(name, "POST", "/attributes/restSearch", {"eventid": shared.id, "returnFormat": "context"}).text + raw(name, "POST", "/attributes/restSearch", {"eventid": shared.id}).text)
        check(f"{name}: not by number, identifier or tag", errors(who.get_galaxy_cluster(secret.id)) and errors(who.get_galaxy_cluster(secret.uuid)) and raw(name, "POST", "/galaxy_clusters/restSearch", {"tag_name": secret.tag_name}).json()["response"] == [])
        check(f"{name}: not in lists", len(who.search_galaxy_clusters(actors)) == before + 1 and "Quiet Dune" not in json.dumps(who.get_galaxy(actors.id, withCluster=True)))
        counted = raw(name, "POST", "/galaxy_clusters/restSearch", {"uuid": [secret.uuid], "minimal": 1})
        check(f"{name}: not counted", counted.json()["response"] == [] and counted.headers["x-result-count"] == "0")
        check(f"{name}: not in a server's question", secret.uuid not in raw(name, "POST", "/galaxy_clusters/restSearch", {"published": 1, "minimal": 1, "custom": 1}).text)
        check(f"{name}: not from the other side", raw(name, "GET", f"/galaxy_clusters/view/{open_one.uuid}").json()["GalaxyCluster"]["RelationshipInbound"] == [])
        check(f"{name}: not attached", errors(who.attach_galaxy_cluster(shared, secret)))
        check(f"{name}: not forked", raw(name, "POST", f"/galaxy_clusters/add/{actors.id}/forkUUID:{secret.uuid}", {"value": "x"}).status_code == 404)
        check(f"{name}: not exported", "Quiet Dune" not in raw(name, "POST", f"/galaxies/export/{actors.id}", {}).text)
    check("its holder finds it from the other side", raw("alpha", "GET", f"/galaxy_clusters/view/{open_one.uuid}").json()["GalaxyCluster"]["RelationshipInbound"][0]["SourceCluster"]["value"] == "Quiet Dune")
    group = MISPSharingGroup()
    group.name, group.releasability = "Alpha and Gamma", "us two"
    group = alpha.add_sharing_group(group, pythonify=True)
    gammas = next(o for o in admin.organisations(pythonify=True) if o.name == "CERT Gamma")
    alpha.add_org_to_sharing_group(group, gammas)
    between = alpha.add_galaxy_cluster(actors, new_cluster("Between Us", 4, sharing_group_id=group.id), pythonify=True)
    check("a group's", int(between.sharing_group_id) == int(group.id) and gamma.get_galaxy_cluster(between.uuid, pythonify=True).value == "Between Us" and errors(beta.get_galaxy_cluster(between.uuid)))
    taken = {**raw("alpha", "GET", f"/galaxy_clusters/view/{secret.uuid}").json()["GalaxyCluster"], "value": "Their own copy", "distribution": "0", "version": "1000"}
    check("another may hold his own of the same identifier", "1 imported" in raw("sync", "POST", "/galaxies/pushCluster", [{"GalaxyCluster": taken}]).json()["message"])
    check("and learns nothing of ours", beta.get_galaxy_cluster(secret.uuid, pythonify=True).value == "Their own copy" and alpha.get_galaxy_cluster(secret.uuid, pythonify=True).value == "Quiet Dune")


def notes_pushed():
    """What a server brings changes no note that was written here, and none that is as new."""
    about = beta.add_event(event("Noted", 1, ("domain", "noted.example")), pythonify=True)
    ours = raw("beta", "POST", f"/analyst_data/add/Note/{about.uuid}/Event", {"note": "ours", "distribution": "0"}).json()["Note"]
    author, theirs = str(uuid.uuid4()), str(uuid.uuid4())

    def push(which, text, modified):
        return raw("sync", "POST", "/analyst_data/pushAnalystData", [{"Note": {"uuid": which, "object_uuid": about.uuid, "object_type": "Event", "note": text, "distribution": "3", "modified": modified, "orgc_uuid": author}}]).json()["message"]

    held = lambda which: raw("beta", "GET", f"/analyst_data/view/Note/{which}").json()["Note"]
    said = push(ours["uuid"], "theirs", "2031-01-01 00:00:00")
    check(f"a note that was written here stays: {said}", "1 failed" in said and (held(ours["uuid"])["note"], held(ours["uuid"])["distribution"], held(ours["uuid"])["locked"]) == ("ours", "0", False))
    check("and its author may change it", raw("beta", "POST", f"/analyst_data/edit/Note/{ours['uuid']}", {"note": "ours still"}).status_code == 200)
    check("a new one is taken", "1 imported" in push(theirs, "first", "2026-05-05 00:00:00"))
    check("an older one is not", "1 ignored" in push(theirs, "old", "2020-01-01 00:00:00") and held(theirs)["note"] == "first")
    check("nor the same", "1 ignored" in push(theirs, "same", "2026-05-05 00:00:00"))
    check("a newer one is", "1 imported" in push(theirs, "second", "2026-05-06 00:00:00") and held(theirs)["note"] == "second")


def many_of_them():
    """Thousands of relations or tags in one change are all there, each as it was."""
    galaxy = raw("alpha", "GET", "/galaxies/index").json()[0]["Galaxy"]["id"]
    relations = [{"referenced_galaxy_cluster_uuid": str(uuid.uuid4()), "referenced_galaxy_cluster_type": "similar-to"} for _ in range(1500)]
    made = raw("alpha", "POST", f"/galaxy_clusters/add/{galaxy}", {"GalaxyCluster": {"value": "Many relations", "description": "d", "distribution": "0", "GalaxyClusterRelation": relations}}).json()["GalaxyCluster"]
    again = raw("alpha", "POST", f"/galaxy_clusters/edit/{made['id']}", {"GalaxyCluster": {"GalaxyClusterRelation": relations}}).json()["GalaxyCluster"]
    check("the same relations again", len(again["GalaxyClusterRelation"]) == 1500)
    check("they keep their numbers", [one["id"] for one in again["GalaxyClusterRelation"]] == [one["id"] for one in made["GalaxyClusterRelation"]])
    tagged = raw("alpha", "POST", "/events/add/metadata:1", {"Event": {"info": "Many tags", "distribution": "0", "Tag": [{"name": f"many:{n}"} for n in range(15_000)]}}).json()["Event"]["uuid"]
    check("fifteen thousand tags", len(raw("alpha", "GET", f"/events/view/{tagged}").json()["Event"]["Tag"]) == 15_000)
