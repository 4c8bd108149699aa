"""A node with three organisations, its callers, and what every area of these tests uses."""

import base64
import contextlib
import gzip
import hashlib
import http.server
import io
import json
import logging
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import uuid
import zipfile

import requests
from pymisp import (
    MISPAttribute, MISPCorrelationExclusion, MISPEvent, MISPEventReport, MISPFeed, MISPGalaxyCluster,
    MISPGalaxyClusterRelation, MISPNote, MISPObject, MISPOpinion, MISPOrganisation, MISPRelationship, MISPRole, MISPServer,
    MISPSharingGroup, MISPSighting, MISPTag, MISPUser, PyMISP,
)

logging.getLogger("pymisp").setLevel(logging.CRITICAL)
manara = str(pathlib.Path(sys.argv[1]).resolve())
root = pathlib.Path(__file__).resolve().parent.parent.parent
passed, failed = 0, []


def check(what, good):
    global passed
    if good:
        passed += 1
    else:
        frame = traceback.extract_stack()[-2]
        failed.append(f"{what} ({pathlib.Path(frame.filename).name}:{frame.lineno})")


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
# Feeds are served from this machine, which a node fetches nothing from unless it is told to.
local_feeds = pathlib.Path(folder.name) / "feeds"
local_feeds.mkdir()
server = subprocess.Popen([manara, "serve", *where, "--listen", "127.0.0.1:0", "--fetch-private", "--feed-dir", str(local_feeds)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
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


def refused(who, path, body=None):
    return raw(who, "POST", path, body).status_code == 403


made_node = made["node"]
