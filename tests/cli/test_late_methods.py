"""Data classes whose methods are generated late behave like those of ``dataclasses``."""

import copy
import dataclasses
import inspect
import pickle
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from tgllm.cli import late_methods
from tgllm.cli.late_methods import late_dataclass
from tgllm.cli.main import main

SOURCE = '''
import dataclasses
from dataclasses import KW_ONLY, InitVar, field
from typing import ClassVar, Generic, TypeVar

T = TypeVar("T")

@dataclass(frozen=True, slots=True)
class Frozen:
    """A value."""
    a: int
    b: "list[str]" = field(default_factory=list, compare=False)
    _: KW_ONLY
    c: str = "c"
    count: ClassVar[int] = 7

    @property
    def double(self) -> int:
        return 2 * self.a

@dataclass
class Open:
    a: int = 1

@dataclass(slots=True, eq=False)
class Handle:
    a: int
    hidden: str = field(default="x", repr=False)

@dataclass(frozen=True)
class Checked:
    a: int
    extra: InitVar[int] = 3
    sum: int = field(init=False)

    def __post_init__(self, extra: int) -> None:
        object.__setattr__(self, "sum", self.a + extra)

@dataclass(frozen=True, slots=True, kw_only=True)
class Named(Generic[T]):
    value: T
    other: int | None = None

@dataclass(frozen=True, slots=True)
class Below(Frozen):
    d: float = 0.5

class Plain(Checked):
    pass

@dataclass(slots=True)
class Own:
    a: int
    def __repr__(self) -> str:
        return "own"
'''


@pytest.fixture(params=["standard", "late"])
def made(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A module with the classes, made by one of the decorators."""
    module = ModuleType("tgllm.sample")
    vars(module)["dataclass"] = late_dataclass if request.param == "late" else dataclasses.dataclass
    sys.modules["tgllm.sample"] = module
    exec(SOURCE, vars(module))
    yield module
    del sys.modules["tgllm.sample"]


def test_values(made: Any) -> None:
    one = made.Frozen(1, ["x"], c="d")
    assert repr(one) == "Frozen(a=1, b=['x'], c='d')"
    assert one == made.Frozen(a=1, c="d")
    assert one != made.Frozen(2, c="d")
    assert one != (1, ["x"], "d")
    assert hash(one) == hash(made.Frozen(1, c="d"))
    assert {one: 1}[made.Frozen(1, c="d")] == 1
    assert made.Frozen(1).b is not made.Frozen(1).b
    assert (one.double, made.Frozen.count) == (2, 7)
    assert dataclasses.asdict(one) == {"a": 1, "b": ["x"], "c": "d"}
    assert dataclasses.replace(one, a=5) == made.Frozen(5, c="d")
    match one:
        case made.Frozen(a, b):
            assert (a, b) == (1, ["x"])
    assert not hasattr(one, "__dict__")


def test_mistakes(made: Any) -> None:
    for call in (made.Frozen, lambda: made.Frozen(1, [], "c"), lambda: made.Frozen(1, x=2)):
        with pytest.raises(TypeError, match=r"__init__\(\)"):
            call()
    one = made.Frozen(1)
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'a'"):
        one.a = 2
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'a'"):
        del one.a
    with pytest.raises(TypeError, match="unhashable"):
        hash(made.Open())


def test_copies(made: Any) -> None:
    one = made.Frozen(1, ["x"])
    for other in (copy.copy(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        assert other == one
        assert other.b == ["x"]


def test_other_kinds(made: Any) -> None:
    open_ = made.Open()
    open_.a = 2
    assert (open_, repr(open_)) == (made.Open(2), "Open(a=2)")
    assert made.Handle(1) != made.Handle(1)
    assert hash(made.Handle(1))
    assert repr(made.Handle(1)) == "Handle(a=1)"
    assert repr(made.Checked(1, 2)) == "Checked(a=1, sum=3)"
    assert made.Named(value=1) == made.Named(value=1, other=None)
    assert repr(made.Own(1)) == "own"
    assert repr(made.Below(1, d=2)) == "Below(a=1, b=[], c='c', d=2)"
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.Below(1).d = 3
    plain = made.Plain(1)
    plain.other = 5
    with pytest.raises(dataclasses.FrozenInstanceError):
        plain.a = 5
    assert (plain.other, plain.sum) == (5, 4)


def test_descriptions(made: Any) -> None:
    assert str(inspect.signature(made.Named)) == "(*, value: ~T, other: int | None = None) -> None"
    assert [field.name for field in dataclasses.fields(made.Below)] == ["a", "b", "c", "d"]
    assert made.Frozen.__doc__ == "A value."
    assert made.Frozen.__match_args__ == ("a", "b")
    assert made.Frozen.__init__.__qualname__ == "Frozen.__init__"
    params = made.Frozen.__dataclass_params__
    assert (params.init, params.repr, params.eq, params.order, params.frozen) == (True, True, True, False, True)
    assert dataclasses.is_dataclass(made.Open)


def test_methods_are_generated_when_they_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    standard = dataclasses.dataclass

    def counted(cls: type[Any], **options: Any) -> Any:
        compiled.extend(name for name in ("init", "repr", "eq") if options.get(name))
        return standard(cls, **options)

    monkeypatch.setattr(late_methods, "_STANDARD", counted)
    value = type("Value", (), {"__annotations__": {"a": int}, "__module__": "tgllm.sample"})
    made = late_dataclass(frozen=True, slots=True)(value)
    assert compiled == []
    one, two = made(1), made(1)
    assert compiled == ["init"]
    assert one == two
    assert compiled == ["init", "eq"]
    elsewhere = type("Value", (), {"__annotations__": {"a": int}, "__module__": "elsewhere"})
    assert late_dataclass(elsewhere)(1) == late_dataclass(elsewhere)(1)


@pytest.mark.parametrize(("command", "times"), [("run", 1), ("usage", 0)])
def test_only_the_bot_itself_uses_them(monkeypatch: pytest.MonkeyPatch, command: str, times: int) -> None:
    activated: list[str] = []
    monkeypatch.setattr(late_methods, "activate", lambda: activated.append(command))
    assert main([command, "--help"]) == 0
    assert len(activated) == times
