"""Other people's programs on the same logs and lists, where they are installed: matchy, ripgrep, GNU grep, vectorscan."""

import json
import pathlib
import shutil
import subprocess

from match_tools import Row, TooLong, measure, scores

MARK = "mark-between-lines-q7.org"
REMARKS = [
    "What they do not do: matchy names no line in its output (so it is scored on the planted lines alone, one after the other with a mark",
    "between) and does not look for URLs, hidden signs, upper case or names below a name. ripgrep, grep and vectorscan look for the letters of",
    "the list: no networks, no other spellings, no borders, so that traps are sprung; a line counts as found when they name it, whatever in it",
    "they found. Their own time to make a matcher of the list is in ripgrep's and grep's MB/s. The set of tokens knows names, addresses and",
    "hashes in their plain spelling. matchy's memory and the manara process's include the mapped index.",
]


def versions():
    """Those that are here, with what they say of themselves."""
    found = {}
    for name in ("matchy", "rg", "grep"):
        if shutil.which(name):
            said = subprocess.run([name, "--version"], capture_output=True, text=True).stdout.split("\n")[0]
            found[name] = next((word for word in said.split() if word[:1].isdigit()), said)
    if vectorscan_is_here():
        told = subprocess.run(["pkg-config", "--modversion", "libhs"], capture_output=True, text=True)
        found["vectorscan"] = told.stdout.strip() or "(version unknown)"
    return found


def vectorscan_is_here():
    return any(pathlib.Path(place, "hs.h").exists() for place in ("/usr/include", "/usr/include/hs", "/usr/local/include/hs"))


def rows(list_file, logs, folder, limit):
    """A row for each program, also for those that are not here or did not end."""
    for name, work in (("matchy", matchy), ("vectorscan, caseless literals", vectorscan), ("ripgrep -F -f", ripgrep), ("GNU grep -F -f", grep)):
        row = Row(name)
        try:
            work(row, list_file, logs, folder, limit)
        except (TooLong, RuntimeError) as error:
            row = Row(name, why=" ".join(str(error).replace("|", "/").split())[:120])
        except FileNotFoundError:
            row = Row(name, why="not installed")
        yield row


def matchy(row, list_file, logs, folder, limit):
    table, index = folder / "list.csv", folder / "list.mxy"
    with open(table, "w") as out, open(list_file) as lines:
        out.write(f"entry\n{MARK}\n")
        out.writelines(line if "," not in line else f'"{line.strip()}"\n' for line in lines)
    built = measure(["matchy", "build", table, "-o", index, "--format", "csv"], limit=limit)
    row.build, row.index = built.cpu, index.stat().st_size
    for kind, log in logs.items():
        run = measure(["matchy", "match", "-j", "1", index, log.path], out=folder / "out", limit=limit)
        row.speed[kind] = log.size / run.cpu / 1e6
        row.memory = max(row.memory, run.peak)
        run = measure(["matchy", "match", "-j", "2", index, log.path], out=folder / "out", limit=limit)
        row.two[kind] = log.size / run.wall / 1e6
        # The planted lines, with a mark after each: what is told before the n-th mark is of the n-th line.
        wanted, few = {line for line, *_ in log.planted()}, folder / "few.log"
        with open(log.path, "rb") as lines, open(few, "wb") as out:
            order = []
            for n, line in enumerate(lines, 1):
                if n in wanted:
                    order.append(n)
                    out.write(line.rstrip(b"\n") + f"\nx {MARK} x\n".encode())
        at, found = 0, set()
        for told in measure(["matchy", "match", "-j", "1", index, few], limit=limit).output.splitlines():
            text = json.loads(told)["matched_text"]
            if text == MARK:
                at += 1
            elif at < len(order):
                found.add(order[at])
        assert at == len(order), "matchy's answers could not be told apart"
        row.add(scores.of(log, lambda line, _: line in found))


def by_line(row, command, environment, logs, folder, limit):
    for kind, log in logs.items():
        out = folder / "out"
        run = measure([*command, log.path], out=out, limit=limit, environment=environment)
        row.speed[kind] = log.size / run.cpu / 1e6
        row.memory = max(row.memory, run.peak)
        with open(out, "rb") as lines:
            found = {int(line.split(b":", 1)[0]) for line in lines}
        row.add(scores.of(log, lambda line, _: line in found))


def ripgrep(row, list_file, logs, folder, limit):
    by_line(row, ["rg", "-j1", "--no-config", "-a", "-n", "-F", "-f", list_file], {}, logs, folder, limit)


def grep(row, list_file, logs, folder, limit):
    by_line(row, ["grep", "-a", "-n", "-F", "-f", list_file], {"LC_ALL": "C"}, logs, folder, limit)


def vectorscan(row, list_file, logs, folder, limit):
    if not vectorscan_is_here():
        raise FileNotFoundError
    program = folder / "vectorscan"
    if not program.exists():
        source = pathlib.Path(__file__).with_name("vectorscan.c")
        measure(["cc", "-O2", "-I/usr/include/hs", "-I/usr/local/include/hs", source, "-o", program, "-lhs"], good=(0,))
    outs = {kind: folder / f"lines-{kind}" for kind in logs}
    run = measure([program, list_file, *(part for kind, log in logs.items() for part in (log.path, outs[kind]))], limit=3 * limit, good=(0,))
    told = [line.split() for line in run.output.splitlines()]
    row.build, row.index = float(told[0][1]), int(told[0][3])
    for (kind, log), (_, seconds) in zip(logs.items(), told[1:]):
        row.speed[kind] = log.size / float(seconds) / 1e6
        found = {int(line) for line in outs[kind].read_text().split()}
        row.add(scores.of(log, lambda line, _: line in found))
