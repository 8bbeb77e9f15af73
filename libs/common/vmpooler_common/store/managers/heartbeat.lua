-- needs requests
-- heartbeat: register a manager, share the pools among the managers that live, keep its work leased.
--
-- Each manager holds its share, rounded up. One that holds more lets the rest go.
-- ARGV manager, lease, count, *
--
-- `count` pools follow, then the VMs that it creates, destroys or does tasks to.
-- Returns {now, generation or '', {the pools that it holds},
--          {pool, provider... of every pool that has or had VMs}: flat,
--          {open requests that nobody has accepted for 2 s}, {open requests past their deadline},
--          {pools that requests have waited for too long without any manager that knows them},
--          number of VMs with a task that is due}

local manager, lease, pools = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local now = now_ms()
redis.call('ZADD', K.managers, int(now + lease), manager)
redis.call('ZREMRANGEBYSCORE', K.managers, '-inf', '(' .. int(now))
local share = math.ceil(pools / redis.call('ZCARD', K.managers))

local held, open = {}, {}
for at = 4, 3 + pools do
  local entry = redis.call('HGET', K.leases, ARGV[at])
  local ends, holder = string.match(entry or '', '^(%d+) (.*)$')
  if holder == manager then
    table.insert(held, ARGV[at])
  elseif not ends or tonumber(ends) < now then
    table.insert(open, ARGV[at])
  end
end
while #held > share do redis.call('HDEL', K.leases, table.remove(held)) end
for _, pool in ipairs(open) do
  if #held >= share then break end
  table.insert(held, pool)
end
for _, pool in ipairs(held) do redis.call('HSET', K.leases, pool, int(now + lease) .. ' ' .. manager) end

for at = 4 + pools, #ARGV do
  local known = redis.call('HMGET', K.vm .. ARGV[at], 'state', 'manager', 'pool', 'phase', 'worker')
  if known[1] == 'running' then
    if known[5] == manager then redis.call('ZADD', K.tasks_due, 'XX', int(now + lease), ARGV[at]) end
  elseif known[2] == manager then
    if known[1] == 'destroying' then
      redis.call('ZADD', K.destroying .. known[3], 'XX', int(now + lease), ARGV[at])
    elseif known[1] == 'pending' and known[4] ~= 'created' then
      redis.call('HSET', K.vm .. ARGV[at], 'lease', int(now + lease))
    end
  end
end
local known, strange = {}, {}
for at = 4, 3 + pools do known[ARGV[at]] = true end
for _, pool in ipairs(redis.call('SMEMBERS', K.backlogs)) do
  if not known[pool] and unserved(pool, now) then table.insert(strange, pool) end
end
return {
  int(now),
  redis.call('GET', K.generation) or '',
  held,
  redis.call('HGETALL', K.pools),
  redis.call('ZRANGEBYSCORE', K.unaccepted, '-inf', int(now - 2000), 'LIMIT', 0, 100),
  redis.call('ZRANGEBYSCORE', K.open, '-inf', int(now), 'LIMIT', 0, 100),
  strange,
  redis.call('ZCOUNT', K.tasks_due, '-inf', int(now)),
}
