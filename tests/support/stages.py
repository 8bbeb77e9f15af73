"""The stages of a clone's and a destroy's making at which a manager may die, and how to bring one about."""

from dataclasses import dataclass, replace

from tests.support.crashing_orders import Call, Effect, Order, When
from tests.support.faults import Moment


@dataclass(frozen=True, slots=True)
class Stage:
    """One moment: just before or after a script or a call of the provider.

    `first` are failures that the driver is ordered to have, so that it comes to this stage at all.
    """

    place: str
    """The script's or the call's name."""
    is_script: bool
    moment: Moment
    first: tuple[Order, ...] = ()
    by_itself: bool = False
    """Whether the manager comes there without anything to do: then it is struck only once it has work."""
    trouble: str = ""
    """What happens first: `orphan` or `vanished` in the cloud, or users open on-demand `requests`,
    or `overdue requests`, which fail, or `tasks` on their running VMs."""

    def __str__(self) -> str:
        side = "before" if self.moment is Moment.BEFORE else "after"
        since = f" ({', '.join(map(str, self.first))} first)" if self.first else ""
        return f"{side} {'the script' if self.is_script else 'the call'} {self.place}{since}"

    @property
    def slug(self) -> str:
        """A name for a directory."""
        return "".join(letter if letter.isalnum() else "-" for letter in str(self))

    @property
    def is_before_script(self) -> bool:
        """Whether nothing has happened yet since the stage before."""
        return self.is_script and self.moment is Moment.BEFORE

    def order(self, effect: Effect) -> Order:
        """Give the order that does this at a call of the provider."""
        when = When.BEFORE if self.moment is Moment.BEFORE else When.AFTER
        return Order(when, Call(self.place), effect)


def _script(name: str, *first: Order, by_itself: bool = False, trouble: str = "") -> list[Stage]:
    return [
        Stage(name, is_script=True, moment=moment, first=first, by_itself=by_itself, trouble=trouble)
        for moment in Moment
    ]


def _call(call: Call, *first: Order) -> list[Stage]:
    return [Stage(call, is_script=False, moment=moment, first=first) for moment in Moment]


CREATE_FAILS = Order(When.BEFORE, Call.CREATE, Effect.FAIL)
CREATE_LEAVES_A_VM = Order(When.AFTER, Call.CREATE, Effect.FAIL)
DESTROY_FAILS = Order(When.BEFORE, Call.DESTROY, Effect.FAIL)

CLONE_SCRIPTS = (
    *_script("reserve"),
    *_script("begin_create"),
    *_script("note_created"),
    *_script("promote"),
    *_script("retire", CREATE_FAILS),
    *_script("observe", by_itself=True),
    *_script("heartbeat", by_itself=True),
)
DESTROY_SCRIPTS = (
    *_script("claim_destruction"),
    *_script("note_destroyed"),
    *_script("defer_destruction", DESTROY_FAILS),
    *_script("adopt_orphan", trouble="orphan"),
    *_script("mark_suspect", trouble="vanished"),
    *_script("retire", trouble="vanished"),
    *_script("classify", by_itself=True),
)
CALLS = (
    *_call(Call.CREATE),
    *_call(Call.INSPECT),
    *_call(Call.FIND, CREATE_LEAVES_A_VM),
    *_call(Call.LIST_VMS),
    *_call(Call.ANNOTATE),
    *_call(Call.DESTROY),
)
KILLED_TWICE = tuple(
    _call(Call.FIND, Order(When.AFTER, Call.CREATE, Effect.KILL))
    + _call(Call.FIND, Order(When.BEFORE, Call.CREATE, Effect.KILL))
)
"""A manager that dies while it finds out what became of a clone whose manager has died."""

ONE_DEATH = CLONE_SCRIPTS + DESTROY_SCRIPTS + CALLS
EVERY_STAGE = ONE_DEATH + KILLED_TWICE

CHANGES = (
    "begin_create",
    "note_created",
    "promote",
    "claim_destruction",
    "note_destroyed",
    "create",
    "destroy",
)
"""Places at which a VM's way goes on: the sample for what takes long."""
STOPPED = tuple(stage for stage in ONE_DEATH if stage.place in (*CHANGES, "reserve", "heartbeat"))
TAKEN_OVER = tuple(stage for stage in ONE_DEATH if stage.place in CHANGES and not stage.is_before_script)

CREATING = CALLS[0]
"""Just before a clone is asked for."""

ASKED = tuple(
    replace(stage, trouble="requests")
    for stage in (
        *_script("accept_request"),
        *_script("serve_backlog"),
        _script("reserve")[0],
        _script("begin_create")[0],
        *_call(Call.CREATE),
        _script("note_created")[1],
        *_script("promote"),
        *_script("retire", CREATE_FAILS),
        *_call(Call.FIND, CREATE_LEAVES_A_VM),
        *KILLED_TWICE[:2],
    )
) + tuple(replace(stage, trouble="overdue requests") for stage in _script("expire_request"))
"""The stages of an on-demand request; of two with nothing between them, one."""
ASKED_AND_STOPPED = tuple(
    stage
    for stage in ASKED
    if stage.place in ("accept_request", "serve_backlog", "reserve", "promote", "create")
    and stage.moment is Moment.BEFORE
)
"""Those at which what a stopped manager was about to do comes too late."""
ASKED_AND_TAKEN_OVER = tuple(
    stage
    for stage in ASKED
    if stage.place in ("accept_request", "serve_backlog", "create", "promote") and not stage.is_before_script
)

DISK_FAILS = Order(When.BEFORE, Call.ADD_DISK, Effect.FAIL)
DISK_SEEMS_TO_FAIL = Order(When.AFTER, Call.ADD_DISK, Effect.FAIL)
TASK_STAGES = tuple(
    replace(stage, trouble="tasks")
    for stage in (
        *_script("claim_task"),
        *_script("finish_task"),
        *_script("finish_task", DISK_FAILS),
        *_call(Call.ADD_DISK),
        *_call(Call.ADD_DISK, DISK_SEEMS_TO_FAIL),
        *_call(Call.SNAPSHOT),
        *_call(Call.REVERT),
        *_call(Call.ADD_DISK, Order(When.AFTER, Call.ADD_DISK, Effect.KILL)),
    )
)
"""The stages of a task on a running VM."""
TASK_STAGES_OF_TWO = tuple(
    stage
    for stage in TASK_STAGES
    if not (stage.first or stage.is_before_script or stage.place == Call.REVERT)
)
"""Those at which one of two managers is killed, or stopped so long that the other one does its tasks."""
