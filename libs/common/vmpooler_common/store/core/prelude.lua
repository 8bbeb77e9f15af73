-- What every script begins with. The table K of keys is put in front of it (store/keys.py).
-- A script checks everything before its first write, and nothing after that can fail.

local DAY = 86400000
local EVENTS_KEPT = 10000
local OPERATION_KEPT = 600000
local RELEASE_KEPT = 86400 -- seconds
local LARGEST_SIZE = 10000 -- the same as in Python, where overrides are read
local KEY_KEPT = 3600000 -- what was granted under an Idempotency-Key
local TAG_PAUSE = 10000 -- between two notes on a VM's tag in the cloud: changes in between share one
local STATS_KEPT = 400 * 86400 -- seconds; a summary may reach back a year

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Large numbers as whole digits: Lua's own conversion would write 1.79e+15.
local function int(number)
  return string.format('%.0f', number)
end

-- Add to the stream of events; `name` is one of vmpooler_common.model.events.EventName.
local function event(name, pool, vm)
  redis.call('XADD', K.events, 'MAXLEN', '~', EVENTS_KEPT, '*', 'name', name, 'pool', pool, 'vm', vm)
end

-- The reply of an operation that was carried out before, or nil; such replies are kept for ten minutes.
local function remembered(operation)
  local reply = redis.call('GET', K.op .. operation)
  return reply and cjson.decode(reply)
end

local function remember(operation, reply)
  redis.call('SET', K.op .. operation, cjson.encode(reply), 'PX', OPERATION_KEPT)
  return reply
end

local function write_task(vm, task)
  redis.call('HSET', K.vm .. vm, 'task:' .. task.id, cjson.encode(task))
end

-- What users want done to a VM, or had done, in the order in which they asked (prelude_tasks.lua).
local function tasks_of(vm)
  local found, fields = {}, redis.call('HGETALL', K.vm .. vm)
  for at = 1, #fields, 2 do
    if string.sub(fields[at], 1, 5) == 'task:' then table.insert(found, cjson.decode(fields[at + 1])) end
  end
  table.sort(found, function(one, other) return one.n < other.n end)
  return found
end

-- The VM leaves its user: nothing more is to be done to it.
local function cancel_tasks(vm)
  local now = int(now_ms())
  for _, task in ipairs(tasks_of(vm)) do
    if task.state == 'pending' then
      task.state, task.reason, task.ended = 'failed', 'the VM was returned, or its lifetime was over', now
      write_task(vm, task)
    end
  end
  redis.call('ZREM', K.tasks_due, vm)
  redis.call('HDEL', K.vm .. vm, 'worker', 'work')
end

-- A VM leaves the request that it was granted to. One that is over is forgotten some time after its last VM.
local function leave_request(request, vm)
  redis.call('SREM', K.request_vms .. request, vm)
  if redis.call('EXISTS', K.request_vms .. request) == 1 then return end
  local known = redis.call('HMGET', K.request .. request, 'status', 'keep')
  if known[1] and known[1] ~= 'open' then
    redis.call('EXPIRE', K.request .. request, known[2])
    redis.call('EXPIRE', K.items .. request, known[2])
  end
end

local EVENT_OF_STATE = { ready = 'vm.ready', running = 'vm.checked_out', completed = 'vm.retired',
  destroying = 'vm.destroying' }

-- Take a VM from one state to another: membership, record, event. The caller has checked the state.
-- `index` is the sorted set it is in now, which for a ready VM may be the one of suspects.
local function move(vm, pool, index, to, score, ...)
  redis.call('ZADD', K[to] .. pool, score, vm)
  redis.call('ZREM', K[index] .. pool, vm)
  if index == 'running' then
    local known = redis.call('HMGET', K.vm .. vm, 'client', 'tasks', 'request')
    if (known[1] or '') ~= '' then redis.call('ZREM', K.taken .. known[1], vm) end
    if known[2] then cancel_tasks(vm) end
    if known[3] then leave_request(known[3], vm) end
  end
  redis.call('HSET', K.vm .. vm, 'state', to, ...)
  event(index == 'running' and 'vm.returned' or EVENT_OF_STATE[to], pool, vm)
end

-- Why a caller may not change what belongs to `owner`, or nil: 'unauthorized' or 'foreign'. `held`: it was
-- taken with a token, so a known one is needed; `user` is whose the caller's is, or false. With `only_owner`
-- it has to be the owner's, or one of the admins.
local function why_refused(held, owner, user, only_owner, admins)
  if not held then return nil end
  if not user then return 'unauthorized' end
  if not only_owner or user == owner then return nil end
  for _, admin in ipairs(admins) do
    if user == admin then return nil end
  end
  return 'foreign'
