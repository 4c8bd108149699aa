"""What the standard takes for granted: objects come back as they were sent, nothing is lost or told twice while
others write, and a crash changes nothing."""

import concurrent.futures
import gzip
import http.client
import json
import random
import re
import shutil
import socket
import subprocess
import threading
import time
import uuid

from taxii_door import node
from taxii_door.core import held, root, shelf
from taxii_door.node import (
    FIRST, LAST, TAXII, alpha, ask, beta, box, check, colleague, get, is_error, observable, pages, post, put, server, thing, wait,
)


def text_of(body):
    """The objects of an envelope as they stand in it."""
    found = re.match(rb'^\{"more":(?:true|false)(?:,"next":"[^"]*")?,"objects":\[(.*)\]\}$', body, re.S)
    return found.group(1).decode() if found else None


def objects_come_back_as_they_were_sent():
    """Numbers, order, escapes, blanks, what nobody knows: to the byte."""
    exact = box("Exact")
    ids = [f"x-own--{uuid.uuid4()}" for _ in range(12)]
    texts = [
        f'{{"type":"x-own","id":"{ids[0]}","a":1.0,"b":1e3,"c":1E+2,"d":-0,"e":0.10,"f":12345678901234567890123,"g":1.000000000000000000001}}',
        f'{{ "id" : "{ids[1]}" , "zeta" : 1 , "alpha" : 2,\n\t"type" : "x-own" , "list":[ ] , "empty":{{}} }}',
        f'{{"type":"x-own","id":"{ids[2]}","s":"\\u00e9\\/\\b\\u0000\\ud83d\\ude00é😀\\n\\"","\\u006bey":"\\u0041"}}',
        f'{{"type":"x-own","id":"{ids[3]}","revoked":false,"confidence":null,"labels":["ä","ö"],"extensions":{{"x":{{"y":[1,[2,[3]]]}}}}}}',
        f'{{"type":"x-own","spec_version":"2.1","id":"{ids[4]}","created":"2020-01-01T00:00:00.1Z","modified":"2020-01-01T00:00:00.123456789Z"}}',
        f'{{"type":"malware","id":"malware--{uuid.uuid4()}","created":"2017-01-01T00:00:00.000Z","modified":"2017-01-01T00:00:00Z","name":"STIX 2.0","labels":["worm"]}}',
        f'{{"type":"ipv6-addr","id":"ipv6-addr--{uuid.uuid5(uuid.NAMESPACE_URL, "a")}","value":"2001:0DB8::1"}}',
        json.dumps({"type": "x-own", "id": ids[5], "long": "ü" * 20000, "many": list(range(5000))}, ensure_ascii=False),
        f'{{"type":"x-own","id":"{ids[6]}","deep":' + "[" * 80 + "]" * 80 + "}",
        f'{{"type":"x-own","id":"{ids[7]}","":"","a b":1,"A":2,"a":3}}',
    ]
    status = post(alpha, exact, *texts)
    check(f"taken: {status.body[:600]}", status.status == 202 and status.json["success_count"] == len(texts))
    check("to the byte", text_of(get(alpha, f"{exact}objects/").body) == ",".join(texts))
    check("and so for another organisation", text_of(get(beta, f"{exact}objects/").body) == ",".join(texts))
    check("by id", text_of(get(alpha, f"{exact}objects/{ids[0]}/").body) == texts[0])


def what_no_two_readers_understand_alike_is_a_failure_of_its_object_alone():
    """I-JSON (RFC 7493): members twice, surrogates alone, numbers beyond any; and depth without end."""
    odd = box("Odd")
    good = thing()
    own = lambda rest: f'{{"type":"x-own","id":"x-own--{uuid.uuid4()}",{rest}}}'  # noqa: E731
    bad = [own('"a":1,"a":2'), own('"s":"\\ud800"'), own('"n":1e999'), own('"deep":' + "[" * 5000 + "]" * 5000), own('"deep":' + '{"a":' * 5000 + "1" + "}" * 5000)]
    status = post(alpha, odd, *bad, good)
    check(f"{status.body[:300]}", status.status == 202 and (status.json["success_count"], status.json["failure_count"]) == (1, len(bad)))
    check("each says why", all(one["message"] for one in status.json["failures"]))
    check("the good one is there", get(alpha, f"{odd}objects/").json["objects"] == [good])
    check("the node is well", get(alpha, "/taxii2/").status == 200)


