-- needs tasks
-- claim_task: lease a task that is due, and take its entry out of the inbox.
--
-- That of a new task gives the task to who reads it; whatever else is due, anybody may take. A task that
-- has had its tries, or that nobody could do for too long, fails.
-- ARGV operation, manager, lease in ms, most tries, ms in which a task has to be done, group,
--      id of an entry and the VM that it names, or '' and '' for any task that is due,
--      then the providers at which this manager has room for a task...
-- Returns {} when there is none, {'dead'} when the entry could not be understood and was put aside,
--         {'mine' or 'failed', vm, task, kind, detail, pool, provider, provider id, attempt, tries, user,
--          ms since it was asked for, reason}

local operation, manager, now = ARGV[1], ARGV[2], now_ms()
local entry, named = ARGV[7], ARGV[8]
local done = remembered(operation)
if done then return done end

local has_room = {}
for at = 9, #ARGV do has_room[ARGV[at]] = true end

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
  local is_late = now - task.created >= tonumber(ARGV[5])
  local verdict, reason = 'mine', task.reason
  if due and (is_late or task.tries >= tonumber(ARGV[4])) then
    verdict = 'failed'
    if reason == '' then reason = is_late and 'nobody could do it in time' or 'every try was cut short' end
    end_task(vm, task, 'failed', reason, operation, now)
  elseif can then
    task.tries = task.tries + 1
    write_task(vm, task)
    redis.call('HSET', K.vm .. vm, 'worker', manager, 'work', operation)
    redis.call('ZADD', K.tasks_due, int(now + ARGV[3]), vm)
  else
    if not due then redis.call('ZADD', K.tasks_due, int(now), vm) end -- for whoever has room
    return nil
  end
  return remember(operation, { verdict, vm, task.id, task.kind, task.detail, known[2], known[3],
    known[4] or '', known[5] or '', task.tries, task.user, int(now - task.created), reason })
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
  found = remember(operation, { 'dead' })
else
  found = take(named)
end
if entry ~= '' then
  redis.pcall('XACK', K.tasks, ARGV[6], entry) -- the group may be gone
  redis.call('XDEL', K.tasks, entry)
end
return found or {}
