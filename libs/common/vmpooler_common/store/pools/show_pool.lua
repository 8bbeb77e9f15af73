-- show_pool: what is to be told of one pool beside its numbers. Writes nothing.
-- ARGS pool
-- REPLY now, manager, waiting, request_slots, pool_slots, suspects
--
-- `manager` holds the pool now, '' for none; `waiting` checkouts could take VMs of it; slots are those in use
-- of all pools.

local now = now_ms()
local ends, manager = string.match(redis.call('HGET', K.leases, ARG.pool) or '', '^(%d+) (.*)$')
local for_requests, for_pools = slots_used(now)
local waiting = 0
for _, ticket in ipairs(redis.call('ZRANGE', K.queue .. ARG.pool, 0, 999)) do
  waiting = waiting + redis.call('EXISTS', K.ticket .. ticket)
end
return cjson.encode({
  now = int(now),
  manager = ends and tonumber(ends) >= now and manager or '',
  waiting = waiting,
  request_slots = for_requests,
  pool_slots = for_pools,
  suspects = redis.call('ZCARD', K.suspect .. ARG.pool),
})
