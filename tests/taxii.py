"""The TAXII 2.1 door against the standard (OASIS Standard, 10 June 2021): raw requests, a test for each thing that
it demands, named by its section; then what it leaves open (bytes, concurrency, a crash, policy), and other people's
clients. The node and its callers stand in `taxii_door/node.py`."""

import subprocess
import sys

from taxii_door import node
from taxii_door import core, resources, keeping, policy, clients

try:
    for part in (core, resources, keeping, policy, clients):
        for work in part.AREAS:
            node.area(work)
finally:
    node.server.stop()
verified = subprocess.run([node.manara, "verify", *node.where], capture_output=True, text=True)
node.check(f"what was written agrees: {verified.stdout[-500:]}{verified.stderr[-500:]}", verified.returncode == 0)
for line in node.failed:
    print(f"FAILED {line}")
print(f"{node.passed} passed, {len(node.failed)} failed")
sys.exit(1 if node.failed else 0)
