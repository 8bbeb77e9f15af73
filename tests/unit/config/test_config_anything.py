"""Whatever is in a document or a variable: it loads, or every mistake is reported."""

from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.examples import examples
from tests.unit.config.documents import COMPLETE, load_text
from vmpooler_common.config import ConfigurationError
from vmpooler_common.config.declare.field import setting_of
from vmpooler_common.config.sections.catalogue import known_sections, settings_groups, single_settings

KEYS = sorted(
    known_sections() | {name.split(".")[-1] for group in settings_groups() for name, _ in group.settings()}
)
VARIABLES = sorted({variable for _, field in single_settings() for variable in setting_of(field).environment})

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["dummy", "linux", ":ldap", "5", "010", "{a}", "redis://lab", "[1]", "yes", "", "("])
)
keys = st.sampled_from(KEYS) | st.text(max_size=8) | st.sampled_from([f":{key}" for key in KEYS])
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)
documents = st.dictionaries(
    st.sampled_from(sorted(known_sections())), st.dictionaries(keys, values, max_size=6) | values, max_size=6
)


steady = settings(max_examples=examples(100), deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A slow machine is no failure."""


def loads_or_says_why(document: str, environ: dict[str, str] | None = None) -> None:
    try:
        load_text(document, environ)
    except ConfigurationError as error:
        problems = error.problems
    else:
        return
    assert problems
    assert all(problem.source and problem.found for problem in problems)


@steady
@given(documents)
def test_any_document_loads_or_says_why(document: Any) -> None:
    loads_or_says_why(yaml.safe_dump(document, allow_unicode=True))


@steady
@given(values)
def test_any_root_loads_or_says_why(root: Any) -> None:
    loads_or_says_why(yaml.safe_dump(root))


@steady
@given(
    st.text(alphabet=st.sampled_from("ab01:-?,[]{}&*!|>'\"%@`#~ \n\t\\<=."), max_size=60)
    | st.text(max_size=60)
)
def test_any_text_loads_or_says_why(text: str) -> None:
    loads_or_says_why(text)


@steady
@given(pool=st.dictionaries(keys, values, max_size=8))
def test_any_pool_loads_or_says_why(pool: dict[str, Any]) -> None:
    own = COMPLETE["pools"][0]
    loads_or_says_why(yaml.safe_dump(COMPLETE | {"pools": [own | pool, own]}))


@steady
@given(st.dictionaries(st.sampled_from(VARIABLES), scalars.map(str), max_size=4))
def test_any_variables_load_or_say_why(environ: dict[str, str]) -> None:
    loads_or_says_why(yaml.safe_dump(COMPLETE), environ)


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_variable_of_bytes_that_are_no_text_loads_or_says_why(variable: str) -> None:
    loads_or_says_why(yaml.safe_dump(COMPLETE), {variable: "\udcff\x00"})
