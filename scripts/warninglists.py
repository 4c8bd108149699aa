"""warninglists.py: writes crates/hunt/data/warninglists.zst, the lists of `manara match --allow builtin`, out of the
fixtures (MISP warning lists, CC0). One JSON body a line. Needs the `zstd` command.

Taken are lists of values that everybody meets: the most visited names (only lists that mean just the name: below
`github.io` anybody may be), networks that are nobody's, revocation lists, hashes of nothing, suffixes. Left out are
lists that only say whose an address is (clouds, scanners, VPNs, shorteners): there may be evil there."""
import json, pathlib, subprocess

NAMES = """cisco_top5k cloudflare-top10k majestic_million common-ioc-false-positive crl-hostname eicar.com empty-hashes
ipv6-linklocal microsoft-win10-connection-endpoints moz-top500 multicast public-dns-v6 rfc1918 rfc3849 rfc5735 rfc6598 rfc6761
second-level-tlds tlds""".split()

root = pathlib.Path(__file__).parent.parent
folder = root / "fixtures/knowledge/warninglists"
bodies = []
for name in sorted(NAMES):
    path = folder / f"{name}.json"
    packed = path.with_name(path.name + ".zst")
    text = path.read_bytes() if path.exists() else subprocess.run(["zstd", "-dcq", packed], check=True, capture_output=True).stdout
    body = json.loads(text)
    assert body["type"] in ("string", "cidr") or "top" not in name, name
    bodies.append(json.dumps(body, separators=(",", ":"), ensure_ascii=False))
lines = "\n".join(bodies).encode()
packed = subprocess.run(["zstd", "-19cq", "--no-progress"], input=lines, check=True, capture_output=True).stdout
(root / "crates/hunt/data/warninglists.zst").write_bytes(packed)
print(len(bodies), "lists,", len(lines), "bytes,", len(packed), "packed")
