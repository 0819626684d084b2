"""Hands what is on the topics of a real Slipway to the judge of the simulation (slipway-judge).

    verdicts   what that judge says is broken; [] is good

The history is cut into parts that have nothing to do with each other, features and lanes that share
no record, and each is judged for itself. The order over all topics is the one of time: of the
broker's on events.v1, of the writer's elsewhere; at the same millisecond events come first, for who
answers has read them. Nothing of Slipway's code is used here (file format: tests/simulation/record_file.h).
"""
import collections
import heapq
import json
import struct
import subprocess

FIRST = ("events.v1", "control.v1")
TOUCHES = ("apply", "revert")


def text(value):
    value = value.encode() if isinstance(value, str) else value
    return struct.pack("<H", len(value)) + value


def names_in(said):
    """The features and lanes that a record ties together; none where it is about something else."""
    message, body = said.message, said.body
    found = {f"lane/{lane}" for lane in [getattr(body, "lane", "")] if lane}
    for deployment in (getattr(message, "deployment", ""), getattr(body, "deployment", "")):
        if deployment:
            found.add(deployment.rpartition(".")[0])
    return found | {feature for feature in [getattr(message, "feature", "")] if feature}


class Parts:
    """Which names belong together."""

    def __init__(self):
        self.of = {}

    def find(self, name):
        while self.of.setdefault(name, name) != name:
            name = self.of[name]
        return name

    def tie(self, names):
        first, *others = (self.find(name) for name in names)
        for other in others:
            self.of[other] = first


def in_order(records):
    """Merged by time; of each partition as it is."""
    parts = collections.defaultdict(list)
    for said in sorted(records, key=lambda s: s.offset):
        parts[(said.topic, said.partition)].append(said)
    heap = []

    def push(place, number):
        if number < len(parts[place]):
            said = parts[place][number]
            rank = FIRST.index(said.topic) if said.topic in FIRST else len(FIRST)
            heapq.heappush(heap, (said.ms, rank, place, number))
    for place in parts:
        push(place, 0)
    while heap:
        _, _, place, number = heapq.heappop(heap)
        yield parts[place][number]
        push(place, number + 1)


def framed(said):
    writer = said.headers.get("ce_writer", "")
    return (struct.pack("<IqqB", said.partition, said.offset, said.ms, said.message is None) +
            text(said.topic) + text(said.key) + text(said.id) + text(writer) +
            struct.pack("<I", len(said.raw)) + said.raw)


class Deed:
    """An instance was brought to a version under a fence; by whose command the log says."""

    def __init__(self, call, places, commands):
        self.instance, self.version, fence, _, ms = call
        self.ms = int(ms)
        self.service, self.target = places[self.instance]
        self.grant, self.at = (int(part) for part in fence.split("."))
        by = commands.get((self.service, self.grant, self.at), [])
        self.deployment = by[0].message.deployment if by else ""
        self.back = any(said.kind == "revert" for said in by)

    def framed(self, records):
        order = sum(1 for said in records if said.ms <= self.ms)
        return (struct.pack("<qqQQB", order, self.ms, self.grant, self.at, self.back) +
                b"".join(text(t) for t in (self.service, self.target, self.instance,
                                           self.deployment, self.version)))


def deeds_of(history, settings):
    """All that the instances wrote down as done, with the time at which it was begun."""
    places = {i["name"]: (t["service"], t["name"])
              for t in settings["targets"] for i in t["instances"]}
    lanes = {s.body.deployment: s.body.lane.rpartition("/")[2] for s in history.events
             if s.kind == "lane_granted"}
    commands = collections.defaultdict(list)
    for said in history.commands:
        if said.kind in TOUCHES:
            commands[(lanes.get(said.message.deployment), said.message.fence.grant,
                      said.message.fence.version)].append(said)
    begun, found = {}, []
    for call in history.calls:
        if call[3] == "begun":
            begun[(call[0], call[2])] = call
        elif (call[0], call[2]) in begun:
            found.append(Deed(begun[(call[0], call[2])], places, commands))
    return found


def write(history, settings, folder, deployments):
    """A file for each part that one of those has a share in; answers them."""
    parts, about = Parts(), collections.defaultdict(list)
    named = [(said, names_in(said)) for said in history.everything]
    for _, names in named:
        if names:
            parts.tie(sorted(names))
    for said, names in named:
        about[parts.find(min(names)) if names else None].append(said)
    for_all, deeds = about.pop(None, []), collections.defaultdict(list)
    for deed in deeds_of(history, settings):
        deeds[parts.find(f"lane/production/{deed.service}")].append(deed)
    wanted = {parts.find(name.rpartition(".")[0]) for name in deployments}
    for part in wanted:
        records = about[part]
        records = list(in_order([*records, *for_all]))
        path = folder / f"{part.replace('/', '-')}.record"
        path.write_bytes(b"slipway record 1\n" + struct.pack("<I", len(records)) +
                         b"".join(framed(said) for said in records) +
                         struct.pack("<I", len(deeds[part])) +
                         b"".join(deed.framed(records) for deed in deeds[part]))
        yield path


def verdicts(history, build, stage_folder, deployments, store_lost):
    """See the top of this file; judged is what has to do with those deployments. The files stay in
    stage_folder/verdicts."""
    folder = stage_folder / "verdicts"
    folder.mkdir(exist_ok=True)
    settings = json.loads((stage_folder / "slipway.yaml").read_text())
    files = list(write(history, settings, folder, deployments))
    done = subprocess.run([build / "tests" / "simulation" / "slipway-judge",
                           *["--store-lost"] * store_lost, *files],
                          text=True, capture_output=True, check=False)
    told = [line for line in done.stdout.splitlines() if not line.endswith("are in order")]
    if done.returncode == 0 and not told and (files or not deployments):
        return []
    return [line.rpartition("verdicts/")[2] for line in told] or [
        f"slipway-judge ended with {done.returncode}: {done.stderr.strip()}"]
