"""Messages that are stored and read again, also from a stranger's file."""

import json
import math

import pytest

from zim_model.errors import Message, msg


def test_a_stored_message_comes_back_with_its_values():
    inner = msg("the disk is full")
    message = msg(
        "{path!r}: {count:5.1f} {{}} {reason}", path="a", count=2, reason=inner
    )
    back = Message.from_json(json.loads(json.dumps(message.to_json())))
    assert back == message
    assert back.template == message.template
    assert back.values["reason"].template == inner.template


@pytest.mark.parametrize("value", [math.inf, math.nan, 10**400])
def test_numbers_without_a_form_in_json_are_stored_as_text(value):
    stored = msg("{value}", value=value).to_json()
    assert isinstance(json.loads(json.dumps(stored, allow_nan=False)), dict)


def nested(depth):
    data = {"template": "x", "values": {}}
    for _ in range(depth):
        data = {"template": "{a}", "values": {"a": data}}
    return data


@pytest.mark.parametrize(
    "data",
    [
        {"template": "{a:>99999999999}", "values": {"a": 1}},
        {"template": "{a.__class__}", "values": {"a": 1}},
        {"template": "{a[0]}", "values": {"a": "text"}},
        {"template": "{0}", "values": {}},
        {"template": "{b}", "values": {"a": 1}},
        {"template": 3, "values": {}},
        {"template": "x"},
        nested(3000),
    ],
)
def test_a_strangers_message_is_refused(data):
    with pytest.raises((AttributeError, LookupError, TypeError, ValueError)):
        Message.from_json(data)
