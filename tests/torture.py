"""Crashes and failing disks: what was acknowledged is there, nothing half-written is seen, and the node goes on.

    torture.py BINARY [--rounds N] [--faults] [--processes N] [--seed N]

Each round runs a node under a load of writes, edits, withdrawals, sightings and imports from several threads, kills
it (SIGKILL) at a random moment, starts it again and compares its answers with a ledger of what it had acknowledged.
With MANARA_TEST_POSTGRES the node's database is on that server and --processes of them share it; one at a time is
killed while the others go on. With --faults a preloaded layer (tests/faults/fault.c) makes the disk full, broken,
read-only or slow. Only the standard library is needed.
"""
import argparse, http.client, json, os, pathlib, random, shutil, signal, socket, subprocess, sys, tempfile, threading, time
import uuid as uuids

HERE = pathlib.Path(__file__).resolve().parent


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Failed(Exception):
    pass


def check(good, what):
    if not good:
        raise Failed(what)


class Node:
    """One `manara serve`."""

    def __init__(self, binary, data, database=None, environment=None, port=None):
        self.port = port or free_port()
        arguments = [binary, "serve", "--data", data, "--listen", f"127.0.0.1:{self.port}", "--log", "error"]
        environment = {**os.environ, **(environment or {})}
        if database:
            environment["MANARA_DATABASE"] = database
        self.log = tempfile.TemporaryFile()
        started = time.monotonic()
        self.process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=self.log, env=environment)
        while True:
            try:
                status, _ = self.call("GET", "/readyz", None)
                if status == 200:
                    break
            except OSError:
                pass
            if self.process.poll() is not None or time.monotonic() - started > 60:
                raise Failed("the node does not start: " + self.said())
            time.sleep(0.005)
        self.start_seconds = time.monotonic() - started

    def said(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")[-2000:]

    def call(self, method, path, key, body=None, timeout=60):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            data = response.read()
            return response.status, data
        except http.client.HTTPException as error:
            raise OSError(str(error)) from error
        finally:
            connection.close()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.terminate()
        check(self.process.wait(30) == 0, "the node does not end in order: " + self.said())


class Record:
    """What the ledger knows of one record: versions in the order in which they were sent."""

    def __init__(self):
        self.uuid = str(uuids.uuid4())
        self.sent = []        # (title, number of attributes, a value)
        self.acknowledged = 0  # how many of `sent` were acknowledged, in order
        self.withdrawn = None  # None, "sent" or "acknowledged"

    def version(self, dice):
        n = len(self.sent) + 1
        size = dice.choice([1, 3, 20, 200])
        values = [f"h{i}.v{n}.{self.uuid[:13]}.example.com" for i in range(size)]
        title = f"{self.uuid} version {n}"
        event = {"Event": {"uuid": self.uuid, "info": title, "timestamp": str(1_700_000_000 + n), "date": "2026-11-01",
                           "Tag": [{"name": f"torture:{n % 3}"}],
                           "Attribute": [{"type": "domain", "category": "Network activity", "value": v, "to_ids": True,
                                          "uuid": str(uuids.uuid4()), "comment": f"line {i}"} for i, v in enumerate(values)]}}
        self.sent.append((title, size, values[-1]))
        return json.dumps(event)


class Torture:
    def __init__(self, options):
        self.binary = str(pathlib.Path(options.binary).resolve())
        self.dice = random.Random(options.seed)
        self.folder = tempfile.mkdtemp(prefix="manara-torture-")
        self.data = os.path.join(self.folder, "node")
        server = os.environ.get("MANARA_TEST_POSTGRES")
        self.database = self.new_database(server) if server else None
        made = json.loads(self.manara("init", "--org", "CERT", "--country", "MY", "--admin", "a@cert.example", "--json"))
        self.key = made["api_key"]
        self.records, self.lists, self.lock = [], [], threading.Lock()
        self.acknowledged = self.unsure = self.refused = 0
        self.starts = []

    @staticmethod
    def new_database(server):
        name = f"torture_{uuids.uuid4().hex}"
        psql = shutil.which("psql") or sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/psql"))[-1]
        subprocess.run([str(psql), server, "-qc", f"CREATE DATABASE {name}"], check=True)
        return server.rsplit("/", 1)[0] + "/" + name

    def manara(self, *arguments, good=True):
        environment = dict(os.environ)
        if self.database:
            environment["MANARA_DATABASE"] = self.database
        done = subprocess.run([self.binary, *arguments, "--data", self.data], capture_output=True, text=True, env=environment)
        if good:
            check(done.returncode == 0, f"manara {arguments[0]}: {done.stdout[-1500:]} {done.stderr[-1500:]}")
        return done.stdout

    def node(self, **more):
        node = Node(self.binary, self.data, self.database, **more)
        self.starts.append(node.start_seconds)
        return node

    # The load

    def work(self, nodes, stop, seed):
        dice = random.Random(seed)
        mine = []
        while not stop.is_set():
            node = dice.choice(nodes)
            try:
                what = dice.random()
                if what < 0.1:
                    self.list(node, dice)
                elif what < 0.2:
                    self.sighting(node, dice)
                elif mine and what < 0.5:
                    self.edit(node, dice, dice.choice(mine))
                elif mine and what < 0.6:
                    self.withdraw(node, mine.pop(dice.randrange(len(mine))))
                else:
                    mine.append(self.add(node, dice))
            except OSError:
                # The node went away before it answered: what was sent may be there, or not.
                with self.lock:
                    self.unsure += 1
                mine = []
                time.sleep(0.01)

    def answered(self, status, body, expected):
        with self.lock:
            if status in expected:
                self.acknowledged += 1
                return True
            self.refused += 1
        # A process whose database answers "not now" says so; nothing else is an answer to these requests.
        check(status in (503, 507), f"HTTP {status}: {body[:300]!r}")
        return False

    def add(self, node, dice):
        record = Record()
        body = record.version(dice)
        with self.lock:
            self.records.append(record)
        status, answer = node.call("POST", "/api/v1/records?tlp=green", self.key, body)
        if self.answered(status, answer, (200, 201)):
            record.acknowledged = 1
        return record

    def edit(self, node, dice, record):
        if record.acknowledged < len(record.sent):
            return
        body = record.version(dice)
        status, answer = node.call("PUT", f"/api/v1/records/{record.uuid}?tlp=green", self.key, body)
        if self.answered(status, answer, (200, 201)):
            record.acknowledged = len(record.sent)

    def withdraw(self, node, record):
        if record.acknowledged < len(record.sent):
            return
        record.withdrawn = "sent"
        status, answer = node.call("DELETE", f"/api/v1/records/{record.uuid}?reason=torture", self.key)
        if self.answered(status, answer, (200, 204)):
            record.withdrawn = "acknowledged"

    def sighting(self, node, dice):
        body = json.dumps({"value": f"seen{dice.randrange(10**9)}.example.org"})
        status, answer = node.call("POST", "/api/v1/sightings", self.key, body)
        self.answered(status, answer, (200, 201))

    def list(self, node, dice):
        name, size = f"list-{uuids.uuid4()}", dice.choice([100, 2000, 20000])
        values = [f"l{i}.{name[5:18]}.example.net" for i in range(size)]
        entry = {"first": values[0], "last": values[-1], "acknowledged": False}
        with self.lock:
            self.lists.append(entry)
        status, answer = node.call("POST", f"/api/v1/import?tlp=green&name={name}.txt", self.key, "\n".join(values))
        if self.answered(status, answer, (200, 201)):
            entry["acknowledged"] = True

    # The comparison

    def found(self, node, value):
        status, body = node.call("GET", f"/api/v1/search?value={value}", self.key)
        check(status == 200, f"search: HTTP {status} {body[:300]!r}")
        answer = json.loads(body)
        answer = answer["answers"] if isinstance(answer, dict) else answer
        return answer[0]["total"]

    def compare(self, node):
        """All of this round's ledger; then it is emptied of what can't change any more."""
        for record in self.records:
            status, body = node.call("GET", f"/api/v1/records/{record.uuid}", self.key)
            possible = set(range(record.acknowledged, len(record.sent) + 1))
            if status == 404:
                check(record.withdrawn or 0 in possible, f"{record.uuid} was acknowledged and is gone")
                check(self.found(node, record.sent[-1][2]) == 0, f"{record.uuid} is gone and still found")
                continue
            check(status == 200, f"HTTP {status} {body[:300]!r}")
            check(record.withdrawn != "acknowledged", f"{record.uuid} was withdrawn and is there")
            head = json.loads(body)
            title, parts, version = head["title"], head["parts"], head["version"]
            match = [n for n, (sent, size, _) in enumerate(record.sent, 1) if sent == title and size == parts]
            check(match and match[0] in possible, f"{record.uuid}: {title!r} with {parts} parts is none of {record.sent}, {possible}")
            check(version == match[0], f"{record.uuid} has version {version}, {match[0]} were sent: something was done twice")
            check(self.found(node, record.sent[match[0] - 1][2]) == 1, f"{record.uuid} is there and not found")
            if match[0] > 1:
                check(self.found(node, record.sent[0][2]) == 0, f"{record.uuid}: an old version is found")
        for entry in self.lists:
            first, last = self.found(node, entry["first"]), self.found(node, entry["last"])
            check(first == last, f"half of a list is seen: {entry}")
            check(first == 1 or not entry["acknowledged"], f"an acknowledged list is gone: {entry}")
        self.records, self.lists = [], []

    # Crashes

    def crashes(self, rounds):
        nodes = [self.node()]
        for number in range(1, rounds + 1):
            stop = threading.Event()
            errors = []

            def run(seed):
                try:
                    self.work(nodes, stop, seed)
                except Exception as error:  # noqa: BLE001 - a thread's failure is the round's
                    errors.append(error)

            threads = [threading.Thread(target=run, args=(self.dice.random(),)) for _ in range(4)]
            for thread in threads:
                thread.start()
            time.sleep(self.dice.uniform(0.02, 0.6))
            nodes[0].kill()
            stop.set()
            for thread in threads:
                thread.join()
            check(not errors, str(errors[:1]))
            nodes[0] = self.node()
            self.compare(nodes[0])
            if number % (10 if rounds <= 50 else 100) == 0 or number == rounds:
                self.manara("verify")
                self.progress(f"{number} of {rounds} crashes, {self.acknowledged} acknowledged, {self.unsure} in the air")
        nodes[0].stop()
        self.manara("verify")

    def processes(self, rounds, count):
        """Several processes on one database; one at a time is killed while the others go on."""
        nodes = [self.node() for _ in range(count)]
        for number in range(1, rounds + 1):
            stop, errors = threading.Event(), []

            def run(seed):
                try:
                    self.work(nodes, stop, seed)
                except Exception as error:  # noqa: BLE001
                    errors.append(error)

            threads = [threading.Thread(target=run, args=(self.dice.random(),)) for _ in range(4)]
            for thread in threads:
                thread.start()
            time.sleep(self.dice.uniform(0.02, 0.5))
            victim = self.dice.randrange(count)
            nodes[victim].kill()
            time.sleep(self.dice.uniform(0.0, 0.2))
            stop.set()
            for thread in threads:
                thread.join()
            check(not errors, str(errors[:1]))
            nodes[victim] = self.node()
            # What one process wrote, every other sees.
            self.compare(nodes[(victim + 1) % count])
            if number % (10 if rounds <= 50 else 100) == 0 or number == rounds:
                self.manara("verify")
                self.progress(f"{number} of {rounds} kills of {count} processes, {self.acknowledged} acknowledged, {self.unsure} in the air")
        for node in nodes:
            node.stop()
        self.manara("verify")

    def progress(self, text):
        print(f"  {text}, slowest start {max(self.starts) * 1000:.0f} ms", flush=True)

    # Faults

    def faults(self):
        library = os.path.join(self.folder, "fault.so")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, str(HERE / "faults/fault.c"), "-ldl"], check=True)
        switch = os.path.join(self.folder, "switch")
        pathlib.Path(switch).write_text("0")

        def disk(mode):
            with open(switch, "r+") as file:
                file.write(str(mode))

        for mode, what in [(1, "the disk is full"), (2, "writing fails"), (3, "the folder is read-only"), (5, "reading fails"), (4, "the disk is slow")]:
            node = self.node(environment={"LD_PRELOAD": library, "FAULT_FILE": switch})
            for _ in range(5):
                self.add(node, self.dice)
            disk(mode)
            statuses = set()
            for _ in range(6):
                record = Record()
                self.records.append(record)
                status, body = node.call("POST", "/api/v1/records?tlp=green", self.key, record.version(self.dice))
                statuses.add(status)
                if status in (200, 201):
                    record.acknowledged = 1
                else:
                    problem = json.loads(body)
                    check(problem["status"] == status and problem["detail"] and problem["instance"], f"{problem}")
            large = "\n".join(f"big{i}.{mode}.example.net" for i in range(30000))
            try:
                status, _ = node.call("POST", f"/api/v1/import?tlp=green&name=big-{mode}.txt", self.key, large)
            except (BrokenPipeError, ConnectionResetError):
                # Refused before all of it was sent, and the answer was lost with the line: as good as a no.
                status = 503
            statuses.add(status)
            check(node.process.poll() is None, f"{what}: the node died: {node.said()}")
            if mode == 4:
                check(statuses <= {200, 201}, f"{what}: {statuses}")
            elif mode == 5:
                check(statuses <= {200, 201, 500, 503}, f"{what}: {statuses}")
            else:
                check(statuses <= {503, 507}, f"{what}: HTTP {statuses}, every write should have been refused")
                ready, _ = node.call("GET", "/readyz", None)
                check(ready == 503, f"{what}: /readyz says {ready}")
                status, _ = node.call("GET", "/api/v1/records", self.key)
                check(status == 200, f"{what}: reading should go on, HTTP {status}")
            disk(0)
            ready, body = node.call("GET", "/readyz", None)
            check(ready == 200, f"{what}, and is over: /readyz says {ready} {body!r}")
            for _ in range(5):
                record = self.add(node, self.dice)
                check(record.acknowledged == 1, f"{what}, and is over: a write was refused")
            self.compare(node)
            node.kill()
            node = self.node()
            node.stop()
            self.manara("verify")
            print(f"  {what}: refused with {sorted(statuses)}, nothing lost, service resumed", flush=True)

        node = self.node()
        second = subprocess.run([self.binary, "serve", "--data", self.data, "--listen", "127.0.0.1:0"], capture_output=True, text=True, timeout=30)
        check(second.returncode != 0 and "served by another node" in second.stderr, f"two nodes on one folder: {second.stderr}")
        print("  a second node on the folder says so and stops", flush=True)
        # Backup on a full disk: an error, and no half of a file.
        node.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--processes", type=int, default=0)
    parser.add_argument("--faults", action="store_true")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    torture = Torture(options)
    try:
        if options.processes:
            torture.processes(options.rounds, options.processes)
        else:
            torture.crashes(options.rounds)
        if options.faults and not torture.database:
            torture.faults()
    except Failed as failed:
        print(f"FAILED: {failed}\nthe node is kept in {torture.folder}")
        return 1
    shutil.rmtree(torture.folder)
    print(f"good: {torture.acknowledged} acknowledged, {torture.unsure} in the air, {torture.refused} refused")
    return 0


if __name__ == "__main__":
    sys.exit(main())