def every_version_is_kept_whatever_the_order():
    rows = random.Random(7)
    kept = box("Kept")
    one = thing("tool", name="t")
    versions = [{**one, "modified": f"2024-03-{n + 1:02}T00:00:00.000Z", "name": f"v{n}"} for n in range(20)]
    order = versions[:]
    rows.shuffle(order)
    while order:
        some = [order.pop() for _ in range(min(len(order), rows.randint(1, 4)))]
        put(alpha, kept, *some)
        there = [one for one in get(alpha, f"{kept}objects/", "match[version]=all").json["objects"]]
        for word, best in (("first", min), ("last", max)):
            check(word, get(alpha, f"{kept}objects/", f"match[version]={word}").json["objects"] == [best(there, key=lambda one: one["modified"])])
    check("all of them", sorted(one["modified"] for one in there) == [one["modified"] for one in versions])
    rows.shuffle(there)
    for gone in there[:-1]:
        path = f"{kept}objects/{gone['id']}/"
        check("taken out", ask(alpha, "DELETE", f"{path}?match[version]={gone['modified']}").status == 200)
        left = [v for v in there if v["modified"] in get(alpha, f"{path}versions/").json["versions"]]
        for word, best in (("first", min), ("last", max)):
            check(f"{word} of the rest", get(alpha, path, f"match[version]={word}").json["objects"] == [best(left, key=lambda v: v["modified"])])


def the_first_of_one_identity_stays():
    """The same id and version with another content is no new version; what is there stays."""
    first = box("First")
    one = thing(name="first")
    put(alpha, first, one)
    status = post(alpha, first, {**one, "name": "second"})
    check("said", status.json["success_count"] == 1 and "there already" in status.json["successes"][0]["message"])
    check("it stays", get(alpha, f"{first}objects/", "match[version]=all").json["objects"] == [one])


def bodies_come_packed():
    """RFC 9110 §8.4."""
    packed = box("Packed")
    tools = {"gzip": gzip.compress, "x-gzip": gzip.compress}
    for name in ("zstd", "brotli"):
        if shutil.which(name):
            tools["br" if name == "brotli" else name] = lambda body, name=name: subprocess.run([name, "-c"], input=body, capture_output=True).stdout
    sent = []
    for encoding, pack in tools.items():
        one = thing(name=encoding * 500)
        body = json.dumps({"objects": [one]}).encode()
        answer = ask(alpha, "POST", f"{packed}objects/", pack(body), content_encoding=encoding)
        check(f"{encoding}: {answer.body[:200]}", answer.status == 202)
        sent.append(one)
        check(f"{encoding}, cut off", is_error(ask(alpha, "POST", f"{packed}objects/", pack(body)[:-20], content_encoding=encoding), 400))
        check(f"{encoding}, none", is_error(ask(alpha, "POST", f"{packed}objects/", body, content_encoding=encoding), 400))
    check("they are there", get(alpha, f"{packed}objects/").json["objects"] == sent)
    check("another encoding", is_error(ask(alpha, "POST", f"{packed}objects/", b"{}", content_encoding="lzw"), 415))
    bomb = gzip.compress(b" " * (200 << 20))
    check("small when packed, large when not: 413", is_error(ask(alpha, "POST", f"{packed}objects/", bomb, content_encoding="gzip"), 413))


def raw(text):
    """What comes back for these bytes, until the line is closed or idle."""
    host, port = server.at.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.sendall(text)
        line.settimeout(1)
        got = b""
        try:
            while part := line.recv(65536):
                got += part
        except TimeoutError:
            pass
        return got


