-- needs tasks
-- claim_task: lease a task that is due, and take its entry out of the inbox.
--
-- That of a new task gives the task to who reads it; whatever else is due, anybody may take. A task that
-- has had its tries, or that nobody could do for too long, fails.
-- ARGS operation, manager, lease, most_tries, longest, group, entry, vm, providers
-- REPLY outcome, vm, task, kind, detail, pool, provider, provider_id, attempt, tries, user, waited, reason
--
-- A task has to be done in `longest` ms. `entry` is the id of one in the inbox and `vm` the VM that it names,
-- or
-- both are '' for any task that is due. `providers` are those at which this manager has room for a task.
-- The outcome is leased; failed; none; or dead: the entry could not be understood and was put aside. `waited`
-- is
-- in ms since the task was asked for.

local operation, manager, now = ARG.operation, ARG.manager, now_ms()
local entry, named = ARG.entry, ARG.vm
local done = remembered(operation)
if done then return cjson.encode(done) end

local has_room = {}
for _, provider in ipairs(ARG.providers) do has_room[provider] = true end

local function is_due(vm)
  local at = tonumber(redis.call('ZSCORE', K.tasks_due, vm))
  return at and at <= now
end

-- Lease the VM's next task, fail it, or give nil when it is nothing for this manager.
local function take(vm)
  local known = redis.call('HMGET', K.vm .. vm, 'state', 'pool', 'provider', 'id', 'attempt')
  local can, due = has_room[known[3]], is_due(vm)
  local task
  for _, one in ipairs(known[1] == 'running' and tasks_of(vm) or {}) do
    if one.state == 'pending' then
      task = one
      break
    end
  end
  if not task then redis.call('ZREM', K.tasks_due, vm) end -- somebody meddled with the record
  if not task or not (due or task.tries == 0) then return nil end
  local is_late = now - task.created >= tonumber(ARG.longest)
  local outcome, reason = 'leased', task.reason
  if due and (is_late or task.tries >= tonumber(ARG.most_tries)) then
    outcome = 'failed'
    if reason == '' then reason = is_late and 'nobody could do it in time' or 'every try was cut short' end
    end_task(vm, task, 'failed', reason, operation, now)
  elseif can then
    task.tries = task.tries + 1
    write_task(vm, task)
    redis.call('HSET', K.vm .. vm, 'worker', manager, 'work', operation)
    redis.call('ZADD', K.tasks_due, int(now + ARG.lease), vm)
  else
    if not due then redis.call('ZADD', K.tasks_due, int(now), vm) end -- for whoever has room
    return nil
  end
  return remember(operation, {
    outcome = outcome, vm = vm, task = task.id, kind = task.kind, detail = task.detail, pool = known[2],
    provider = known[3], provider_id = known[4] or '', attempt = known[5] or '', tries = task.tries,
    user = task.user, waited = int(now - task.created), reason = reason,
  })
end

local found
if entry == '' then
  for _, vm in ipairs(redis.call('ZRANGEBYSCORE', K.tasks_due, '-inf', int(now), 'LIMIT', 0, 500)) do
    found = take(vm)
    if found then break end
  end
elseif redis.call('EXISTS', K.vm .. named) == 0 then
  local reason = named == '' and 'the entry names no VM' or 'no VM has this name'
  redis.call('XADD', K.dlq, 'MAXLEN', '~', 10000, '*', 'queue', 'tasks', 'entry', named, 'reason', reason)
  found = remember(operation, { outcome = 'dead' })
else
  found = take(named)
end
if entry ~= '' then
  redis.pcall('XACK', K.tasks, ARG.group, entry) -- the group may be gone
  redis.call('XDEL', K.tasks, entry)
end
return cjson.encode(found or { outcome = 'none' })
