-- needs tasks
-- add_task: take up a task on a running VM and leave it in the managers' inbox.
-- ARGS id, vm, token, needs_token, kind, detail, only_owner, admins, incapable,
-- most_disk
-- REPLY outcome, pool, provider_id, user, what, has, would_have
--
-- `id` is that of the task, and marks a repetition too; `detail` is a disk's size in GB, the snapshot to go
-- back
-- to, or ''. The outcome is ok; unauthorized or foreign, as `release` says them; missing: no such VM runs, or
-- it
-- has no such snapshot; incapable: its provider is one of the `incapable`; full: too many tasks of the VM
-- wait; many: it has as many of the kind as it may; limit: who took the VM has so much of
-- `what`, would have so much, and may have `most_disk` GB.

local id, vm, token, kind, detail = ARG.id, ARG.vm, ARG.token, ARG.kind, ARG.detail
local user = token ~= '' and redis.call('HGET', K.token .. token, 'user')
if ARG.needs_token == '1' and not user then return cjson.encode({ outcome = 'unauthorized' }) end
local known = redis.call('HMGET', K.vm .. vm, 'state', 'pool', 'id', 'user', 'token', 'task:' .. id,
  'client')
if not known[1] then return cjson.encode({ outcome = 'missing' }) end
local refusal = why_refused((known[5] or '') ~= '', known[4], user, ARG.only_owner == '1', ARG.admins)
if refusal then return cjson.encode({ outcome = refusal }) end
local reply = cjson.encode({
  outcome = 'ok', pool = known[2], provider_id = known[3] or '', user = user or '',
})
if known[6] then return reply end
if known[1] ~= 'running' then return cjson.encode({ outcome = 'missing' }) end
refusal = why_no_task(vm, kind, detail, ARG.incapable)
if refusal then return cjson.encode({ outcome = refusal }) end
if kind == 'disk' then
  refusal = too_much_disk(known[7] or '', user, tonumber(detail), ARG.most_disk)
  if refusal then return cjson.encode(refusal) end
end

local now = now_ms()
add_task(vm, id, kind, detail, user or '', now)
if user then redis.call('HSET', K.token .. token, 'last', int(now)) end
return reply
