"""No text reaches Python, and none takes much memory or goes on without end."""

import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idms_cli.templates.moments import sample_occasion
from idms_cli.templates.texts import MOST, NotAText, Unrendered, parse_text, parse_value

VALUES: dict[str, Any] = {**sample_occasion(), "x": "text", "n": 1, "rows": [{"ID": 1}], "d": Decimal(1)}

# Ways out of a template that are known for Jinja2: PayloadsAllTheThings, "Server Side Template Injection";
# CVE-2016-10745, CVE-2019-10906, CVE-2024-56201, CVE-2024-56326, CVE-2025-27516.
ATTACKS = [
    "{{ x.__class__ }}",
    "{{ x['__class__'] }}",
    "{{ x|attr('__class__') }}",
    "{{ x|attr('format') }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ ''['__class__']['__mro__'][1]['__subclasses__']() }}",
    "{{ [].__class__.__base__.__subclasses__() }}",
    "{{ x.format }}",
    "{{ '{0.__class__}'.format(x) }}",
    "{{ '{0.__class__}'['format'](x) }}",
    "{{ '%s'|format(x) }}",
    "{{ '%0999999999d' % n }}",
    "{{ x.format_map({}) }}",
    "{{ x|map('upper')|list }}",
    "{{ rows|map(attribute='__class__')|list }}",
    "{{ rows|pick('__class__')|first.mro }}",
    "{{ rows|groupby('__class__') }}",
    "{{ rows|selectattr('__class__') }}",
    "{{ rows.append(1) }}",
    "{{ rows[0].update({'ID': 2}) }}",
    "{{ rows[0].__init__.__globals__ }}",
    "{{ run.clear() }}",
    "{{ self }}",
    "{{ self.__init__.__globals__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ joiner }}",
    "{{ namespace(a=1) }}",
    "{{ lipsum.__globals__['os'].popen('id').read() }}",
    "{{ lipsum(5) }}",
    "{{ dict(a=1) }}",
    "{{ config }}",
    "{{ request.application.__globals__ }}",
    "{{ get_flashed_messages.__globals__ }}",
    "{{ url_for.__globals__ }}",
    "{{ range.__class__ }}",
    "{{ range.__globals__ }}",
    "{{ range(3).__class__ }}",
    "{{ range(*[3]) }}",
    "{{ range(n, end=3) }}",
    "{{ loop }}",
    "{% for i in rows %}{{ loop.__class__ }}{% endfor %}",
    "{% for i in rows %}{{ loop._iterator }}{% endfor %}",
    "{% for i in rows %}{{ loop['_iterator'] }}{% endfor %}",
    "{% for i in rows %}{{ loop.cycle('a', 'b') }}{% endfor %}",
    "{% for i in rows %}{{ loop.changed }}{% endfor %}",
    "{% for i in rows %}{{ loop }}{% endfor %}",
    "{% for i in rows recursive %}{{ loop(rows) }}{% endfor %}",
    "{% import 'os' as os %}",
    "{% from 'os' import system %}",
    "{% include '/etc/passwd' %}",
    "{% extends '/etc/passwd' %}",
    "{% block a %}{% endblock %}",
    "{% macro m() %}{{ caller() }}{% endmacro %}{{ m() }}",
    "{% macro m() %}{{ varargs }}{% endmacro %}",
    "{% call(x) m() %}{% endcall %}",
    "{% filter upper %}x{% endfilter %}",
    "{% set x %}y{% endset %}",
    "{% set x.y = 1 %}",
    "{% set range = x %}{{ range(2) }}",
    "{% for range in [x] %}{{ range(2) }}{% endfor %}",
    "{% do x %}",
    "{% autoescape true %}{% endautoescape %}",
    "{% trans %}x{% endtrans %}",
    "{% debug %}",
    "{{ _ }}",
    "{{ __builtins__ }}",
    "{{ super() }}",
    "{{ caller }}",
    "{{ slot.__class__ }}",
    "{{ slot.keys }}",
    "{{ slot['keys'] }}",
    "{{ slot.keys() }}",
    "{{ d.as_tuple }}",
    "{{ n.real }}",
    "{{ n.to_bytes(9, 'big') }}",
    "{{ true.__class__ }}",
    "{{ none.__class__ }}",
    "{{ (x, 1).count }}",
    "{{ {'a': 1}.items() }}",
    "{{ nothing.__class__ }}",
    "{{ nothing['__class__'] }}",
    "{{ nothing._fail_with_undefined_error }}",
    "{{ nothing._undefined_exception.__globals__ }}",
    "{{ x[nothing] }}",
    "{{ x['a':] }}",
    "{{ n ** 9 }}",
    "{{ x * 9 }}",
    "{{ rows * 9 }}",
    "{{ rows + rows }}",
    "{{ x|replace('', 'y') }}",
    "{{ 'its budget' }}{{ its budget }}",
    "{{ x|each of }}",
    "{{ x is sameas x }}",
    "{{ x is filter }}",
    "{{ x is callable }}",
    "{{ x is defined(1) }}",
    "{{ x|tojson }}",
    "{{ x|pprint }}",
    "{{ x|xmlattr }}",
    "{{ x|safe }}",
    "{{ x|string }}",
    "{{ x|batch(3) }}",
    "{{ x|slice(3) }}",
    "{{ x|random }}",
    "{{ x|center(999999999) }}",
    "{{ x|indent(999999999) }}",
    "{{ x|wordwrap }}",
    "{{ x|left(999999999) }}",
    "{{ x|json(99) }}",
    "{{ slot|date('%0900000000d') }}",
    "{{ slot|date('%' ~ '999999999c') }}",
    "{{ range(999999999) }}",
    "{{ range(1, 2, 0) }}",
    "{{ range(0.5) }}",
    "{{ " + "(" * 3000 + "x" + ")" * 3000 + " }}",
    "{{ " + "[" * 60 + "x" + "]" * 60 + " }}",
    "{% if x %}" * 60 + "{% endif %}" * 60,
]  # fmt: skip