def http_as_it_comes():
    """RFC 9112: pieces, an expectation, several on one line; and what is none."""
    line = f"POST {shelf}objects/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {alpha.key}\r\nAccept: {TAXII}\r\nContent-Type: {TAXII}\r\n"
    body = json.dumps({"objects": [held[0]]}).encode()
    half = len(body) // 2
    pieces = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:half], body[half:])) + b"0\r\n\r\n"
    check("in pieces", b"HTTP/1.1 202" in raw(line.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + pieces))
    check("an expectation", b"HTTP/1.1 100" in raw(f"{line}Expect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n".encode()))
    several = f"GET /taxii2/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {alpha.key}\r\nAccept: {TAXII}\r\n\r\n".encode() * 3
    check("three on one line", raw(several).count(b"HTTP/1.1 200") == 3)
    check("none", raw(b"\x16\x03\x01\x02\x00\x01\x00")[:12] in (b"", b"HTTP/1.1 400"))
    check("a line that goes on and on", b"HTTP/1.1 4" in raw(b"GET /taxii2/" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n")[:12])
    check("the node is well", get(alpha, "/taxii2/").status == 200)


def http_2():
    """RFC 9113 §3.3: with prior knowledge, where curl speaks it."""
    version = subprocess.run(["curl", "--version"], capture_output=True, text=True).stdout
    if "HTTP2" not in version:
        return
    done = subprocess.run(
        ["curl", "-s", "--http2-prior-knowledge", "-w", "\n%{http_version} %{http_code}", "-H", f"Accept: {TAXII}", "-u", f"{alpha.email}:{alpha.password}", f"{server.url}{shelf}objects/?limit=3"],
        capture_output=True, text=True, timeout=30,
    )
    body, _, told = done.stdout.rpartition("\n")
    check(f"{told} {done.stderr}", told == "2 200" and len(json.loads(body)["objects"]) == 3)


def pages_while_others_write():
    """Threads that add, with versions that come late, while others page: each object once, in order, none lost."""
    busy = box("Busy")
    until, written, lock = time.monotonic() + 4, [], threading.Lock()

    def write(number):
        line, mine = http.client.HTTPConnection(server.at, timeout=60), []
        who = (alpha, beta, colleague)[number % 3]
        while time.monotonic() < until:
            fresh = [thing(name=f"{number}") for _ in range(random.randint(1, 30))]
            older = [{**random.choice(mine), "modified": f"20{random.randint(10, 40)}-01-01T00:00:00.000Z"}] if mine else []
            body = json.dumps({"objects": fresh + older})
            answer = ask(who, "POST", f"{busy}objects/", body, connection=line)
            assert answer.status == 202, answer.body
            mine += fresh
        with lock:
            written.extend(mine)

    def read(number):
        line, found, dates, following = http.client.HTTPConnection(server.at, timeout=60), [], [], ""
        by_next, idle = number % 2, 0
        while idle < 3:
            page = ask((alpha, beta)[number % 2], "GET", f"{busy}manifest/?limit=37&match[version]=all{following}", connection=line)
            assert page.status == 200, page.body
            entries = page.json.get("objects", [])
            found += [(one["id"], one["version"]) for one in entries]
            dates += [one["date_added"] for one in entries]
            following = f"&next={page.json['next']}" if by_next and page.json.get("more") else f"&added_after={dates[-1]}" if dates else ""
            if not page.json.get("more"):
                idle = idle + 1 if time.monotonic() > until + 1 else 0
                time.sleep(0.01)
        return found, dates

    with concurrent.futures.ThreadPoolExecutor(9) as pool:
        writers, readers = [pool.submit(write, n) for n in range(5)], [pool.submit(read, n) for n in range(4)]
        [one.result() for one in writers]
        results = [one.result() for one in readers]
    everything = [(one["id"], one["version"]) for page in pages(alpha, f"{busy}manifest/", "match[version]=all", 1000) for one in page.json.get("objects", [])]
    check("all that was written is there", {one["id"] for one in written} == {one for one, _ in everything} and len(everything) == len(set(everything)))
    for found, dates in results:
        check(f"{len(found)} of {len(everything)}: the same, once each, in order", found == everything and all(a < b for a, b in zip(dates, dates[1:])))
    newest = {}
    for identity, version in everything:
        newest[identity] = max(version, newest.get(identity, ""))
    last = [(one["id"], one["version"]) for page in pages(alpha, f"{busy}manifest/", "", 1000) for one in page.json.get("objects", [])]
    check("the last of each", dict(last) == newest and len(last) == len(newest))
    oldest = [(one["id"], one["version"]) for page in pages(alpha, f"{busy}manifest/", "match[version]=first", 1000) for one in page.json.get("objects", [])]
    check("the first of each", len(oldest) == len(newest) and all(version == min(v for i, v in everything if i == identity) for identity, version in oldest[:100]))


def one_envelope_sent_by_several_at_once_is_held_once():
    race = box("Race")
    objects = [thing() for _ in range(200)]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda who: post(who, race, *objects), [alpha, beta, colleague] * 2))
    check("all are told that it is there", all(one.status == 202 and one.json["success_count"] == 200 for one in answers))
    check("once", get(alpha, f"{race}objects/", "limit=1000").json["objects"] == objects)


