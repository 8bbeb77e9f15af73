-- needs queue
-- count_pools: how many VMs there are of pools, and what is to be told of them. Writes nothing.
-- ARGV (pool)...
--
-- Returns {now, slots in use,
--          per pool: ready, running, pending, completed, destroying, stale, VMs that on-demand requests wait
--          for, ready VMs that waiting checkouts hold back: flat,
--          {last boot...}, {reason why it is broken...}, {size set through the API...}, {template...},
--          {clone target...}, {problem...}, {pause...}: for each pool, nothing where there is none}

local now = now_ms()
local pools = {}
for _, pool in ipairs(ARGV) do
  local ready = redis.call('ZCARD', K.ready .. pool)
  table.insert(pools, ready)
  table.insert(pools, redis.call('ZCARD', K.running .. pool))
  table.insert(pools, redis.call('ZCARD', K.pending .. pool))
  table.insert(pools, count_made('completed', pool))
  table.insert(pools, count_made('destroying', pool))
  table.insert(pools, redis.call('ZCARD', K.stale .. pool))
  table.insert(pools, redis.call('ZCARD', K.backlog .. pool))
  table.insert(pools, math.min(ready, (owed(pool, ready))))
end
local reply = { int(now), redis.call('ZCOUNT', K.slots, int(now), '+inf'), pools }
for _, key in ipairs({ K.lastboot, K.broken, K.size, K.template, K.clone_target, K.problems, K.paused }) do
  table.insert(reply, #ARGV > 0 and redis.call('HMGET', key, unpack(ARGV)) or {})
end
return reply
