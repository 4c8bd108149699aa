"""PyMISP, as it comes from PyPI, against the running binary: every area of MISP's API, and what other
organisations may see of it. The node and its callers stand in `misp_door/node.py`, the areas beside it."""

import subprocess
import sys

from misp_door import events, feeds, finding, knowledge, node, people, whole

AREAS = [
    events.door,
    events.events,
    events.index,
    events.attributes,
    events.objects,
    finding.tags,
    finding.searching,
    finding.sightings,
    finding.proposals,
    finding.reports,
    knowledge.knowledge,
    people.people,
    people.roles,
    people.groups,
    people.groups_unheard_of,
    people.narrow_keys,
    feeds.registers,
    feeds.feeds_of_events,
    feeds.feeds_of_lists,
    feeds.feeds_cached,
    feeds.feeds_guarded,
    finding.crowds,
    whole.policy,
    people.registrations,
    people.delegations,
    people.statistics,
    knowledge.clusters,
    knowledge.clusters_pushed,
    knowledge.many_of_them,
    knowledge.notes_pushed,
    knowledge.policy_of_clusters,
    whole.size,
    whole.recorded,
    whole.documented,
]
try:
    for work in AREAS:
        node.area(work)
finally:
    node.server.terminate()
    node.server.wait(20)
verified = subprocess.run([node.manara, "verify", *node.where], capture_output=True, text=True)
node.check(f"what was written agrees: {verified.stdout[-500:]}{verified.stderr[-500:]}", verified.returncode == 0)
for line in node.failed:
    print(f"FAILED {line}")
print(f"{node.passed} passed, {len(node.failed)} failed")
sys.exit(1 if node.failed else 0)
