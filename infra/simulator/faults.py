"""Faults a client must survive, switched on by hand, by script and by seed.

For each request the standing faults that match it apply together with at most one more: the next
step of the register's script, else of the common script, else what chance brings. All that was
injected is remembered, so that a test can tell what it caused from what broke.
"""

import random
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Resource = Literal["doc", "pck", "cmd", "tsa"]

_INJECTIONS_KEPT: Final = 10_000


class FaultKind(StrEnum):
    """What goes wrong. "Before" means that the request was not processed at all."""

    REFUSE = "refuse"
    """The connection is refused before a byte is taken."""
    RESET = "reset"
    """The request is read, the connection reset, nothing processed."""
    ANSWER_LOST = "answer-lost"
    """Processed, then the connection is reset: the answer never comes."""
    SILENT_BEFORE = "silent-before"
    """Silence for ``seconds``, then the connection closes; nothing processed."""
    SILENT_AFTER = "silent-after"
    """Processed, then silence for ``seconds`` and the connection closes."""
    LATE = "late"
    """Silence as above; processed only after ``seconds``, when nobody waits any more."""
    SLOW = "slow"
    """Answered properly, but ``seconds`` later."""
    SERVER_ERROR = "server-error"
    """HTTP ``status`` (5xx) with ``text`` or an empty body; nothing processed."""
    SERVER_ERROR_AFTER = "server-error-after"
    """Processed, then HTTP ``status`` (5xx)."""
    WRONG_TICKET_UID = "wrong-ticket-uid"
    """Processed; the ticket carries another document's UID."""
    REFUSE_CODE = "refuse-code"
    """Refused with ``code`` and ``text``; nothing processed."""
    CLOCK_SKEW = "clock-skew"
    """The server's clock is ``seconds`` ahead (or behind, when negative)."""
    NUMBER_TAKEN = "number-taken"
    """Just before, another device registers a document under the expected number."""
    ACCESS_WITHDRAWN = "access-withdrawn"
    """The signing key has no access to the register any more."""
    REGISTER_CLOSED = "register-closed"
    """The register's registration is cancelled."""
    REGISTER_BLOCKED = "register-blocked"
    """The register is blocked."""
    TRUNCATED = "truncated"
    """Processed; half of the answer comes."""
    DUPLICATE = "duplicate"
    """The request is processed twice; the client sees the ``answer`` first or second."""


_MODIFIERS: Final = frozenset(
    {
        FaultKind.SLOW,
        FaultKind.CLOCK_SKEW,
        FaultKind.NUMBER_TAKEN,
        FaultKind.ACCESS_WITHDRAWN,
        FaultKind.REGISTER_CLOSED,
        FaultKind.REGISTER_BLOCKED,
    }
)


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Fault(_Model):
    """One fault and where it strikes; ``register_number`` null means any.

    ``document`` is the index of the document a refusal by code names in a package; null refuses the
    package as a whole, unread.
    """

    kind: FaultKind
    resources: tuple[Resource, ...] = ("doc",)
    register_number: str | None = None
    seconds: float = 0.0
    status: int = Field(default=500, ge=500, le=599)
    code: int = Field(default=9, ge=1, le=13)
    text: str | None = None
    document: int | None = Field(default=None, ge=0)
    answer: Literal["first", "second"] = "second"

    def matches(self, resource: Resource, register: str | None) -> bool:
        """Whether it strikes a request to this resource for this register."""
        return resource in self.resources and self.register_number in (None, register)


_CUT_OFF: Final = Fault(kind=FaultKind.REFUSE, resources=("doc", "pck", "cmd", "tsa"))


class ScriptStep(_Model):
    """One step of a script: a fault, or null to let a request pass; ``times`` it is repeated."""

    fault: Fault | None = None
    resources: tuple[Resource, ...] = ("doc",)
    times: int = Field(default=1, ge=1)

    @model_validator(mode="after")
    def _fault_says_where(self) -> Self:
        if self.fault is not None and self.fault.register_number is not None:
            raise ValueError("a script belongs to a register; its faults name none")
        return self

    @property
    def waits_for(self) -> tuple[Resource, ...]:
        """The resources whose next request takes this step."""
        return self.resources if self.fault is None else self.fault.resources


class RandomFaults(_Model):
    """Chance with a seed: each register draws from a row of its own, so that threads do not matter.

    ``probabilities`` are per request and may add up to 1 at most; ``templates`` give a kind its
    seconds, status, code and text.
    """

    seed: int
    probabilities: Mapping[FaultKind, float] = Field(default_factory=dict)
    templates: tuple[Fault, ...] = ()
    resources: tuple[Resource, ...] = ("doc",)

    @model_validator(mode="after")
    def _probabilities_add_up(self) -> Self:
        chances = self.probabilities.values()
        if any(chance < 0 for chance in chances) or sum(chances) > 1:
            raise ValueError("probabilities are not negative and add up to 1 at most")
        return self