@pytest.mark.parametrize("text", ATTACKS)
def test_what_is_more_than_values_and_their_parts_is_refused(text: str) -> None:
    for parse in (parse_text, parse_value):
        with pytest.raises((NotAText, Unrendered)):
            parse(text).render(VALUES)


def test_a_value_is_never_read_as_a_template() -> None:
    assert parse_text("{{ x }}{{ x|upper }}").render({"x": "{{ n }}{% for"}) == "{{ n }}{% for{{ N }}{% FOR"


@given(st.text(st.sampled_from(list("{}%#'\"xn |[]().~+-*/:_<>=! \n0'")), max_size=25))
def test_whatever_is_written_is_refused_or_makes_text(text: str) -> None:
    try:
        assert isinstance(parse_text(text).render(VALUES, steps=100), str)
    except (NotAText, Unrendered):
        return


DOUBLED = "{% set a = [x] %}" + "{% set a = [a, a] %}" * 40
HOSTILE = [
    "{% for i in range(9000) %}" * 4 + "{% endfor %}" * 4,
    "{% for i in range(100000) %}{{ x * 2 }}{% endfor %}",
    "{% for i in range(100000) %}{{ 'x'|left(10000) }}{% endfor %}",
    "{% set a = 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' %}" + "{% set a = a ~ a %}" * 60 + "{{ a }}",
    "{% set a = 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' %}" + "{% set a = a + a %}" * 60 + "{{ a }}",
    "{% set a = 'x' %}" + "{% set a = a|replace('x', 'xxxxxxxxxx') %}" * 60 + "{{ a|length }}",
    "{% set a = 9999999999 %}" + "{% set a = a * a %}" * 60 + "{{ a }}",
    DOUBLED + "{{ a|json }}",
    DOUBLED + "{% set b = [x] %}" + "{% set b = [b, b] %}" * 40 + "{{ a == b }}",
    DOUBLED.replace("[a, a]", "{'a': a, 'b': a}") + "{{ a|json }}",
    DOUBLED.replace("[a, a]", "(a, a)") + "{{ a|json }}",
    "{{ [range(100000)]|json|length }}" * 100,
    "{{ " + "range(100000)|" + "unique|" * 6 + "sum }}",
    "{{ " + " ~ ".join(["x"] * 1_500) + " }}",
    "{{ x }}" * 2_000,
]  # fmt: skip


def test_no_text_that_is_let_through_takes_long_or_much_memory() -> None:
    """All in one process that may use 60 s and 300 MB beside what it starts with."""
    program = f"""
        import resource
        from idms_cli.templates.texts import MOST, NotAText, Unrendered, parse_text

        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        resource.setrlimit(resource.RLIMIT_DATA, (used + 300_000_000,) * 2)
        resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
        for text in {HOSTILE!r}:
            try:
                assert len(parse_text(text).render({{"x": "x" * 999}})) <= MOST
            except (NotAText, Unrendered) as error:
                assert "MemoryError" not in str(error), text
        print("all limited")
    """
    done = subprocess.run(
        [sys.executable, "-"], input=textwrap.dedent(program), capture_output=True, text=True, timeout=110, check=False
    )
    assert (done.stdout, done.stderr) == ("all limited\n", "")


class Many:
    """Rows without end of the kind that a document has."""

    def __len__(self) -> int:
        return 1_200

    def records(self) -> Iterator[Mapping[str, Any]]:
        return ({"ID": number} for number in range(len(self)))


def test_every_row_may_have_loops_of_its_own_but_not_all_rows_again() -> None:
    per_row = "{% for row in rows %}{% for i in range(150) %}{% endfor %}{% endfor %}done"
    assert parse_text(per_row).render({"rows": Many()}) == "done"
    twice = "{% for row in rows %}{% endfor %}{% for row in rows %}{{ loop.length if loop.last else '' }}{% endfor %}"
    assert parse_text(twice).render({"rows": Many()}) == "1200"
    with pytest.raises(Unrendered, match="more turns than any document needs"):
        parse_text("{% for a in rows %}{% for b in rows %}{% endfor %}{% endfor %}").render({"rows": Many()})


def test_rows_are_looped_over_and_not_kept() -> None:
    for what in ("rows", "rows|sort", "rows[0]", "rows|join", "rows.x", "rows|first"):
        with pytest.raises(Unrendered):
            parse_text(f"{{{{ {what} }}}}").render({"rows": Many()})
    assert parse_text("{{ rows|length }}").render({"rows": Many()}) == "1200"


def test_what_a_text_makes_is_bounded() -> None:
    with pytest.raises(Unrendered, match=f"it makes more than {MOST:,} characters"):
        parse_text("{% for i in range(1001) %}{{ 'x'|left(10000) }}{% endfor %}").render({})
    with pytest.raises(Unrendered, match="it makes more than 5 characters"):
        parse_text("{{ n }}{{ n }}").render({"n": 123}, limit=5)
