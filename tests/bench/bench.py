#!/usr/bin/env python3
"""Pairs of measurements; see README.md beside this."""
import argparse
import contextlib
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import types
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / "deploy" / "quickstart.d"), str(ROOT / "tests" / "system")]

import confluent_kafka  # noqa: E402
import confluent_kafka.admin  # noqa: E402
import requests  # noqa: E402
from lab import Lab  # noqa: E402
from stage import wait_for  # noqa: E402

ACCEPTANCES, FLAGS, LOAD_S = 100, 100, 5


def messages(folder):
    """The messages of proto/ in Python."""
    files = sorted(str(f) for f in (ROOT / "proto" / "slipway" / "v1").glob("*.proto"))
    subprocess.run(["protoc", f"-I{ROOT / 'proto'}", f"--python_out={folder}", *files], check=True)
    sys.path.insert(0, str(folder))
    import importlib
    found = types.SimpleNamespace()
    for file in files:
        module = importlib.import_module(f"slipway.v1.{pathlib.Path(file).stem}_pb2")
        vars(found).update({k: getattr(module, k) for k in dir(module) if k[0].isupper()})
    return found


def show(what, pairs, unit, higher_is_better=False):
    """One line for each side, and the ratio of their medians."""
    for name, values in pairs.items():
        print(f"  {name:<34} median {statistics.median(values):10.2f} {unit}   "
              f"lowest {min(values):.2f}   highest {max(values):.2f}   of {len(values)}")
    (first, a), *others = pairs.items()
    for second, b in others:
        ratio = statistics.median(b) / statistics.median(a)
        print(f"  {what}: {second} is {ratio:.2f} times {first}"
              + (" (more is better)" if higher_is_better else " (less is better)"))


class Bare:
    """Kafka with nothing around it: one producer, one consumer, one topic."""

    def __init__(self, bootstrap):
        self.topic = f"bench-{uuid.uuid4().hex[:8]}"
        admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": bootstrap})
        for future in admin.create_topics([confluent_kafka.admin.NewTopic(self.topic, 4, 1)],
                                          request_timeout=3).values():
            with contextlib.suppress(confluent_kafka.KafkaException):
                future.result()  # the embedded broker makes topics when they are used
        self.producer = confluent_kafka.Producer({"bootstrap.servers": bootstrap, "linger.ms": 0,
                                                  "enable.idempotence": True})
        self.consumer = confluent_kafka.Consumer({
            "bootstrap.servers": bootstrap, "group.id": "bench", "enable.auto.commit": False,
            "fetch.wait.max.ms": 10, "auto.offset.reset": "earliest"})
        self.consumer.assign([confluent_kafka.TopicPartition(self.topic, p, 0) for p in range(4)])
        self.once(b"warm")

    def once(self, value=b"x" * 300):
        """Milliseconds from produce to consume."""
        began = time.perf_counter()
        self.producer.produce(self.topic, value)
        self.producer.flush(30)
        while (record := self.consumer.poll(0.001)) is None or record.error():
            pass
        return (time.perf_counter() - began) * 1000

    def many(self, count, size):
        """Records a second, produced and consumed."""
        began, left = time.perf_counter(), count
        for number in range(count):
            self.producer.produce(self.topic, b"x" * size, str(number))
            self.producer.poll(0)
        self.producer.flush(60)
        while left > 0:
            left -= sum(not r.error() for r in self.consumer.consume(500, 0.1))
        return count / (time.perf_counter() - began)


def roll_out(lab, service):
    """A deployment of that service whose flag is on for everybody, and stays so."""
    name = lab.begin(service, rollout=[{"name": "all", "percent": 100, "min_time": "300s"}])
    lab.wait(name, lambda s: s["phase"] == "ROLLING_OUT" and s["percent"] == 100)
    wait_for("the flag", lambda: lab.is_on(name, "user-1"))
    return name


def alert(lab, service, rule):
    """A critical alert as monitoring would publish it."""
    batch = lab.messages.AlertBatch(source="bench")
    batch.alerts.add(fingerprint=uuid.uuid4().hex[:16], status=1, severity=3, service=service.name,
                     environment="production", summary="bench", name=rule,
                     starts_at_ms=int(time.time() * 1000))
    return batch.SerializeToString()


def off_after(lab, rule):
    """Milliseconds from the alert's produce until OFREP says off."""
    service = lab.take()
    name = roll_out(lab, service)
    value, session = alert(lab, service, rule), requests.Session()
    url = f"{lab.stage.gateway_url}/ofrep/v1/evaluate/flags/{name.rpartition('.')[0]}"
    ask = {"context": {"targetingKey": "user-1"}}
    headers = list(lab.cloudevent("slipway.v1.AlertBatch").items())
    assert session.post(url, json=ask, timeout=15).json()["value"] is True
    began = time.perf_counter()
    lab.producer.produce("alerts.v1", value, service.name, headers=headers)
    lab.producer.flush(30)
    while session.post(url, json=ask, timeout=15).json()["value"]:
        if time.perf_counter() - began > 60:
            raise SystemExit("the flag stays on: see the logs")
    took = (time.perf_counter() - began) * 1000
    lab.wait_exit(name, "ROLLED_BACK")
    lab.give_back(service)
    return took


