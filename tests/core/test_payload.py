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
