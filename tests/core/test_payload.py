import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalapp.core import payload

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(values)
def test_what_is_dumped_is_loaded_again(value):
    assert payload.load(payload.dump(value)) == value


@pytest.mark.parametrize("value", ["\x00", "\ud800", 2**70, {"b": 1, "a": "\x00"}])
def test_no_text_column_is_offended(value):
    text = payload.dump(value)
    assert "\x00" not in text
    text.encode()
    assert payload.load(text) == value


def test_text_that_is_not_json_is_itself():
    assert payload.parse("hello") == "hello"
    assert payload.parse('{"a": 1}') == {"a": 1}
    assert payload.parse("NaN") == "NaN"
    assert payload.parse("[" * 100_000) == "[" * 100_000


def test_integers_beyond_64_bits_stay_exact():
    assert payload.load("123456789012345678901234567890") == 123456789012345678901234567890


@pytest.mark.parametrize("value", ["plain", "\ud800", 2**70])
def test_a_response_carries_stored_text_beside_any_other_value(value):
    body = payload.dump_response({"stored": payload.Stored('{"b":1,"a":"\\ud800"}'), "value": value})
    assert payload.load(body.decode()) == {"stored": {"b": 1, "a": "\ud800"}, "value": value}