def bench_alert(lab, rounds):
    bare, pairs = Bare(lab.stage.bootstrap), {"bare round trip": [], "alert to off, direct": [],
                                              "alert to off, by the coordinator": []}
    off_after(lab, "Any")  # Not counted: a client's first record waits for the topic's metadata.
    for _ in range(rounds):
        pairs["bare round trip"].append(bare.once())
        pairs["alert to off, direct"].append(off_after(lab, "Direct"))
        pairs["alert to off, by the coordinator"].append(off_after(lab, "Any"))
    show("alert", pairs, "ms")


def end_of(lab, topic):
    """Records in the topic so far."""
    consumer = confluent_kafka.Consumer({"bootstrap.servers": lab.stage.bootstrap,
                                         "group.id": "bench-ends"})
    parts = consumer.list_topics(topic, 10).topics[topic].partitions
    ends = [consumer.get_watermark_offsets(confluent_kafka.TopicPartition(topic, p), 10)[1]
            for p in parts]
    consumer.close()
    return sum(ends)


def work_off(lab):
    """Events a second while so many acceptances come to review, and their mean size."""
    services = list(lab.services.values())
    features = [lab.feature_of(services[i % len(services)]) for i in range(ACCEPTANCES)]
    before, began = end_of(lab, "events.v1"), time.perf_counter()
    for feature in features:
        lab.hand_in(feature)
    for feature in features:
        lab.wait(feature["feature"], lambda s: s["phase"] == "IN_REVIEW", 300)
    took, count = time.perf_counter() - began, end_of(lab, "events.v1") - before
    for feature in features:
        lab.request(f"{feature['feature']}.1", "technical-lead", {"reject": {}})
    return count / took, count


def bench_events(lab, rounds):
    bare, pairs = Bare(lab.stage.bootstrap), {"bare Kafka": [], "through the coordinator": []}
    for _ in range(max(1, rounds // 5)):
        rate, count = work_off(lab)
        pairs["through the coordinator"].append(rate)
        pairs["bare Kafka"].append(bare.many(count, 1500))
    show("events", pairs, "a second", True)


def load(url, body=None):
    """Requests a second over 16 kept connections."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        if body:
            script.write(f"wrk.method = 'POST'\nwrk.body = '{body}'\n"
                         "wrk.headers['Content-Type'] = 'application/json'\n")
        script.flush()
        done = subprocess.run(["wrk", "-t1", "-c16", f"-d{LOAD_S}s", "-s", script.name, url],
                              capture_output=True, text=True, check=True)
    if "Non-2xx" in done.stdout:
        raise SystemExit(done.stdout)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout).group(1))


def bench_ofrep(lab, rounds):
    if shutil.which("wrk") is None:
        print("  ofrep: wrk is not installed")
        return
    from test_gateway_faults import grant
    for number in range(FLAGS):
        grant(lab, f"bench-{number}", 50)
    url = lab.stage.gateway_url
    one = f"{url}/ofrep/v1/evaluate/flags/bench-{FLAGS - 1}"
    wait_for("the flags", lambda: requests.post(
        one, json={"context": {"targetingKey": "u"}}, timeout=15).status_code == 200)
    ask = '{"context":{"targetingKey":"user-1"}}'
    pairs = {"/healthz": [], "one flag": [], f"all {FLAGS} flags": []}
    for _ in range(max(1, rounds // 3)):
        pairs["/healthz"].append(load(f"{url}/healthz"))
        pairs["one flag"].append(load(one, ask))
        pairs[f"all {FLAGS} flags"].append(load(f"{url}/ofrep/v1/evaluate/flags", ask))
    show("ofrep", pairs, "a second", True)


PAIRS = {"alert": bench_alert, "events": bench_events, "ofrep": bench_ofrep}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default=ROOT / "build", type=pathlib.Path)
    parser.add_argument("--broker", default="embedded")
    parser.add_argument("--rounds", default=10, type=int)
    parser.add_argument("pairs", nargs="*", choices=[*PAIRS, []], default=[])
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # nothing is left running
    with tempfile.TemporaryDirectory(prefix="slipway-bench-") as folder:
        proto = pathlib.Path(folder) / "proto"
        proto.mkdir()
        lab = Lab(options.build.resolve(), pathlib.Path(folder), options.broker, messages(proto))
        try:
            lab.open()
            print(f"broker: {options.broker}; {options.rounds} rounds")
            for name in options.pairs or PAIRS:
                PAIRS[name](lab, options.rounds)
        finally:
            lab.close()


if __name__ == "__main__":
    main()
