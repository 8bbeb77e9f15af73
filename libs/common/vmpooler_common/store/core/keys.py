"""The Redis schema: every key, its type, its members and how long it lives.

All keys begin with the prefix, a hash tag, so that one script may touch all of them. P is a pool's
name, H a VM's short name. Times are integer milliseconds since the epoch by Redis's clock.

    schema          string  version of this schema; any other refuses start
    installation    string  name of the installation; a process of another one is refused
    generation      string  random name of this data set; part of every ownership tag
    vm:H            hash    the record, see below; expires `data_ttl` after the VM is gone
    pending:P       zset    H → when its name was reserved
    ready:P         zset    H → when it became ready; the oldest is checked out first
    suspect:P       zset    like ready, for VMs that listings miss: not checked out, not counted
    stale:P         zset    like ready, for VMs of an earlier revision of their pool, until they are retired
    running:P       zset    H → end of its lifetime, +inf for none
    untagged:P      zset    H → when owner and end, which aren't noted on the VM in the cloud as they are now,
                            are to be noted: at its checkout, or some time after the last note
    migrations      zset    H → when its place lapses by itself, for VMs being moved to another host
    completed:P     zset    H → earliest time of its destruction
    destroying:P    zset    H → end of the lease of the manager that destroys it
    unmade:P        set     H of completed:P and destroying:P that the provider never gave an id to: clones
                            that were given up, of which no number is to tell
    dns_due:P       zset    H → when its DNS records are to be made what its record says: they lead to another
                            address, or they are to be removed because it is gone; later, to be tried again
    dns_sweep:D     string  manager that looks for orphaned records of the entry D of dns_configs; lapses
                            unless it asks in time
    slots           zset    H → when the clone slot lapses by itself, for VMs being cloned
    cloning:P       zset    the same, of one pool
    request:R       hash    an on-demand request, see below; expires some time after it is over and its last
                            VM was returned
    items:R         hash    N → JSON of the N-th item of request R: name, pool, vm, failed_attempts, error;
                            gone when the request has failed or was deleted
    open            zset    R → deadline, for requests that are neither ready nor over
    unaccepted      zset    R → creation, for those of them that no manager has accepted yet
    requests        stream  request, the inbox of the managers' group; emptied as it is accepted
    tasks_due       zset    H → when the tasks of the running VM H need a manager: the end of the lease
                            while a manager works on one, later when one is to be tried again
    tasks           stream  vm, task, another inbox of the managers' group, for new tasks
    dlq             stream  queue, entry, reason: what could not be understood, newest 10,000
    backlogs        set     P of every pool with a backlog
    backlog:P       zset    R#N → turn of its arrival, for items without a VM
    user_queue:P:U  zset    the same, of one client; `r:R` where nothing is known of it
    turns:P         zset    U → turn; the lowest is served next
    turn            string  counter of turns
    queue:P         zset    O → turn; the operations of checkouts that wait for VMs of P, the first one first;
                            members without a ticket have lapsed; expires 20 s after the last renewal
    ticket:O        hash    P → number of VMs that the checkout O could take of P; ` user`; ` client`;
                            ` order`, JSON of what it wants; ` since` when it waits; ` hold`, ms for which it
                            may hold VMs back at a time; ` until` when it does, '' where it wants VMs of
                            one pool only (then that is seen from the pool); ` address` of its client, once
                            it was renewed; expires 10 s after its API process has renewed it last
    tickets:C       zset    O → when its ticket lapses, for the waiting checkouts of the client C
    pools           hash    P → provider, for every pool that has VMs, and configured ones that had some
    broken          hash    P → reason, for pools whose provider says that it can't work
    backing_off     hash    P → reason, for pools whose clones back off for a while
    problems        hash    P → JSON of the worst thing that is wrong with it (vmpooler_common.model.problem)
    paused          hash    P → JSON of reason, since and user, for pools that an operator has paused
    size            hash    P → size that was set through the API, in place of the configured one
    template        hash    P → template, likewise
    clone_target    hash    P → clone target, likewise; all three stay when the pool leaves the configuration
    revisions       hash    P → revision: how often the pool was drained
    purge:V         string  manager that looks for unused places of provider V; lapses unless it asks in time
    places          hash    P → JSON of its clone options, for when it has left the configuration
    template_ready  hash    P → template that its VMs are made from, as its manager has it
    deletion_paused hash    provider → `kind pool reason`: deletion there is paused
    reaped:V:K      zset    H → time; what was retired as missing (K absent) or adopted (K orphan) at
                            provider V in the last ten minutes; K record: orphaned records that were removed,
                            V is ` dns D` then
    refused:V       set     H of orphans at provider V, not adopted as deletion is paused there
    released:V      set     H that an operator has released: no safety limit counts them; for a day
    managers        zset    manager → end of its registration
    manager:M       hash    what the manager M offers: P → 1 for a pool that it is configured for and can
                            serve, 0 for one that it can't serve now; ` at V` for a provider that it can
                            use; ` digest` of these; ` share` and ` held`, numbers of pools; ` beat`, when it
                            was registered last; expires with its registration
    absent          hash    P → ms for which no manager was configured for it while managers lived
    absent_at       string  when that was counted last
    leases          hash    P → `end manager`; without a manager: since when nobody holds it
    events          stream  name (an EventName), pool, vm, newest 10,000
    op:O            string  reply of the operation O (a checkout, a request, …), for ten minutes
    idempotency:D   hash    what was granted under an Idempotency-Key: order (digest), operation, reply,
                            reported (requests that were given it and not cancelled), for an hour;
                            D is the SHA-256 of the key and whose it is
    token:S         hash    user, created, last, beginning (the token's first characters, for lists); S is
                            the SHA-256 of the token, in hexadecimal; expires `token_ttl` after its making
    tokens:U        zset    S → when it was made, for the tokens of the user U; those that have expired are
                            swept out when U makes another
    taken:C         zset    H → checkout time, for the running VMs of the client C: `u:` and a user's name, or
                            `a:` and the address of one without a token where addresses have limits
    wanted:C        set     R#N of the client's items without a VM, of open requests; C is `anonymous` for all
                            without a token
    finished:C      zset    R → when it was over, for the client's requests of the last hour
    request_vms:R   set     H of the running VMs that request R was granted
    failed:A        string  operation of the last failed login, for a second; A is the SHA-256 of the
                            client's address and the name that was typed, in one spelling
    rate:C:K        zset    operation → time, of each request of class C that was admitted within the last
                            period; K is user:U or address:A; expires a period after the newest
    lastboot        hash    P → when a VM last became ready
    stats:K:D       hash    K is clone or boot, D a UTC day: `P:n` count, `P:sum`, `P:min`, `P:max` in
                            milliseconds, for 400 days
    stats:tag:D     hash    `H:NAME` → value, the last one of the UTC day D, for 400 days
    stats:tags:D    hash    P → how many of these are of its VMs, at most 10,000

Fields of a request: status (open, ready, failed, deleted), created, deadline, keep (seconds that it
is kept when it is over), user, client, token, lifetime (milliseconds or 0), total, granted, accepted,
accepted_by (operation), ended, closed_by (operation), reason, error, reported.

Fields of a record: state, pool, provider, domain, op (operation that moved it last), reserved, revision (of
its pool, when its name was reserved), phase, attempt, manager, lease (end), create_sent, cloned,
id (the provider's), ip, host, ready, checkout, ends, user, client, token, request (that it was granted to),
waited (milliseconds that the request did), dns (entry of dns_configs at whose server it has records, or may
have, until they are removed), dns_tried (when they were to be written last while it was pending), completed,
reason, claim (operation), tries (of destroying), error, gone;
tag:NAME for each tag;
tasks (how many were asked for), worker (manager that works on its next task), work (operation of that
lease), and for each task T `task:T`, JSON: n (its number), kind (disk, snapshot, revert), detail (size in GB,
or the snapshot to go back to), state (pending, done, failed), user, created, tries, reason (of the failure,
or of the last try), ended, finished (operation), undone (a disk that the VM lacks since it went to a
snapshot), disks (numbers of the disks that a snapshot holds).
"""

