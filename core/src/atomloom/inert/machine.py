"""The pickle machine: a stack, a memo and the instructions that move values between them.

None of the instructions imports, calls a method that the file chose, or sets an attribute: what the file wants done
to a `Stub` is recorded in it, what it wants done to anything but a plain container is refused.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, BinaryIO, Final

from atomloom.inert.keys import key, keys
from atomloom.inert.limits import OPCODES, Budget, Refused
from atomloom.inert.names import called, finished, named, unfinished
from atomloom.inert.source import LITERALS, Source
from atomloom.inert.stub import Stub

_CONTAINER = 400
"""Bytes that an empty container or a stub takes, on the safe side."""

_MEMO_ENTRY = 100
_POINTER = 8
_NEWEST = 5
"""The newest protocol that this machine knows."""

_STOP = b"."


Step = Callable[["Machine"], None]


class Machine:
    """Follows one pickle.

    Args:
        stream: where it stands.
        size: bytes that are left in `stream`.
    """

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self.source = Source(stream, size)
        self.budget = Budget(size)
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []
        self.memo: dict[int, Any] = {}
        self.open: dict[int, list[int]] = {}
        """For each unfinished stub (by id) the places in the memo that hold it."""
        self.opcode = b""
        self.start = 0

    def run(self) -> Any:
        """Executes the instructions up to the STOP and returns the value that they leave."""
        source, steps = self.source, _STEPS
        for _ in range(OPCODES):
            self.start, self.opcode = source.at, b""
            self.opcode = opcode = source.opcode()
            if opcode == _STOP:
                return self.pop()
            step = steps.get(opcode)
            if step is None:
                raise Refused("there is no such instruction")
            step(self)
        raise Refused(f"it has more than {OPCODES} instructions")

    def pop(self) -> Any:
        """The newest value above the newest mark."""
        if not self.stack:
            raise Refused("it takes a value where there is none")
        return self.stack.pop()

    def top(self) -> Any:
        """The newest value, left in its place."""
        if not self.stack:
            raise Refused("it needs a value where there is none")
        return self.stack[-1]

    def push(self, value: Any) -> None:
        """Puts a value on the stack."""
        self.stack.append(value)

    def make(self, value: Any) -> None:
        """Puts a new container on the stack, at the cost of its memory."""
        self.budget.spend(_CONTAINER)
        self.stack.append(value)

    def since_mark(self) -> list[Any]:
        """All values above the newest mark, which goes with them."""
        if not self.marks:
            raise Refused("it goes back to a mark that was not set")
        values, self.stack = self.stack, self.marks.pop()
        return values

    def pairs(self) -> list[tuple[Any, Any]]:
        """The values above the newest mark, two by two."""
        values = self.since_mark()
        if len(values) % 2:
            raise Refused("a key comes without its value")
        self.budget.spend(_CONTAINER + len(values) * _POINTER)
        return list(zip(values[::2], values[1::2], strict=True))


def _mark(machine: Machine) -> None:
    machine.budget.spend(_CONTAINER)
    machine.marks.append(machine.stack)
    machine.stack = []


def _drop(machine: Machine) -> None:
    if machine.stack:
        machine.stack.pop()
    else:
        machine.since_mark()


def _drop_to_mark(machine: Machine) -> None:
    machine.since_mark()


def _tuple(count: int) -> Step:
    def step(machine: Machine) -> None:
        values = [machine.pop() for _ in range(count)]
        machine.make(tuple(reversed(values)))

    return step


def _collect(kind: Callable[[list[Any]], Any]) -> Step:
    def step(machine: Machine) -> None:
        values = machine.since_mark()
        machine.budget.spend(len(values) * _POINTER)
        machine.make(kind(values))

    return step


def _dict(machine: Machine) -> None:
    made: dict[Any, Any] = {}
    _set(made, machine.pairs(), machine)
    machine.make(made)


def _set(target: Any, pairs: list[tuple[Any, Any]], machine: Machine) -> None:
    machine.budget.spend(_MEMO_ENTRY * len(pairs))
    if type(target) in (dict, OrderedDict):
        for name, value in pairs:
            target[key(name)] = value
    elif type(target) is Stub:
        target.entries.extend(pairs)
    else:
        raise Refused(f"it sets an item of a {type(target).__name__}")


def _set_one(machine: Machine) -> None:
    value, name = machine.pop(), machine.pop()
    _set(machine.top(), [(name, value)], machine)


def _set_many(machine: Machine) -> None:
    pairs = machine.pairs()
    _set(machine.top(), pairs, machine)


def _extend(target: Any, values: list[Any]) -> None:
    if type(target) is list:
        target.extend(values)
    elif type(target) is Stub:
        target.items.extend(values)
    else:
        raise Refused(f"it appends to a {type(target).__name__}")


def _append_one(machine: Machine) -> None:
    value = machine.pop()
    _extend(machine.top(), [value])


def _append_many(machine: Machine) -> None:
    values = machine.since_mark()
    _extend(machine.top(), values)


def _add_many(machine: Machine) -> None:
    values, target = machine.since_mark(), machine.top()
    if type(target) is set:
        machine.budget.spend(_MEMO_ENTRY * len(values))
        target.update(keys(values))
    elif type(target) is Stub:
        target.items.extend(values)
    else:
        raise Refused(f"it adds members to a {type(target).__name__}")


def _remember(place: Callable[[Machine], int]) -> Step:
    def step(machine: Machine) -> None:
        at, value = place(machine), machine.top()
        if at < 0:
            raise Refused("it remembers a value under a negative number")
        machine.budget.spend(_MEMO_ENTRY)
        machine.memo[at] = value
        if unfinished(value):
            machine.open.setdefault(id(value), []).append(at)

    return step


def _recall(place: Callable[[Machine], int]) -> Step:
    def step(machine: Machine) -> None:
        at = place(machine)
        if at not in machine.memo:
            raise Refused(f"it recalls value {at}, which it never remembered")
        machine.push(machine.memo[at])

    return step


def _name(machine: Machine) -> None:
    machine.make(named(machine.source.name(), machine.source.name()))


def _name_from_stack(machine: Machine) -> None:
    name, module = machine.pop(), machine.pop()
    if type(name) is not str or type(module) is not str:
        raise Refused("a name is not text")
    machine.make(named(module, name))


def _call(machine: Machine) -> None:
    args, function = machine.pop(), machine.pop()
    machine.make(called(function, args, None, machine.budget))


def _new(machine: Machine) -> None:
    args, kind = machine.pop(), machine.pop()
    machine.make(called(kind, args, None, machine.budget, new=True))


def _new_with_keywords(machine: Machine) -> None:
    kwargs, args, kind = machine.pop(), machine.pop(), machine.pop()
    if type(kwargs) is not dict:
        raise Refused("keyword arguments are not a dict")
    machine.make(called(kind, args, kwargs, machine.budget, new=True))


def _instance(machine: Machine) -> None:
    """INST and OBJ: the class of protocol 0 stands in a line, that of protocol 1 under the arguments."""
    in_line = named(machine.source.name(), machine.source.name()) if machine.opcode == b"i" else None
    args = machine.since_mark()
    if in_line is None and not args:
        raise Refused("it makes an instance of nothing")
    kind = args.pop(0) if in_line is None else in_line
    machine.make(called(kind, tuple(args), None, machine.budget))


def _build(machine: Machine) -> None:
    state, target = machine.pop(), machine.top()
    if type(target) is OrderedDict:
        return  # attributes beside the items, such as torch's version numbers: nothing that a dict could keep
    if type(target) is not Stub or target.args is None:
        what = "a name" if type(target) is Stub else f"a {type(target).__name__}"
        raise Refused(f"it sets the attributes of {what}")
    if target.state is not None:
        raise Refused("it sets the attributes of one thing twice")
    target.state = state
    value = finished(target, state, machine.budget)
    if value is not None:
        machine.stack[-1] = value
        for at in machine.open.pop(id(target), ()):
            if machine.memo[at] is target:
                machine.memo[at] = value


def _persistent(machine: Machine) -> None:
    name = machine.source.name() if machine.opcode == b"P" else machine.pop()
    machine.make(Stub("", "persistent id", (name,)))


def _protocol(machine: Machine) -> None:
    version = machine.source.number(1)
    if version > _NEWEST:
        raise Refused(f"it is written in protocol {version}, and {_NEWEST} is the newest known")


def _frame(machine: Machine) -> None:
    """The size of what follows in one piece: of use to a reader that fetches it ahead, which this one does not."""
    machine.source.number(8)


def _extension(machine: Machine) -> None:
    raise Refused("it uses a number that only the program which wrote it can resolve to a class")


def _buffer(machine: Machine) -> None:
    raise Refused("its data were kept outside of the file")


def _literal(read: Callable[[Source], object]) -> Step:
    def step(machine: Machine) -> None:
        machine.stack.append(read(machine.source))

    return step


def _number(width: int) -> Callable[[Machine], int]:
    return lambda machine: machine.source.number(width)


def _line(machine: Machine) -> int:
    return int(machine.source.line())


_STEPS: Final[dict[bytes, Step]] = {
    **{opcode: _literal(read) for opcode, read in LITERALS.items()},
    b"(": _mark,
    b"0": _drop,
    b"1": _drop_to_mark,
    b"2": lambda machine: machine.push(machine.top()),
    b")": _tuple(0),
    b"\x85": _tuple(1),
    b"\x86": _tuple(2),
    b"\x87": _tuple(3),
    b"t": _collect(tuple),
    b"]": lambda machine: machine.make([]),
    b"l": _collect(list),
    b"}": lambda machine: machine.make({}),
    b"d": _dict,
    b"\x8f": lambda machine: machine.make(set()),
    b"\x91": _collect(lambda values: frozenset(keys(values))),
    b"s": _set_one,
    b"u": _set_many,
    b"a": _append_one,
    b"e": _append_many,
    b"\x90": _add_many,
    b"p": _remember(_line),
    b"q": _remember(_number(1)),
    b"r": _remember(_number(4)),
    b"\x94": _remember(lambda machine: len(machine.memo)),
    b"g": _recall(_line),
    b"h": _recall(_number(1)),
    b"j": _recall(_number(4)),
    b"c": _name,
    b"\x93": _name_from_stack,
    b"R": _call,
    b"\x81": _new,
    b"\x92": _new_with_keywords,
    b"i": _instance,
    b"o": _instance,
    b"b": _build,
    b"P": _persistent,
    b"Q": _persistent,
    b"\x80": _protocol,
    b"\x95": _frame,
    b"\x82": _extension,
    b"\x83": _extension,
    b"\x84": _extension,
    b"\x97": _buffer,
    b"\x98": lambda machine: None,
}
