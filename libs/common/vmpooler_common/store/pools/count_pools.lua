-- needs queue
-- count_pools: how many VMs there are of pools. Writes nothing.
-- ARGV (pool)...
--
-- Returns {now, slots in use,
--          per pool: ready, running, pending, completed (with those being destroyed or drained),
--          last boot or '', reason why it is broken or '', VMs that on-demand requests wait for,
--          size set through the API or '', ready VMs that waiting checkouts hold back: flat}

local now = now_ms()
local pools = {}
for _, pool in ipairs(ARGV) do
  local ready = redis.call('ZCARD', K.ready .. pool)
  table.insert(pools, ready)
  table.insert(pools, redis.call('ZCARD', K.running .. pool))
  table.insert(pools, redis.call('ZCARD', K.pending .. pool))
  table.insert(pools, redis.call('ZCARD', K.completed .. pool) + redis.call('ZCARD', K.destroying .. pool)
    + redis.call('ZCARD', K.stale .. pool))
  table.insert(pools, redis.call('HGET', K.lastboot, pool) or '')
  table.insert(pools, redis.call('HGET', K.broken, pool) or '')
  table.insert(pools, redis.call('ZCARD', K.backlog .. pool))
  table.insert(pools, redis.call('HGET', K.size, pool) or '')
  table.insert(pools, math.min(ready, (owed(pool, ready))))
end
return {
  int(now),
  redis.call('ZCOUNT', K.slots, int(now), '+inf'),
  pools,
}
