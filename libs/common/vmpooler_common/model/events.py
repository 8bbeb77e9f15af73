"""The names of everything that happens: one list for the log, the stream of events and the documentation.

A name is an interface: operators search logs for it and programs filter events by it. One fact has one name
wherever it is told; a name is never used for two facts.
"""

from enum import StrEnum


class EventName(StrEnum):
    """`subject.what_happened`. The docstring of each member says when it is told."""

    # VMs
    VM_RESERVED = "vm.reserved"
    """A name was reserved, and a clone begins."""
    VM_READY = "vm.ready"
    """A VM can be checked out."""
    VM_CHECKED_OUT = "vm.checked_out"
    """A VM was given to a user, by a checkout or for an on-demand request."""
    VM_CHECKED_OUT_AGAIN = "vm.checked_out_again"
    """A checkout was repeated under its Idempotency-Key, and the same VM was told again."""
    VM_CHANGED = "vm.changed"
    """Lifetime, tags or disks of a running VM were changed by its user."""
    VM_RETURNED = "vm.returned"
    """A user, or the end of a request, gave a VM back."""
    VM_EXPIRED = "vm.expired"
    """The lifetime of a running VM is over."""
    VM_RETIRED = "vm.retired"
    """A VM left its pool unused; `reason` says why."""
    VM_FAILED = "vm.failed"
    """A clone was given up; `reason` says why."""
    VM_ADOPTED = "vm.adopted"
    """An orphan, or a VM that appeared late, was adopted to be destroyed."""
    VM_REINSTATED = "vm.reinstated"
    """A VM is its user's again: its grant was lost, and its tag tells of it."""
    VM_SUSPECT = "vm.suspect"
    """A ready VM was set aside: listings miss it."""
    VM_CLEARED = "vm.cleared"
    """A suspect is there after all."""
    VM_MISSING = "vm.missing"
    """A VM that was handed out isn't at its provider."""
    VM_DESTROYING = "vm.destroying"
    """A manager has begun to destroy a VM."""
    VM_DESTROYED = "vm.destroyed"
    """The provider has no such VM any more."""
    VM_CALL_FAILED = "vm.call_failed"
    """A call to the provider about one VM failed and is tried again."""
    VM_ADDRESS_CHANGED = "vm.address_changed"
    """A ready or running VM has another address or host than before; its record says so now."""
    PLACE_UNUSED = "place.unused"
    """A provider has a place that no pool uses, with so many VMs; said again when their number changes."""
    PLACE_REMOVED = "place.removed"
    """An empty place that no pool uses was removed."""
    PLACES_UNKNOWN = "place.unknown"
    """A provider's unused places could not be looked for; it is tried again."""
    VM_MIGRATED = "vm.migrated"
    """A VM was moved to another host, soon after its checkout."""
    VM_TAKEN_OVER = "vm.taken_over"
    """A manager goes on with a clone whose manager is gone."""

    # Checkouts that wait, and answers that were lost
    QUEUE_MOVED = "queue.moved"
    """A waiting checkout left the queue of a pool."""
    CHECKOUT_REPEATED = "checkout.repeated"
    """A checkout was answered under an Idempotency-Key that others wait with."""
    OPERATION_CANCELLED = "operation.cancelled"
    """A checkout or an on-demand request whose answer was lost was undone."""
    OPERATION_NOT_CANCELLED = "operation.not_cancelled"
    """It could not be undone in time: its VMs stay until their lifetime ends."""

    # On-demand requests
    REQUEST_OPENED = "request.opened"
    REQUEST_ACCEPTED = "request.accepted"
    """It is part of its pools' backlog now."""
    REQUEST_CHANGED = "request.changed"
    """It got a VM, is ready, or is over."""
    REQUEST_FAILED = "request.failed"
    REQUEST_DELETED = "request.deleted"

    # Tasks on running VMs
    TASK_ACCEPTED = "task.accepted"
    TASK_DONE = "task.done"
    TASK_RETRIED = "task.retried"
    """It failed and is tried again."""
    TASK_FAILED = "task.failed"
    TASK_OVER = "task.over"
    """Its VM was returned, or another manager finished it."""

    # Pools
    POOL_TAKEN = "pool.taken"
    """This manager holds the pool now."""
    POOL_LEFT = "pool.left"
    """Another manager holds the pool now."""
    POOL_CHANGED = "pool.changed"
    """Size, template or clone target were set or removed through the API."""
    POOL_DRAINED = "pool.drained"
    """All VMs of the pool that aren't handed out are replaced."""
    POOL_BACKLOG = "pool.backlog"
    """Requests wait for VMs of the pool."""
    POOL_BROKEN = "pool.broken"
    """The pool can't work as it is configured; `error` says why."""
    POOL_REMOVED = "pool.removed"
    """No live manager has been configured for the pool for the grace period: its VMs are given up."""
    POOL_FORGOTTEN = "pool.forgotten"
    """A pool that left the configuration has no VM any more."""
    POOL_PASS_FAILED = "pool.pass_failed"  # noqa: S105 - a name

    POOL_FOREIGN_VMS = "pool.foreign_vms"
    """VMs at its place carry this data set's tag under another installation's name; nobody touches them."""

    # Providers
    PROVIDER_READY = "provider.ready"
    PROVIDER_UNUSABLE = "provider.unusable"
    """Its driver can't be used; its pools are broken."""
    PROVIDER_DELETION_PAUSED = "provider.deletion_paused"
    """A safety limit is exceeded: nothing is destroyed there until somebody looks."""
    PROVIDER_DELETION_RESUMED = "provider.deletion_resumed"
    PROVIDER_WARNING = "provider.warning"
    """Something about its set-up deserves attention; `message` says what."""
    PROVIDER_CLOSE_FAILED = "provider.close_failed"

    # Managers and their jobs
    MANAGER_STARTED = "manager.started"
    MANAGER_LEFT = "manager.left"
    JOB_FAILED = "job.failed"
    JOB_SKIPPED = "job.skipped"
    """Redis was away while a job worked on a VM; the next pass goes on with it."""
    INBOX_ENTRY_DROPPED = "inbox.entry_dropped"
    """An entry could not be understood and is a dead letter now."""
    INBOX_FAILED = "inbox.failed"
    """Entries of the inbox could not be recovered; it is tried again."""

    # Redis
    EVENTS_MISSED = "store.events_missed"
    """A reader of the stream may have missed some, and must read the state; never in the stream itself."""
    STORE_READY = "store.ready"
    STORE_CONCERN = "store.concern"
    """Redis is set up so that it may lose data; `concern` says how to mend that."""
    STORE_UNCHECKED = "store.unchecked"
    """How Redis is set up could not be checked."""
    STORE_EMPTIED = "store.emptied"
    """The data is gone: running VMs are left alone and can't be returned any more."""
    STORE_REPLACED = "store.replaced"
    """Redis is another server or data set now: nothing is destroyed before complete listings."""
    LEASES_LEFT = "store.leases_left"
    """Leases could not be given back and lapse by themselves."""

    # Users
    TOKEN_CREATED = "token.created"  # noqa: S105 - a name
    TOKEN_DELETED = "token.deleted"  # noqa: S105 - a name
    TOKEN_REFUSED = "token.refused"  # noqa: S105 - a name
    """Somebody tried to delete another user's token."""
    LOGIN_FAILED = "login.failed"
    """A login was refused; `reason` says why, `omitted` how many refusals before it are not in the log."""
    BUILD_URL_UNKNOWN = "usage.build_url_unknown"

    # Services
    OUTAGE_BEGAN = "outage.began"
    """Something fails; it is told again only when it works again."""
    OUTAGE_ENDED = "outage.ended"
    METRIC_FAILED = "metric.failed"
    """A metric could not be recorded or dropped; told once for each."""
    HTTP_REFUSED = "http.refused"
    """A request was refused with 401, 403 or 429, but for logins; at most ten lines in a second."""
    HTTP_REQUEST = "http.request"
    """One request and its answer, with `config.request_logger`."""
    HTTP_ANSWER_CUT = "http.answer_cut"
    """An answer was broken off while it was being sent; `reason` says why."""
    INTERNAL_ERROR = "service.internal_error"
    """A fault of ours; the traceback is in the log."""
    SERVICE_ENDED = "service.ended"
    """The service can't go on; `reason` says why."""
    CONFIGURATION_WARNING = "configuration.warning"
    SETTINGS_NOT_IN_EFFECT = "configuration.not_in_effect"