@dataclass(frozen=True, slots=True)
class Injection:
    """A fault that struck."""

    kind: FaultKind
    resource: Resource
    register: str | None


class Faults:
    """The faults in force. Not thread-safe: the simulator holds its lock while it asks."""

    def __init__(self) -> None:
        self.standing: tuple[Fault, ...] = ()
        self.random: RandomFaults | None = None
        self._script: deque[ScriptStep] = deque()
        self._scripts: dict[str, deque[ScriptStep]] = {}
        self._rows: dict[str | None, random.Random] = {}
        self._templates: dict[FaultKind, Fault] = {}
        self._injections: deque[Injection] = deque(maxlen=_INJECTIONS_KEPT)
        self._counts: dict[str | None, Counter[FaultKind]] = defaultdict(Counter)

    def stand(self, *faults: Fault) -> None:
        """Put faults in force until they are cleared."""
        self.standing += faults

    def script(self, steps: Iterable[ScriptStep], *, register: str | None = None) -> None:
        """Set the steps the next requests take, in order: of one register, or of all."""
        expanded = deque(step for step in steps for _ in range(step.times))
        if register is None:
            self._script = expanded
        else:
            self._scripts[register] = expanded

    def by_chance(self, rule: RandomFaults | None) -> None:
        """Set or end the random faults; the rows start anew from the seed."""
        self.random = rule
        self._rows.clear()
        self._templates = {each.kind: each for each in rule.templates} if rule else {}

    def cut_off(self, *, on: bool) -> None:
        """Cut the whole service off, or end it: every connection is refused, nobody listens."""
        self.standing = tuple(each for each in self.standing if each != _CUT_OFF)
        if on:
            self.stand(_CUT_OFF)

    @property
    def is_cut_off(self) -> bool:
        """Whether the whole service is cut off."""
        return _CUT_OFF in self.standing

    def clear(self) -> None:
        """End all faults: standing, scripts and chance. What was injected stays on record."""
        self.standing = ()
        self._script.clear()
        self._scripts.clear()
        self.by_chance(None)

    def forget(self) -> None:
        """Forget what was injected."""
        self._injections.clear()
        self._counts.clear()

    def steps_left(self) -> dict[str, int]:
        """Steps still waiting, by register; the common script under the empty name."""
        left = {"": len(self._script)}
        left.update({register: len(steps) for register, steps in self._scripts.items()})
        return {register: count for register, count in left.items() if count}

    def strike(self, resource: Resource, register: str | None) -> tuple[Fault, ...]:
        """The faults that strike this request; a script step is used up by asking."""
        struck = [fault for fault in self.standing if fault.matches(resource, register)]
        more = self._next(resource, register)
        if more is not None:
            struck.append(more)
        for fault in struck:
            self._injections.append(Injection(fault.kind, resource, register))
            self._counts[register][fault.kind] += 1
        return tuple(struck)

    def injections(self) -> list[Injection]:
        """The latest faults that struck, oldest first."""
        return list(self._injections)

    def counts(self) -> dict[str, dict[str, int]]:
        """How often each kind struck, by register; requests without a register under ""."""
        return {
            register or "": {kind.value: count for kind, count in counter.items()}
            for register, counter in self._counts.items()
        }

    def _next(self, resource: Resource, register: str | None) -> Fault | None:
        own = self._scripts.get(register) if register is not None else None
        for steps in (own, self._script):
            if steps and resource in steps[0].waits_for:
                return steps.popleft().fault
        return self._drawn(resource, register)

    def _drawn(self, resource: Resource, register: str | None) -> Fault | None:
        rule = self.random
        if rule is None or resource not in rule.resources:
            return None
        row = self._rows.get(register)
        if row is None:
            row = self._rows[register] = random.Random(f"{rule.seed}/{register}")  # noqa: S311
        draw = row.random()
        for kind in sorted(rule.probabilities):
            draw -= rule.probabilities[kind]
            if draw < 0:
                template = self._templates.get(kind) or Fault(kind=kind)
                return template.model_copy(update={"resources": (resource,)})
        return None


class Disturbance:
    """The faults of one request, sorted by where they act."""

    __slots__ = ("disruption", "faults")

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.faults = faults
        self.disruption = next((each for each in faults if each.kind not in _MODIFIERS), None)

    def has(self, kind: FaultKind) -> bool:
        """Whether a fault of this kind is among them."""
        return any(each.kind is kind for each in self.faults)

    @property
    def delay_seconds(self) -> float:
        """How much later the answer comes."""
        return sum(each.seconds for each in self.faults if each.kind is FaultKind.SLOW)

    @property
    def skew_seconds(self) -> float:
        """How far the server's clock is off."""
        return sum(each.seconds for each in self.faults if each.kind is FaultKind.CLOCK_SKEW)
