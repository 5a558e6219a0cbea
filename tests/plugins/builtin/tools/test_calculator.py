"""The calculator: exact results, clear errors, and no expression that takes long or runs code."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgllm.plugins.builtin.tools.expression import MOST_CHARS, calculate, written
from tgllm.plugins.builtin.tools.numbers import CannotCalculate


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("2*(3+4)", "14"),
        ("0.1 + 0.2", "0.3"),
        ("-2**2", "-4"),
        ("2^-1", "0.5"),
        ("2**3**2", "512"),
        ("7 // 2", "3"),
        ("-7 // 2", "-4"),
        ("-7 % 3", "2"),
        ("17 mod 5", "2"),
        ("15% of 80", "12"),
        ("200*15%", "30"),
        ("50% + 1", "1.5"),
        ("1/3", "1/3 ≈ 0.333333333333333333333333333333"),
        ("-1/8", "-0.125"),
        ("1.5e3", "1500"),
        ("1_000_000 × 3 ÷ 2", "1500000"),
        ("2**200", str(2**200)),
        ("20!", "2432902008176640000"),
        ("sqrt(16/9)", "4/3 ≈ 1.33333333333333333333333333333"),
        ("sqrt(2)", "≈ 1.41421356237309504880168872421"),
        ("log2(1024)", "≈ 10"),
        ("log(8, 2)", "≈ 3"),
        ("sin(pi/6)", "≈ 0.5"),
        ("round(2.5)", "3"),
        ("round(-2.345, 2)", "-2.35"),
        ("round(1234, -2)", "1200"),
        ("floor(-0.5) + ceil(0.5)", "0"),
        ("mean(1, 2) + median(3, 1, 2)", "3.5"),
        ("min(3, 1/3, 2)", "1/3 ≈ 0.333333333333333333333333333333"),
        ("gcd(12, 18) + lcm(4, 6)", "18"),
        ("comb(49, 6)", "13983816"),
        ("abs(-3)", "3"),
        ("0**0", "1"),
        ("(-1)**999999999999", "-1"),
        ("1e600 / 1e600", "1"),
        ("exp(-9999)", "≈ 0"),
    ],
)
def test_a_result_is_exact_where_it_can_be(expression: str, result: str) -> None:
    assert written(calculate(expression)) == result


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("", "empty"),
        ("1/0", "division by zero"),
        ("5 % 0", "division by zero"),
        ("0**-1", "division by zero"),
        ("9**9**9", "more than 1000 digits"),
        ("(1/9)**9**9", "more than 1000 digits"),
        ("1e5000", "more than 1000 digits"),
        ("1e900*1e900", "more than 1000 digits"),
        ("99999!", "more than 1000 digits"),
        ("exp(1e9)", "too large"),
        ("atan(1e400)", "too large"),
        ("degrees(exp(800))", "too large"),
        ("floor(degrees(sqrt(450!)))", "too large"),
        ("comb(10**9, 5)", "up to 3000"),
        ("sqrt(-1)", "not a real number"),
        ("(-8)**(1/3)", "not a real number"),
        ("ln(0)", "above 0"),
        ("asin(2)", "not a real number"),
        ("2.5!", "whole number"),
        ("1,000", "commas"),
        ("2(3)", "write *"),
        ("2 pi", "write *"),
        ("(1", "closing bracket"),
        ("1 +", "ends too early"),
        ("* 2", "missing before '*'"),
        ("sqrt 2", "sqrt(2)"),
        ("sqrt(1, 2)", "number of arguments: 1, not 2"),
        ("sine(1)", "sine is not known; known are pi"),
        ("__import__('os')", "not understood"),
        ("x.y", "'.y' is not understood"),
        ("1 = 1", "not understood"),
        ("(" * 400, "nested"),
        ("-" * 400 + "1", "nested"),
        ("2**" * 300 + "2", "nested"),
        ("1+" * MOST_CHARS, "more than 1000 characters"),
    ],
)
def test_what_has_no_result_says_why(expression: str, why: str) -> None:
    with pytest.raises(CannotCalculate) as raised:
        written(calculate(expression))

    assert why in str(raised.value)


@given(st.text(alphabet="0123456789.e+-*/%^!(),pi sqrtmodlnround", max_size=60))
def test_any_text_gives_a_short_result_or_an_error(text: str) -> None:
    try:
        result = written(calculate(text))
    except CannotCalculate as error:
        result = str(error)
    assert 0 < len(result) < 1100


@given(st.integers(-(10**30), 10**30), st.integers(-(10**30), 10**30), st.sampled_from(["+", "-", "*"]))
def test_integers_are_calculated_as_python_does(left: int, right: int, sign: str) -> None:
    known = {"+": left + right, "-": left - right, "*": left * right}[sign]

    assert written(calculate(f"({left}) {sign} ({right})")) == str(known)