end

-- Count a pool's VMs that are completed, or destroying, without those that never were.
local function count_made(state, pool)
  local key = K[state] .. pool
  return redis.call('ZCARD', key) - redis.call('ZINTERCARD', 2, key, K.unmade .. pool)
end

-- Drain a pool. What is ready is set aside at once, by one command however much it is; it is a manager that
-- retires it, as it does with what is pending and wanted by no request.
local function drain(pool)
  redis.call('HINCRBY', K.revisions, pool, 1)
  redis.call('ZUNIONSTORE', K.stale .. pool, 3, K.stale .. pool, K.ready .. pool, K.suspect .. pool)
  redis.call('DEL', K.ready .. pool, K.suspect .. pool)
  event('pool.drained', pool, '')
end

-- Clone slots: one for each VM that is being cloned. They lapse by themselves, so that none can be lost.
local function take_slot(vm, pool, lapses)
  redis.call('ZADD', K.slots, lapses, vm)
  redis.call('ZADD', K.cloning .. pool, lapses, vm)
end

local function free_slot(vm, pool)
  redis.call('ZREM', K.slots, vm)
  redis.call('ZREM', K.cloning .. pool, vm)
end

-- Slots in use: for on-demand requests and for keeping pools filled. Of a pool's clones the first
-- ones, as many as it has backlog, are for requests.
local function slots_used(now)
  local all, for_requests = redis.call('ZCOUNT', K.slots, int(now), '+inf'), 0
  for _, pool in ipairs(redis.call('SMEMBERS', K.backlogs)) do
    local cloning = redis.call('ZCOUNT', K.cloning .. pool, int(now), '+inf')
    for_requests = for_requests + math.min(cloning, redis.call('ZCARD', K.backlog .. pool))
  end
  return for_requests, all - for_requests
end

-- VMs of a pool that count: those that are pending or ready, suspects not among them.
local function alive(pool)
  return redis.call('ZCARD', K.pending .. pool) + redis.call('ZCARD', K.ready .. pool)
end

-- The size that is wanted of a configured pool: what was set through the API goes before the configuration.
local function size_of(pool, configured)
  local set = tonumber(string.match(redis.call('HGET', K.size, pool) or '', '^%d+$') or '')
  return set and set <= LARGEST_SIZE and set or tonumber(configured)
end

-- Whether an operator has paused a pool: no VM of it is made or handed out.
local function is_paused(pool)
  return redis.call('HEXISTS', K.paused, pool) == 1
end

-- A pool is drained by a new revision of it: VMs whose names were reserved in an earlier one are stale.
local function is_stale(revision, pool)
  return (revision or '0') ~= (redis.call('HGET', K.revisions, pool) or '0')
end

-- Whether one more VM of a provider may be retired as missing ('absent') or adopted ('orphan'), by the limit
-- for ten minutes; it is counted. Those that an operator has released are beside the limit.
local function count_against_limit(provider, kind, vm, limit, now)
  if redis.call('SREM', K.released .. provider, vm) == 1 then return true end
  local reaped = K.reaped .. provider .. ':' .. kind
  redis.call('ZREMRANGEBYSCORE', reaped, '-inf', int(now - 600000))
  if redis.call('ZCARD', reaped) >= limit then return false end
  redis.call('ZADD', reaped, int(now), vm)
  redis.call('EXPIRE', reaped, 600)
  return true
end

-- Days since the epoch, UTC. Python names the same key by it.
local function day_of(now)
  return int(math.floor(now / DAY))
end

-- Add a duration in milliseconds to a pool's statistics of today.
local function count_duration(kind, pool, now, duration)
  local key = K.stats .. kind .. ':' .. day_of(now)
  redis.call('HINCRBY', key, pool .. ':n', 1)
  redis.call('HINCRBY', key, pool .. ':sum', int(duration))
  local bounds = redis.call('HMGET', key, pool .. ':min', pool .. ':max')
  if not bounds[1] or duration < tonumber(bounds[1]) then
    redis.call('HSET', key, pool .. ':min', int(duration))
  end
  if not bounds[2] or duration > tonumber(bounds[2]) then
    redis.call('HSET', key, pool .. ':max', int(duration))
  end
  redis.call('EXPIRE', key, STATS_KEPT)
end
