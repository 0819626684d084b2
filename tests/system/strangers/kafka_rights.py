"""Gives rights to users of a Kafka, as an operator's tool would.

Standard input: {"brokers", "rights": [[user, "TOPIC", "GROUP" or "CLUSTER", name, operation]]}. A name that
ends with * is a prefix.
"""
import json
import sys
import time

from confluent_kafka.admin import (AclBinding, AclBindingFilter, AclOperation, AclPermissionType, AdminClient,
                                   ResourcePatternType, ResourceType)


def binding(user, kind, name, operation):
    pattern = ResourcePatternType.PREFIXED if name.endswith("*") else ResourcePatternType.LITERAL
    return AclBinding(ResourceType["BROKER" if kind == "CLUSTER" else kind], name.rstrip("*"), pattern, f"User:{user}", "*",
                      AclOperation[operation], AclPermissionType.ALLOW)


def given(admin, wanted, seconds=60):
    """Whether the broker that decides knows them all: it learns of them after the answer."""
    everything = AclBindingFilter(ResourceType.ANY, None, ResourcePatternType.ANY, None, None,
                                  AclOperation.ANY, AclPermissionType.ANY)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        known = {shape(b) for b in admin.describe_acls(everything).result(60)}
        if known >= {shape(b) for b in wanted}:
            return True
        time.sleep(0.1)
    return False


def shape(b):
    return (b.restype, b.name, b.resource_pattern_type, b.principal, b.operation)


order = json.load(sys.stdin)
admin = AdminClient({"bootstrap.servers": order["brokers"]})
bindings = [binding(*right) for right in order["rights"]]
for future in admin.create_acls(bindings).values():
    future.result(60)
if not given(admin, bindings):
    sys.exit("the broker does not know the rights that it was given")
