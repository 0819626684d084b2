"""Tries to write what it may not.

Standard input: {"brokers", "users": {user: {"password", "topics": []}}}. Says for each user and topic
what the broker answered, as JSON: {"user topic": error name, "" when it was taken}.
"""
import json
import sys

from confluent_kafka import KafkaError, Producer

NAMES = {KafkaError.TOPIC_AUTHORIZATION_FAILED: "TOPIC_AUTHORIZATION_FAILED"}


def answers(brokers, user, password, topics):
    """Names alone are kept: a user without Describe learns no more than that."""
    said = {}

    def heard(error, record):
        said[f"{user} {record.topic()}"] = (
            "" if error is None else NAMES.get(error.code(), error.name()))
    producer = Producer({
        "bootstrap.servers": brokers, "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN",
        "sasl.username": user, "sasl.password": password, "message.timeout.ms": 20000})
    for topic in topics:
        producer.produce(topic, b"mine", on_delivery=heard)
    producer.flush(60)
    return said


order = json.load(sys.stdin)
told = {}
for user, more in order["users"].items():
    told.update(answers(order["brokers"], user, more["password"], more["topics"]))
print(json.dumps(told))
