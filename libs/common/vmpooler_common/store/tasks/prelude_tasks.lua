-- Tasks: what users have done to their running VMs. One of a VM is worked on at a time, in their order.
-- Each is a field of the VM's record, `task:` and its id, so that it lives as long as the record.

local MOST_PENDING = 10 -- of one VM
local MOST_DONE = 32    -- of each kind that stays: more disks or snapshots no cloud takes
local ENDED_KEPT = 20   -- of those that left nothing behind: what failed, and going back
local FRESH = 2000      -- ms in which the managers' inbox has to bring a new task to one of them

-- Numbers of the disks that a VM has.
local function disks_there(tasks)
  local numbers = {}
  for _, task in ipairs(tasks) do
    if task.kind == 'disk' and task.state == 'done' and not task.undone then table.insert(numbers, task.n) end
  end
  return numbers
end

-- Number of a disk → true, for those that some snapshot holds: going to it brings them back.
local function held_by_snapshots(tasks)
  local held = {}
  for _, task in ipairs(tasks) do
    for _, number in ipairs(task.disks or {}) do held[number] = true end
  end
  return held
end

-- Whether a task that is over still says something of the VM: a disk or a snapshot that is there, or may
-- be again.
local function leaves_something(task, held)
  return task.state == 'done' and task.kind ~= 'revert' and (not task.undone or held[task.n])
end

-- The VM is as it was when a snapshot was taken: it has the disks that it had then, and no others.
local function go_back(vm, tasks, snapshot)
  local had = {}
  for _, task in ipairs(tasks) do
    if task.id == snapshot then had = held_by_snapshots({ task }) end
  end
  for _, task in ipairs(tasks) do
    if task.kind == 'disk' and task.state == 'done' and (task.undone or false) == (had[task.n] or false) then
      task.undone = not had[task.n] or nil
      write_task(vm, task)
    end
  end
end

-- Take a task up: the VM runs, and nothing is in the task's way. `detail` is a disk's size, or a snapshot.
local function add_task(vm, id, kind, detail, user, now)
  local number = redis.call('HINCRBY', K.vm .. vm, 'tasks', 1)
  write_task(vm, { id = id, n = number, kind = kind, detail = detail, user = user, state = 'pending',
    created = int(now), tries = 0, reason = '' })
  redis.call('ZADD', K.tasks_due, 'NX', int(now + FRESH), vm)
  redis.call('XADD', K.tasks, '*', 'vm', vm, 'task', id)
end

-- Why such a task can't be taken up, or nil: 'full' too many wait, 'many' the VM has too many of the kind,
-- 'missing' there is no snapshot to go back to, 'incapable' its provider is one of those that can't do it.
local function why_no_task(vm, kind, detail, incapable)
  local provider = redis.call('HGET', K.vm .. vm, 'provider')
  for _, name in ipairs(incapable) do
    if name == provider then return 'incapable' end
  end
  local pending, there, has_snapshot, tasks = 0, 0, false, tasks_of(vm)
  local held = held_by_snapshots(tasks)
  for _, task in ipairs(tasks) do
    local counts = task.state == 'pending' or leaves_something(task, held)
    if task.state == 'pending' then pending = pending + 1 end
    if task.kind == kind and counts then there = there + 1 end
    if task.kind == 'snapshot' and task.state == 'done' and task.id == detail then has_snapshot = true end
  end
  if kind == 'revert' and not has_snapshot then return 'missing' end
  if pending >= MOST_PENDING then return 'full' end
  if kind ~= 'revert' and there >= MOST_DONE then return 'many' end
end

-- GB of the disks that the client's running VMs have or will have; 0 where nothing is known of the client.
local function disks_of(client)
  local sum = 0
  if client == '' then return sum end
  for _, vm in ipairs(redis.call('ZRANGE', K.taken .. client, 0, -1)) do
    if redis.call('HEXISTS', K.vm .. vm, 'tasks') == 1 then
      for _, task in ipairs(tasks_of(vm)) do
        if task.kind == 'disk' and task.state ~= 'failed' and not task.undone then
          sum = sum + tonumber(task.detail)
        end
      end
    end
  end
  return sum
end

-- The refusal of one more disk of `size` GB for a VM of the client, or nil; `most` GB are allowed, 0: any.
local function too_much_disk(client, user, size, most)
  if tonumber(most) == 0 then return nil end
  local has = disks_of(client)
  if has + size <= tonumber(most) then return nil end
  return { outcome = 'limit', user = user or '', what = 'disk_gigabytes', has = has, would_have = has + size }
end

-- End a task of a running VM; the next one is due at once.
local function end_task(vm, task, state, reason, operation, now)
  task.state, task.reason, task.ended, task.finished = state, reason, int(now), operation
  local tasks = tasks_of(vm)
  for at, other in ipairs(tasks) do
    if other.id == task.id then tasks[at] = task end
  end
  if state == 'done' and task.kind == 'snapshot' then task.disks = disks_there(tasks) end
  write_task(vm, task)
  if state == 'done' and task.kind == 'revert' then go_back(vm, tasks, task.detail) end
  local is_waiting, ended = false, {}
  local held = held_by_snapshots(tasks)
  for _, other in ipairs(tasks) do
    if other.state == 'pending' then
      is_waiting = true
    elseif not leaves_something(other, held) then
      table.insert(ended, other.id)
    end
  end
  for at = 1, #ended - ENDED_KEPT do redis.call('HDEL', K.vm .. vm, 'task:' .. ended[at]) end
  redis.call('HDEL', K.vm .. vm, 'worker', 'work')
  if is_waiting then
    redis.call('ZADD', K.tasks_due, int(now), vm)
  else
    redis.call('ZREM', K.tasks_due, vm)
  end
end
