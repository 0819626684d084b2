"""What happened, read from the topics alone, and what in it must never have happened.

    history = History(bootstrap, messages, keys=folder)   # reads every topic to its end
    assert not history.faults()                           # texts for people; [] is good

An independent client: confluent-kafka and google.protobuf, nothing of Slipway's own code. `messages`
are the classes that protoc makes of proto/ (fixture of the same name). With `keys`, the folder of
<writer>.key files, records that prove no writer are left out, as everybody must leave them out.

Checked of every deployment on the log (`only` narrows that to some):

    order     a step is begun after the one before it said OK, or a person waived what was wrong;
              after the first word of undoing nothing is commanded forward
    drives    a task's drives and fences rise together; one drive has one result, one fence
    exits     exactly one, the same on the log and in its signal, and nothing is said after it
    signals   their sequence has no gap and no repeat, in the order of the topic; COMPLETED was
              available to all, ROLLED_BACK says so
    flags     an ended deployment that is not COMPLETED and ever granted a flag is latched
    lanes     one grant at a time, in order; every grant was given back
    ids       one content under each ce_id of signals, control records and commands
    effects   with `calls`, lines "instance version fence begun ms" and "... done ms" that the
              instances themselves wrote: fences rise at each instance, and none is done twice under
              one fence, unless Redis had `forgot`ten (times, in ms) who had claimed it: `repeated`

What has not ended is a fault too, unless faults(ended=False).
"""
import collections
import hashlib
import hmac
import pathlib
import struct
import uuid

import confluent_kafka

WORKERS = ("prechecks", "executor", "validator", "flag-rollout", "monitor", "notifier")
UNDO = ("revert", "read_back", "kill_flags")
ASIDE = ("announce", "cancel", *UNDO)
BY_PEOPLE = ("waive", "attest", "retry", "promote", "signoff")


class Said:
    """One record and the message in it."""

    def __init__(self, record, message):
        self.topic, self.partition, self.offset = (record.topic(), record.partition(),
                                                   record.offset())
        self.ms = record.timestamp()[1]
        self.headers = {k: (v or b"").decode() for k, v in record.headers() or []}
        self.id, self.key = self.headers.get("ce_id", ""), record.key() or b""
        self.raw, self.message = record.value(), message
        self.kind = None
        if message is not None and "body" in message.DESCRIPTOR.oneofs_by_name:
            self.kind = message.WhichOneof("body")
        self.body = getattr(message, self.kind) if self.kind else None

    def __str__(self):
        return f"{self.kind} {self.id} at {self.topic}/{self.partition}/{self.offset}"


def read(bootstrap, topic):
    """All records of a topic up to its end as it is now, partition by partition."""
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": bootstrap, "group.id": f"history-{uuid.uuid4()}",
        "enable.auto.commit": False, "enable.partition.eof": True, "fetch.wait.max.ms": 10})
    found = []
    try:
        metadata = consumer.list_topics(topic, 30).topics[topic]
        if metadata.error:
            return found
        parts = {p: [] for p in sorted(metadata.partitions)}
        open_ = set(parts)
        consumer.assign([confluent_kafka.TopicPartition(topic, p, 0) for p in parts])
        while open_:
            record = consumer.poll(30)
            if record is None:
                raise TimeoutError(f"{topic} was not read to its end")
            if not record.error():
                parts[record.partition()].append(record)
            elif record.error().code() == confluent_kafka.KafkaError._PARTITION_EOF:
                open_.discard(record.partition())
            else:
                raise confluent_kafka.KafkaException(record.error())
        found = [record for p in parts for record in parts[p]]
    finally:
        consumer.close()
    return found