import json

STEMS: dict[str, str] = {
    "schema": "schema",
    "installation": "installation",
    "generation": "generation",
    "vm": "vm:",
    "pending": "pending:",
    "ready": "ready:",
    "suspect": "suspect:",
    "stale": "stale:",
    "running": "running:",
    "untagged": "untagged:",
    "migrations": "migrations",
    "dns_due": "dns_due:",
    "dns_sweep": "dns_sweep:",
    "completed": "completed:",
    "destroying": "destroying:",
    "unmade": "unmade:",
    "slots": "slots",
    "cloning": "cloning:",
    "request": "request:",
    "items": "items:",
    "open": "open",
    "unaccepted": "unaccepted",
    "requests": "requests",
    "tasks_due": "tasks_due",
    "tasks": "tasks",
    "dlq": "dlq",
    "backlogs": "backlogs",
    "backlog": "backlog:",
    "user_queue": "user_queue:",
    "turns": "turns:",
    "turn": "turn",
    "queue": "queue:",
    "tickets": "tickets:",
    "ticket": "ticket:",
    "pools": "pools",
    "broken": "broken",
    "problems": "problems",
    "paused": "paused",
    "size": "size",
    "template": "template",
    "clone_target": "clone_target",
    "revisions": "revisions",
    "template_ready": "template_ready",
    "places": "places",
    "purge": "purge:",
    "deletion_paused": "deletion_paused",
    "backing_off": "backing_off",
    "reaped": "reaped:",
    "refused": "refused:",
    "released": "released:",
    "managers": "managers",
    "manager": "manager:",
    "absent": "absent",
    "absent_at": "absent_at",
    "leases": "leases",
    "events": "events",
    "op": "op:",
    "idempotency": "idempotency:",
    "token": "token:",
    "rate": "rate:",
    "tokens": "tokens:",
    "taken": "taken:",
    "wanted": "wanted:",
    "finished": "finished:",
    "request_vms": "request_vms:",
    "failed": "failed:",
    "lastboot": "lastboot",
    "stats": "stats:",
}
"""Name of a key, or of a family of keys (ending in a colon), as scripts and Python call it."""


class Keys:
    """The keys of one installation."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix

    def __call__(self, stem: str, *names: str) -> str:
        """Full key of a family's member, such as `keys("vm", name)`, or of a single key, `keys("slots")`."""
        return f"{self.prefix}:{STEMS[stem]}{':'.join(names)}"

    def lua_table(self) -> str:
        """Lua text that declares the table `K` with every stem, put in front of every script."""
        texts = {
            name: json.dumps(f"{self.prefix}:{stem}", ensure_ascii=False) for name, stem in STEMS.items()
        }
        entries = ", ".join(f"{name} = {text}" for name, text in texts.items())
        return f"local K = {{ {entries} }}\n"
