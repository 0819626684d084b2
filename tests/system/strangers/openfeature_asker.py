"""An application that asks for flags through the OpenFeature SDK.

Standard input: {"url", "asks": [{"flag", "user", "attributes", "default", "kind"}]}.
Standard output: for each ask {"value", "reason", "variant", "error", "message", "metadata"}.
"""
import json
import sys

from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext


def answer(client, ask):
    context = EvaluationContext(targeting_key=ask.get("user"), attributes=ask.get("attributes", {}))
    kind = ask.get("kind", "boolean")
    details = getattr(client, f"get_{kind}_details")(ask["flag"], ask["default"], context)
    return {"value": details.value, "reason": details.reason, "variant": details.variant,
            "error": details.error_code, "message": details.error_message,
            "metadata": details.flag_metadata}


def main():
    order = json.load(sys.stdin)
    api.set_provider(OFREPProvider(base_url=order["url"], timeout=30))
    client = api.get_client()
    json.dump([answer(client, ask) for ask in order["asks"]], sys.stdout)


main()