class History:
    """See the top of this file."""

    forgot, repeated = (), 0

    def __init__(self, bootstrap, messages, keys=None, calls=None):
        self.keys, self.messages, self.everything = {}, messages, []
        if keys is not None:
            for file in pathlib.Path(keys).glob("*.key"):
                text = file.read_text().strip()
                try:
                    self.keys[file.stem] = bytes.fromhex(text)
                except ValueError:
                    self.keys[file.stem] = text.encode()
        self.events = self.first_words(self.said(bootstrap, "events.v1", messages.Event))
        self.signals = self.said(bootstrap, "signals.v1", messages.Signal)
        self.controls = self.said(bootstrap, "control.v1", messages.Control)
        self.commands = [s for w in WORKERS
                         for s in self.said(bootstrap, f"commands.{w}.v1", messages.Command)]
        self.said(bootstrap, "dead-letter.v1", messages.DeadLetter)
        self.calls = [line.split() for line in pathlib.Path(calls).read_text().splitlines()
                      ] if calls else []
        self.found = []

    def said(self, bootstrap, topic, kind):
        """What was said on that topic by those who may."""
        found = []
        for record in read(bootstrap, topic):
            if not record.value():
                continue
            if self.proved(record):
                try:
                    found.append(Said(record, kind.FromString(record.value())))
                    continue
                except Exception:  # protobuf has several kinds; rubbish is for nobody
                    pass
            if topic == "events.v1":  # that it was seen must be told; elsewhere it is nothing
                self.everything.append(Said(record, None))
        self.everything += found
        return found

    @staticmethod
    def first_words(said):
        """Without what is said again: that is no news to anybody."""
        first = {}
        for s in said:
            first.setdefault(s.id, s)
        return list(first.values())

    def proved(self, record):
        """Whether its ce_mac proves its ce_writer. What is for everybody to read carries none."""
        if not self.keys or record.topic() in ("signals.v1", "dead-letter.v1"):
            return True
        headers = dict(record.headers() or [])
        key = self.keys.get(headers.get("ce_writer", b"").decode(errors="replace"))
        if key is None:
            return False
        mac = hmac.new(key, digestmod=hashlib.sha256)
        for piece in (record.topic().encode(), record.key() or b"", headers.get("ce_id", b""),
                      headers.get("ce_type", b""), headers.get("ce_writer", b""), record.value()):
            mac.update(struct.pack(">Q", len(piece)) + piece)
        return hmac.compare_digest(mac.hexdigest().encode(), headers.get("ce_mac", b""))

    # --- what there is ---
    def deployments(self):
        """The ids of all attempts, in the order of the log."""
        return list(dict.fromkeys(s.message.deployment for s in self.events
                                  if s.kind == "attempt_created"))

    def exits(self):
        """Deployment -> exit, of all that have ended."""
        return {s.body.deployment: s.body.exit for s in self.events
                if s.kind == "attempt_moved" and s.body.ended}

    def of(self, deployment):
        """What the log says about a deployment, in order."""
        return [s for s in self.events if s.message.deployment == deployment]

    # --- what must not be ---
    def faults(self, only=None, ended=True):
        self.found = []
        names = [d for d in self.deployments() if only is None or d in only]
        missing = set(only or ()) - set(names)
        for name in sorted(missing):
            self.fault(name, "is not on the log")
        for name in names:
            self.check_order(name)
            self.check_drives(name)
            self.check_exit(name, ended)
            self.check_flags(name)
        self.check_signals({name.rpartition(".")[0] for name in names})
        self.check_lanes(set(names), ended)
        self.check_ids()
        self.check_effects()
        return self.found

    def fault(self, name, text):
        self.found.append(f"{name}: {text}")

    def commands_of(self, name):
        return sorted((s for s in self.commands if s.message.deployment == name and
                       s.kind != "cancel"), key=lambda s: (s.message.fence.version, s.offset))

    def check_order(self, name):
        kinds = {s.message.task: s.kind for s in self.commands_of(name)}
        reached, good, asked = 0, {0}, False
        for s in self.of(name):
            if s.kind == "request":
                asked = asked or s.body.WhichOneof("body") in BY_PEOPLE
                if s.body.WhichOneof("body") == "waive":
                    good.add(reached)
            task = getattr(s.body, "task", "")
            if not task or kinds.get(task) in ASIDE:
                continue
            step = int(task.split("/")[1])
            if s.kind == "task_finished" and s.body.outcome == self.messages.OUTCOME_OK:
                good.add(step)
            if s.kind != "task_started":
                continue
            if step > reached + 1 or (step == reached + 1 and reached not in good):
                self.fault(name, f"step {step} was begun, {reached} not done: {s}")
            if step < reached and not asked:
                self.fault(name, f"back from step {reached} to {step}, and nobody asked: {s}")
            reached = max(reached, step)
        self.check_undo_is_last(name)

    def check_undo_is_last(self, name):
        undo = [s for s in self.commands_of(name) if s.kind in UNDO]
        if not undo:
            return
        for s in self.commands_of(name):
            if s.kind not in ASIDE and s.message.fence.version > undo[0].message.fence.version:
                self.fault(name, f"forward after {undo[0]}: {s}")

    def check_drives(self, name):
        fences, results = {}, {}
        for s in self.commands_of(name):
            drives = fences.setdefault(s.message.task, {})
            fence = (s.message.fence.grant, s.message.fence.version)
            if drives.setdefault(s.message.drive, fence) != fence:
                self.fault(name, f"two fences of one drive: {s}")
        for task, drives in fences.items():
            grants = [drives[d][0] for d in sorted(drives) if drives[d][0]]  # 0: without a lane
            versions = [drives[d][1] for d in sorted(drives)]
            if versions != sorted(set(versions)) or grants != sorted(grants):
                self.fault(name, f"the fences of {task} do not rise: {drives}")
        for s in self.of(name):
            if s.kind == "task_finished":
                key = (s.body.task, s.body.drive)
                if results.setdefault(key, s.body.outcome) != s.body.outcome:
                    self.fault(name, f"two results of one drive: {s}")

    def check_exit(self, name, ended):
        exits = [s for s in self.events if s.kind == "attempt_moved" and s.body.ended and
                 s.body.deployment == name]
        told = {s.id: s.body.exit for s in self.signals if s.kind == "deployment_finished" and
                s.message.deployment == name}
        if len({s.id for s in exits}) > 1 or len(told) > 1:
            self.fault(name, f"ended more than once: {[str(s) for s in exits]}, {told}")
        if not ended and not exits:
            return
        if not exits or not told:
            self.fault(name, f"has not ended: {len(exits)} on the log, {len(told)} signals")
        elif exits[0].body.exit not in told.values():
            self.fault(name, f"ended {exits[0].body.exit}, told {told}")

    def check_flags(self, name):
        exit_ = self.exits().get(name)
        granted = any(s.kind == "flag" and s.body.deployment == name and s.body.percent > 0
                      for s in self.controls)
        latched = any(s.kind == "kill" and s.body.deployment == name for s in self.controls)
        if exit_ in ("ABORTED", "ROLLED_BACK") and granted and not latched:
            self.fault(name, f"{exit_} without a latch, and its flag was granted")
        if exit_ == "COMPLETED" and not granted:
            self.fault(name, "COMPLETED, and its flag was never granted")

    def check_signals(self, features):
        by_feature = collections.defaultdict(dict)
        for s in self.signals:
            if s.message.feature in features and s.message.sequence:
                by_feature[s.message.feature].setdefault(s.id, s)
        for feature, said in by_feature.items():
            sequences = [s.message.sequence for s in said.values()]
            if sequences != list(range(1, len(sequences) + 1)):
                self.fault(feature, f"the sequence of its signals is {sequences}")
            for name, exit_ in self.exits().items():
                if name.rpartition(".")[0] == feature:
                    self.check_story(name, exit_, [s for s in said.values()
                                                   if s.message.deployment == name])

    def check_story(self, name, exit_, said):
        """What was told to other teams fits the exit."""
        kinds = [s.kind for s in said]
        if "deployment_finished" in kinds and kinds[-1] != "deployment_finished":
            self.fault(name, f"told more after its end: {kinds}")
        full = any(s.kind == "feature_available" and s.body.full for s in said)
        if exit_ == "COMPLETED" and not ("feature_deployed" in kinds and full):
            self.fault(name, f"COMPLETED, told only {kinds}")
        if exit_ == "ROLLED_BACK" and "feature_rolled_back" not in kinds:
            self.fault(name, f"ROLLED_BACK, told only {kinds}")

    def check_lanes(self, names, ended):
        granted, released = collections.defaultdict(dict), collections.defaultdict(dict)
        for s in self.events:
            if s.kind == "lane_granted":
                granted[s.body.lane].setdefault(s.body.grant, s)
            if s.kind == "lane_released" and not s.body.withdrawn:
                released[s.body.lane].setdefault(s.body.grant, s)
        for lane, grants in granted.items():
            for number, s in sorted(grants.items()):
                back = released[lane].get(number)
                if back is None and ended and s.body.deployment in names:
                    self.fault(s.body.deployment, f"never gave back {lane}, grant {number}")
                after = grants.get(number + 1)
                if after is not None and (back is None or after.ms < back.ms):
                    self.fault(after.body.deployment, f"was granted {lane} while "
                               f"{s.body.deployment} held it")

    def check_ids(self):
        contents = {}
        for s in (*self.signals, *self.controls, *self.commands):
            if contents.setdefault((s.topic, s.id), s.raw) != s.raw:
                self.fault(s.id, f"two contents under one id: {s}")

    def check_effects(self):
        last, first = {}, {}
        for instance, version, fence, what, *at in self.calls:
            if what == "begun":
                number = tuple(int(part) for part in fence.split("."))
                if number < last.get(instance, (0, 0)):
                    self.fault(instance, f"fence {fence} after {last[instance]}")
                last[instance] = max(number, last.get(instance, (0, 0)))
                continue
            ms = int(at[0]) if at else None
            if (instance, fence) not in first:
                first[instance, fence] = version, ms
            elif first[instance, fence][0] == version and \
                    self.claim_was_forgotten(first[instance, fence][1], ms):
                self.repeated += 1
            else:
                self.fault(instance, f"{version} twice under fence {fence}")

    def claim_was_forgotten(self, first_ms, again_ms):
        """Whether Redis forgot between the two who had claimed that drive: then, and only then,
        may another be at it under the same fence, which the target knows it by."""
        return first_ms is not None and again_ms is not None and any(
            first_ms <= at + 5_000 and at <= again_ms <= at + 60_000 for at in self.forgot)