def after_a_crash():
    """What was taken is there, next goes on, a large envelope that waited is read."""
    crashed = box("Crashed")
    objects = [thing() for _ in range(25)]
    put(alpha, crashed, *objects)
    page = get(alpha, f"{crashed}objects/", "limit=10")
    many = [thing() for _ in range(6000)]
    status = post(alpha, crashed, *many)
    server.kill_and_start()
    rest = get(alpha, f"{crashed}objects/", f"limit=15&next={page.json['next']}")
    check("next goes on", page.json["objects"] + rest.json["objects"] == objects)

    def complete():
        now = get(alpha, f"{root}status/{status.json['id']}/")
        return now.json if now.status == 200 and now.json["status"] == "complete" else None

    # A job of a process that is no more is another's two minutes after its last word (on a folder at once).
    done = wait(complete, 240)
    check("the envelope is read to its end", (done["success_count"], done["failure_count"], done["pending_count"]) == (6000, 0, 0))
    everything = [one for page in pages(alpha, f"{crashed}objects/", "", 5000) for one in page.json["objects"]]
    check("each once, in order", everything == objects + many)
    check("dates go on", get(alpha, f"{crashed}manifest/", "limit=1").headers[FIRST] == page.headers[FIRST] and page.headers[LAST] < rest.headers[FIRST])


def nobody_holds_the_node_by_sending_slowly():
    """Sixty-four that begin a body and send no more, known or not, keep nobody waiting; and each is told in the end."""
    host, port = server.at.rsplit(":", 1)
    slow, others, target = [], [], box("Slow")
    for n in range(64):
        line = socket.create_connection((host, int(port)), timeout=60)
        login = f"Authorization: {alpha.headers['authorization']}\r\n" if n % 16 == 0 else ""
        line.sendall(f"POST {target}objects/ HTTP/1.1\r\nHost: x\r\n{login}Accept: {TAXII}\r\nContent-Type: {TAXII}\r\nContent-Length: 9000000\r\n\r\n{{".encode())
        slow.append(line)
    # At the other doors that take bodies it is the same.
    for n in range(64):
        line = socket.create_connection((host, int(port)), timeout=60)
        path = "/api/v1/import" if n % 2 else "/events/add"
        line.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {alpha.key}\r\nAccept: application/json\r\nContent-Type: application/json\r\nContent-Length: 9000000\r\n\r\n{{".encode())
        others.append(line)
    time.sleep(0.5)
    check("others are answered", get(alpha, "/taxii2/").status == 200)
    check("and may write", post(alpha, box("Quick"), thing()).status == 202)
    told = {line.recv(12) for line in slow}
    check(f"each is told why: {told}", told == {b"HTTP/1.1 401", b"HTTP/1.1 408"})
    for line in slow + others:
        line.close()


def what_comes_is_a_record_of_the_node():
    """It is searched and handed on like everything else."""
    records = box("Records")
    value = f"taxii-{uuid.uuid4().hex[:12]}.example"
    put(alpha, records, thing(pattern=f"[domain-name:value = '{value}']"))

    check("a search finds it", wait(lambda: records_title(value), 180))


def records_title(value):
    return "indicator" in node.run(node.manara, "search", *node.where, value)


AREAS = [
    objects_come_back_as_they_were_sent, what_no_two_readers_understand_alike_is_a_failure_of_its_object_alone,
    every_version_is_kept_whatever_the_order, the_first_of_one_identity_stays, bodies_come_packed, http_as_it_comes, http_2,
    pages_while_others_write, one_envelope_sent_by_several_at_once_is_held_once, after_a_crash, nobody_holds_the_node_by_sending_slowly, what_comes_is_a_record_of_the_node,
]
