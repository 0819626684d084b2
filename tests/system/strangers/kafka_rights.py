"""Gives rights to users of a Kafka, as an operator's tool would.

Standard input: {"brokers", "rights": [[user, "TOPIC", "GROUP" or "CLUSTER", name, operation]]}. A name that
ends with * is a prefix.
"""
import json
import sys

from confluent_kafka.admin import (AclBinding, AclOperation, AclPermissionType, AdminClient,
                                   ResourcePatternType, ResourceType)


def binding(user, kind, name, operation):
    pattern = ResourcePatternType.PREFIXED if name.endswith("*") else ResourcePatternType.LITERAL
    return AclBinding(ResourceType["BROKER" if kind == "CLUSTER" else kind], name.rstrip("*"), pattern, f"User:{user}", "*",
                      AclOperation[operation], AclPermissionType.ALLOW)


order = json.load(sys.stdin)
admin = AdminClient({"bootstrap.servers": order["brokers"]})
for future in admin.create_acls([binding(*right) for right in order["rights"]]).values():
    future.result(60)
