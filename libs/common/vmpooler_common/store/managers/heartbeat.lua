-- needs requests
-- heartbeat: register a manager, share the pools among those that can serve them, keep its work leased.
--
-- A manager offers itself for the pools that it is configured for and can serve; for those that it can't
-- serve now only while nobody else can; and for those that no live manager is configured for when it has
-- their provider.
-- ARGS installation, manager, lease, digest, pools, providers, unusable, work
-- REPLY installation, now, generation, held, absent, pools, rivals, unaccepted, overdue, unserved,
-- due_tasks
--
-- `installation` is the name of the one that the data belongs to; a manager of another one does nothing.
-- `pools`: those that it is configured for, each with 1 when it can serve it and else 0; `providers`: those
-- that it can use, `unusable` the others of its configuration; `digest` tells all of these from what they
-- were before. `work`: VMs that it creates, destroys or does tasks to.
-- `held`: the pools that it holds now. `absent`: of them, those that no live manager is configured for, each
-- with the ms for which that has been so while managers lived. `pools`: every pool that has or had VMs, with
-- its provider. `rivals`: those of `unusable` that another manager can use. `unaccepted`: open requests that
-- nobody has accepted for 2 s; `overdue`: those past their deadline; `unserved`: pools that requests have
-- waited for too long without any manager that knows them; `due_tasks`: the number of VMs with a due task.

local installation = redis.call('GET', K.installation) or ''
if installation ~= '' and installation ~= ARG.installation then
  return cjson.encode({ installation = installation })
end
local manager, lease, now = ARG.manager, tonumber(ARG.lease), now_ms()
local known_before = redis.call('ZCARD', K.managers) > 0
redis.call('ZADD', K.managers, int(now + lease), manager)
redis.call('ZREMRANGEBYSCORE', K.managers, '-inf', '(' .. int(now))
local mine, usable = K.manager .. manager, {}
for _, provider in ipairs(ARG.providers) do usable[' at ' .. provider] = '1' end
if redis.call('HGET', mine, ' digest') ~= ARG.digest then
  redis.call('DEL', mine)
  redis.call('HSET', mine, ' digest', ARG.digest)
  for pool, can in pairs(ARG.pools) do redis.call('HSET', mine, pool, can) end
  for field in pairs(usable) do redis.call('HSET', mine, field, '1') end
end
redis.call('PEXPIRE', mine, int(lease))

-- The other managers; `same` of them say of themselves what this one does.
local others, different, same = {}, {}, 0
for _, name in ipairs(redis.call('ZRANGE', K.managers, 0, -1)) do
  if name ~= manager then
    local other = K.manager .. name
    table.insert(others, other)
    if redis.call('HGET', other, ' digest') == ARG.digest then
      same = same + 1
    else
      table.insert(different, other)
    end
  end
end

-- How many of the others have a field, and how many can serve what it says.
local function count(field)
  local own = ARG.pools[field] or usable[field]
  local have, can = own and same or 0, own == '1' and same or 0
  for _, other in ipairs(different) do
    local value = redis.call('HGET', other, field)
    if value then have = have + 1 end
    if value == '1' then can = can + 1 end
  end
  return have, can
end

-- Time without managers doesn't count as absence.
local since = redis.call('GET', K.absent_at)
local passed = known_before and since and math.max(0, math.min(now - since, lease)) or 0
redis.call('SET', K.absent_at, int(now))
local flat, pools, absent = redis.call('HGETALL', K.pools), {}, {}
local any_absent = redis.call('EXISTS', K.absent) == 1
for at = 1, #flat, 2 do
  local pool = flat[at]
  pools[pool] = flat[at + 1]
  if ARG.pools[pool] or count(pool) > 0 then
    if any_absent then redis.call('HDEL', K.absent, pool) end
  else
    absent[pool] = redis.call('HINCRBY', K.absent, pool, int(passed))
  end
end

-- Pool -> number of managers that offer themselves for it, this one among them, and the field that says so.
local offers, field_of, share = {}, {}, 0
local function offer(pool, number, field)
  offers[pool], field_of[pool], share = number, field, share + 1 / number
end
for pool, can in pairs(ARG.pools) do
  local have, able = count(pool)
  if can == '1' then offer(pool, able + 1, pool) elseif able == 0 then offer(pool, have + 1) end
