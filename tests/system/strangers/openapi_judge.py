"""Judges a served OpenAPI document, and answers against its schemas.

Standard input: {"document", "answers": [{"what", "schema", "body"}]}. Standard output: complaints.
"""
import json
import sys

from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator


def complaints(document, answers):
    for error in OpenAPIV31SpecValidator(document).iter_errors():
        yield f"the document: {'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
    for answer in answers:
        schema = {**answer["schema"], "components": document["components"]}
        for error in Draft202012Validator(schema).iter_errors(answer["body"]):
            yield f"{answer['what']}: {error.json_path}: {error.message[:300]}"


order = json.load(sys.stdin)
json.dump(list(complaints(order["document"], order["answers"])), sys.stdout)
