"""Organisations, accounts, roles, sharing groups, registrations, delegations, figures."""

from .node import *  # noqa: F403 - the callers, and the few words that all of these tests are made of


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
    user.email, user.org_id, user.role_id = "new@delta.example", made.id, 3
    added = admin.add_user(user, pythonify=True)
    check("an account", added.email == "new@delta.example" and len(added.authkey) > 30)
    check("its key works", PyMISP(url, added.authkey, ssl=False).get_user(pythonify=True).org_id == made.id)
    check("the address again", errors(admin.add_user(user)))
    added.role_id = 6
    check("another role", int(admin.update_user(added, pythonify=True).role_id) == 6)
    check("roles by MISP's numbers", [(int(r.id), r.name, bool(r.perm_site_admin), bool(r.perm_sync), bool(r.perm_add)) for r in admin.roles(pythonify=True)[:6]] == [(1, "admin", True, True, True), (2, "Org Admin", False, False, True), (3, "User", False, False, True), (4, "Publisher", False, False, True), (5, "Sync user", False, True, True), (6, "Read Only", False, False, False)])
    check("all accounts", len(admin.users(pythonify=True)) == 8)
    check("a manager's own", {u.email.split("@")[1] for u in manager.users(pythonify=True)} == {"alpha.example"})
    check("a user lists none", errors(alpha.users()))
    check("nor sees another", errors(alpha.get_user(added.id)))
    lifted = MISPUser()
    lifted.email, lifted.role_id = "lifted@alpha.example", 1
    check("nobody gives more than he has", errors(manager.add_user(lifted)))
    key = alpha.get_new_authkey("me")
    check("a new key", PyMISP(url, key if isinstance(key, str) else key["AuthKey"]["authkey_raw"], ssl=False).get_user(pythonify=True).email == "user@alpha.example")
    check("a password", alpha.change_user_password("correct horse battery staple")["saved"])
    check("a short one is refused", errors(alpha.change_user_password("short")))
    check("taken away", admin.delete_user(added)["saved"] and errors(admin.get_user(added.id)))
    check("the organisation too", admin.delete_organisation(made)["saved"])
    check("not one that holds something", errors(admin.delete_organisation(alpha.get_user("me", pythonify=True).org_id)))
    roles = alpha.roles(pythonify=True)
    check("roles", len(roles) == 6 and errors(admin.update_role(roles[0])) and errors(admin.delete_role(1)))
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
    check("gives none with more", errors(account_with(made.id, "more@alpha.example", halved)) and errors(account_with(1, "more@alpha.example", halved)) and errors(account_with(None, "more@alpha.example", halved)))
    boss = admin.get_user("me", pythonify=True)
    check("makes no key for who has more", refused("half", f"/auth_keys/add/{boss.id}", {}) and refused("manager", f"/auth_keys/add/{boss.id}", {}))
    check("nor sets his password", refused("manager", f"/admin/users/edit/{boss.id}", {"password": "correct horse battery staple"}) and refused("manager", f"/admin/users/delete/{boss.id}"))
    check("a manager lets servers in", not errors(account_with(5, "server@alpha.example", manager)))
    check("the default", admin.set_default_role(made)["saved"] and next(r for r in alpha.roles(pythonify=True) if r.default_role).name == "Contributor")
    check("is given where none is named", int(account_with(None, "default@alpha.example").role_id) == int(made.id))
    check("and never taken away", errors(admin.delete_role(made)))
    check("back", admin.set_default_role(2)["saved"])
    for email in ("contributor@alpha.example", "half@alpha.example", "server@alpha.example", "default@alpha.example"):
        admin.delete_user(next(u for u in admin.users(pythonify=True) if u.email == email))
    check("taken away", not errors(admin.delete_role(made)) and not errors(admin.delete_role(site)) and not errors(admin.delete_role(next(r for r in admin.roles(pythonify=True) if r.name == "Less"))))
    check("the fixed ones are left", len(admin.roles()) == 6)
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
    alpha.add_org_to_sharing_group(made, beta_org)
    check("shared once more", not errors(beta.get_event(stored.uuid)))
    check("taken away while in use, it is its holder's alone", alpha.delete_sharing_group(made)["saved"] and errors(beta.get_event(stored.uuid)) and not errors(alpha.get_event(stored.uuid)))
    forged = {"Event": {"info": "again", "distribution": "4", "SharingGroup": {"uuid": made.uuid, "name": "Ours", "SharingGroupOrg": [{"Organisation": {"uuid": raw("beta", "GET", "/users/view/me").json()["Organisation"]["uuid"], "name": "CERT Beta"}}]}}}
    raw("sync", "POST", "/events/add", forged)
    check("and nobody makes it anew from elsewhere", errors(beta.get_event(stored.uuid)) and errors(alpha.add_sharing_group({"name": "Back", "uuid": made.uuid})))
    empty = MISPSharingGroup()
    empty.name = "Nobody's"
    empty = alpha.add_sharing_group(empty, pythonify=True)
    check("taken away", alpha.delete_sharing_group(empty)["saved"] and not alpha.sharing_group_exists(empty))


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
    check("what is not counted is there, and says so", {"correlation_count": None, "proposal_count": None}.items() <= alpha.users_statistics()["stats"].items())
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


def narrow_keys():
    """A key that is for reading opens no more than reading, whatever way round."""
    made = raw("admin", "POST", "/admin/users/add", {"User": {"email": "narrow@gamma.example", "org_id": gamma.get_user("me")["Organisation"]["id"], "role_id": 4}}).json()["User"]
    keys["whole"] = made["authkey"]
    keys["narrow"] = raw("whole", "POST", "/auth_keys/add", {"AuthKey": {"read_only": True}}).json()["AuthKey"]["authkey_raw"]
    new = {"User": {"password": "Nobody-knows-this-0ne"}}
    check("a narrow key sets no password", refused("narrow", "/users/change_pw", new) and refused("narrow", "/users/edit", new) and refused("narrow", f"/users/edit/{made['id']}", new))
    check("the whole one does", raw("whole", "POST", "/users/change_pw", new).status_code == 200 and raw("whole", "POST", "/users/edit", new).status_code == 200)
    check("and a reader's, which is whole", raw("reader", "POST", "/users/change_pw", new).status_code == 200)


def groups_unheard_of():
    """A group that is not here yet is nobody's to name: who makes it afterwards would read what it was named for."""
    unheard = {"uuid": str(uuid.uuid4()), "name": "Elsewhere"}
    for who in ("alpha", "admin"):
        answer = raw(who, "POST", "/events/add", {"Event": {"info": "For a group", "distribution": "4", "SharingGroup": unheard}})
        squat = raw("beta", "POST", "/sharing_groups/add", {"name": "mine", "uuid": unheard["uuid"]})
        seen = answer.status_code == 200 and raw("beta", "GET", f"/events/view/{answer.json()['Event']['uuid']}").status_code == 200
        check(f"{who}: what is for a group that is not here is not for whoever makes it", not seen)
        if squat.status_code == 200:
            raw("beta", "POST", f"/sharing_groups/delete/{squat.json()['SharingGroup']['id']}")
        unheard["uuid"] = str(uuid.uuid4())