end
for pool in pairs(absent) do
  local field = ' at ' .. pools[pool]
  local have = count(field)
  if usable[field] then offer(pool, have + 1, field) elseif have == 0 then offer(pool, #others + 1) end
end
share = math.ceil(share - 1e-6)

-- Nobody holds the pool from now on.
local function leave_open(pool) redis.call('HSET', K.leases, pool, int(now - 1) .. ' ') end

local held, open = {}, {}
local function look(pool)
  local ends, holder = string.match(redis.call('HGET', K.leases, pool) or '', '^(%d+) (.*)$')
  ends = tonumber(ends)
  if holder == manager then
    if offers[pool] then table.insert(held, pool) else leave_open(pool) end
  elseif offers[pool] and (not ends or ends < now) then
    if not ends then leave_open(pool) end
    table.insert(open, { pool = pool, waited = ends and now - ends or 0 })
  end
end
for pool in pairs(ARG.pools) do look(pool) end
for pool in pairs(pools) do
  if not ARG.pools[pool] then look(pool) end
end
local function rarest_first(one, other)
  if offers[one] ~= offers[other] then return offers[one] < offers[other] end
  return one < other
end
table.sort(held, rarest_first)
table.sort(open, function(one, other) return rarest_first(one.pool, other.pool) end)

-- Give up what is more than the share, as far as others have room for it.
local room = {}
for _, other in ipairs(others) do
  local load = redis.call('HMGET', other, ' share', ' held')
  room[other] = (tonumber(load[1]) or 0) - (tonumber(load[2]) or 0)
end
local function somebody_takes(pool)
  for _, other in ipairs(others) do
    if room[other] > 0 and (not field_of[pool] or redis.call('HGET', other, field_of[pool]) == '1') then
      room[other] = room[other] - 1
      return true
    end
  end
end
for at = #held, 1, -1 do
  if #held <= share then break end
  if somebody_takes(held[at]) then leave_open(table.remove(held, at)) end
end
-- What nobody with room has taken for the time of a lease is taken by who is there.
for _, one in ipairs(open) do
  if #held < share or one.waited >= lease then table.insert(held, one.pool) end
end
for _, pool in ipairs(held) do redis.call('HSET', K.leases, pool, int(now + lease) .. ' ' .. manager) end
redis.call('HSET', mine, ' share', share, ' held', #held, ' beat', int(now))

for _, vm in ipairs(ARG.work) do
  local known = redis.call('HMGET', K.vm .. vm, 'state', 'manager', 'pool', 'phase', 'worker')
  if known[1] == 'running' then
    if known[5] == manager then redis.call('ZADD', K.tasks_due, 'XX', int(now + lease), vm) end
  elseif known[2] == manager then
    if known[1] == 'destroying' then
      redis.call('ZADD', K.destroying .. known[3], 'XX', int(now + lease), vm)
    elseif known[1] == 'pending' and known[4] ~= 'created' then
      redis.call('HSET', K.vm .. vm, 'lease', int(now + lease))
    end
  end
end

local unserved_pools, rivals, absent_held = {}, {}, {}
for _, pool in ipairs(redis.call('SMEMBERS', K.backlogs)) do
  if not ARG.pools[pool] and count(pool) == 0 and unserved(pool, now) then
    table.insert(unserved_pools, pool)
  end
end
for _, provider in ipairs(ARG.unusable) do
  if count(' at ' .. provider) > 0 then table.insert(rivals, provider) end
end
for _, pool in ipairs(held) do absent_held[pool] = absent[pool] end
return cjson.encode({
  installation = installation,
  now = int(now),
  generation = redis.call('GET', K.generation) or '',
  held = held,
  absent = absent_held,
  pools = pools,
  rivals = rivals,
  unaccepted = redis.call('ZRANGEBYSCORE', K.unaccepted, '-inf', int(now - 2000), 'LIMIT', 0, 100),
  overdue = redis.call('ZRANGEBYSCORE', K.open, '-inf', int(now), 'LIMIT', 0, 100),
  unserved = unserved_pools,
  due_tasks = redis.call('ZCOUNT', K.tasks_due, '-inf', int(now)),
})
