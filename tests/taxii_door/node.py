"""A node with two organisations, three callers and its collections, and what every area of these tests uses."""

import atexit
import base64
import http.client
import itertools
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.parse
import uuid

manara = str(pathlib.Path(sys.argv[1]).resolve())
passed, failed = 0, []
TAXII = "application/taxii+json;version=2.1"
RED = "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"
AMBER = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"
GREEN = "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"
# TAXII 2.1 §2: microseconds, UTC, "Z".
TIMESTAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
FIRST, LAST = "x-taxii-date-added-first", "x-taxii-date-added-last"


def check(what, good):
    global passed
    if good:
        passed += 1
    else:
        frame = traceback.extract_stack()[-2]
        failed.append(f"{what} ({pathlib.Path(frame.filename).name}:{frame.lineno}, {frame.name})")


def area(work):
    """One requirement: what throws is a failure of it, and the others go on."""
    try:
        work()
    except Exception:  # noqa: BLE001 - whatever it was, it is told
        failed.append(f"{work.__name__}: {traceback.format_exc(limit=-4)}")


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode in (0, 3), f"{command}: {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done.stdout


folder = tempfile.TemporaryDirectory()
where = ["--data", str(pathlib.Path(folder.name) / "node")]
# On a server, when there is one: see scripts/postgres.sh.
database = os.environ.get("MANARA_TEST_POSTGRES")
if database:
    subprocess.run(["psql", database, "-qc", "CREATE DATABASE taxii_door"], check=True)
    where += ["--database", f"{database.rsplit('/', 1)[0]}/taxii_door"]
run(manara, "init", *where, "--org", "CERT Alpha", "--country", "MY", "--admin", "admin@alpha.example", "--json")
run(manara, "org", "add", *where, "--name", "CERT Beta", "--country", "TR")


class Caller:
    def __init__(self, org, email, role="user"):
        made = json.loads(run(manara, "user", "add", *where, "--org", org, "--email", email, "--role", role, "--json"))
        self.email, self.password, self.key = email, made["password"], made["api_key"]
        self.headers = {"authorization": basic(email, self.password)}


def basic(name, word):
    return "Basic " + base64.b64encode(f"{name}:{word}".encode()).decode()


alpha, colleague, beta = Caller("CERT Alpha", "user@alpha.example"), Caller("CERT Alpha", "colleague@alpha.example"), Caller("CERT Beta", "user@beta.example")
nobody = None


def box(title, read="all", write="all", **more):
    """A new collection; the path under which its resources stand."""
    options = [part for name, value in more.items() for part in (f"--{name}", value)]
    made = json.loads(run(manara, "collection", "add", *where, "--title", title, "--kind", "box", "--can-read", read, "--can-write", write, "--json", *options))
    return f"{made['api_root']}collections/{made['id']}/"


class Server:
    """The running node; it can be killed, and stands at the same port afterwards."""

    # What it says stands in a file: a failing test shows where (MANARA_TEST_LOG).
    log = open(os.environ.get("MANARA_TEST_LOG", os.devnull), "a")

    def start(self, at="127.0.0.1:0"):
        self.process = subprocess.Popen([manara, "serve", *where, "--listen", at, "--log", "error"], stdout=subprocess.PIPE, stderr=self.log, text=True)
        url = next(line.split()[-1] for line in self.process.stdout if line.startswith("listening on"))
        self.url, self.at = url, urllib.parse.urlsplit(url).netloc
        return self

    def kill_and_start(self):
        self.process.kill()
        self.process.wait(20)
        self.start(self.at)

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


server = Server().start()
atexit.register(server.stop)


class Answer:
    def __init__(self, response):
        self.status, self.body = response.status, response.read()
        self.headers = {name.lower(): value for name, value in response.getheaders()}

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def ids(self):
        return [one["id"] for one in self.json.get("objects", [])]


def ask(who, method, path, body=None, connection=None, **headers):
    """One request, as it is given here: nothing is added but who calls, Accept and Content-Type.
    A header that is None is not sent; `content_type` is `Content-Type`."""
    given = {"accept": TAXII, **(who.headers if who else {})}
    if body is not None:
        given["content-type"] = TAXII
        body = body if isinstance(body, (bytes, str)) else json.dumps(body)
        body = body.encode() if isinstance(body, str) else body
    given.update({name.replace("_", "-"): value for name, value in headers.items()})
    connection = connection or http.client.HTTPConnection(server.at, timeout=60)
    connection.putrequest(method, path, skip_accept_encoding=True)
    for name, value in given.items():
        if value is not None:
            connection.putheader(name, value)
    if body is not None:
        connection.putheader("content-length", str(len(body)))
    connection.endheaders(body)
    return Answer(connection.getresponse())


def get(who, path, query="", **headers):
    return ask(who, "GET", path + (f"?{query}" if query else ""), **headers)


def pages(who, path, query="", limit=7):
    """All pages, by `next`."""
    more, found = "", []
    while True:
        page = get(who, path, "&".join(filter(None, [query, f"limit={limit}", more])))
        assert page.status == 200, (page.status, page.body[:300])
        found.append(page)
        if not page.json.get("more"):
            return found
        more = f"next={urllib.parse.quote(page.json['next'])}"


def post(who, path, *objects, **headers):
    """Objects as dictionaries, or as the text that is to be sent."""
    texts = [one if isinstance(one, str) else json.dumps(one) for one in objects]
    return ask(who, "POST", f"{path}objects/", '{"objects":[' + ",".join(texts) + "]}", **headers)


def put(who, path, *objects):
    """The same; it is expected to work."""
    answer = post(who, path, *objects)
    assert answer.status == 202 and answer.json["failure_count"] == 0, (answer.status, answer.body[:500])
    return answer.json


numbers = itertools.count(1)


def thing(kind="indicator", modified="2024-01-01T00:00:00.000Z", **more):
    """A STIX 2.1 object of its own identifier."""
    made = {"type": kind, "spec_version": "2.1", "id": f"{kind}--{uuid.uuid4()}", "created": "2020-01-01T00:00:00.000Z", "modified": modified}
    if kind == "indicator":
        made.update(pattern=f"[domain-name:value = 'host{next(numbers)}.example']", pattern_type="stix", valid_from="2020-01-01T00:00:00Z")
    return {**made, **more}


def observable(**more):
    """An object that has no version (STIX 2.1 §2.9)."""
    return {"type": "url", "spec_version": "2.1", "id": f"url--{uuid.uuid4()}", "value": f"http://host{next(numbers)}.example/", **more}


def relationship(source, target, **more):
    return thing("relationship", relationship_type="indicates", source_ref=source["id"], target_ref=target["id"], **more)


def is_error(answer, status):
    """An error resource (§3.6.1) of this status, in TAXII's media type."""
    if answer.status != status or answer.headers.get("content-type") != TAXII:
        return False
    told = answer.json
    texts = all(isinstance(told.get(name), str) and told[name] for name in ("title", "description", "http_status"))
    return texts and told["http_status"] == str(status)


def is_uuid4(text):
    return str(uuid.UUID(text)) == text and uuid.UUID(text).version == 4


def wait(what, seconds=60):
    """Until it is so."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = what()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")
