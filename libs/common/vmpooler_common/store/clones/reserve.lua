-- reserve: take names for new VMs of a pool, as many as it lacks and as there are free clone slots.
-- The first new VMs, as many as there is backlog without a clone, take slots of the requests' limit,
-- the others those of the pools' limit.
-- ARGV operation, pool, provider, domain, size, slot_limit, request_slot_limit, manager, lease, slot_life,
--       revision,
--      (name, attempt)...
--
-- `size` is the configured one; `lease` and `slot_life` are in ms.
-- Returns the names that are reserved for this operation, none for a paused pool; names that are in use are
--         passed over.
--         None when the pool is in another revision: then the caller doesn't know what its VMs are to be
--         made of.

local operation, pool = ARGV[1], ARGV[2]
local mine = {}
for at = 12, #ARGV, 2 do
  if redis.call('HGET', K.vm .. ARGV[at], 'op') == operation then table.insert(mine, ARGV[at]) end
end
if #mine > 0 then return mine end
if is_stale(ARGV[11], pool) or is_paused(pool) then return mine end

local now = now_ms()
local backlog = redis.call('ZCARD', K.backlog .. pool)
local uncloned = backlog - redis.call('ZCOUNT', K.cloning .. pool, int(now), '+inf')
local missing = size_of(pool, ARGV[5]) + backlog - alive(pool)
local requests_used, pools_used = slots_used(now)
local for_requests = math.max(0, math.min(missing, uncloned))
local free = math.min(for_requests, math.max(0, tonumber(ARGV[7]) - requests_used))
if free == for_requests then
  -- Only then: the pool's first clones count as the requests', whatever they were meant for.
  free = free + math.max(0, math.min(missing - for_requests, tonumber(ARGV[6]) - pools_used))
end
for at = 12, #ARGV, 2 do
  local vm = ARGV[at]
  if free > 0 and redis.call('EXISTS', K.vm .. vm) == 0 then
    free = free - 1
    redis.call('HSET', K.vm .. vm, 'state', 'pending', 'pool', pool, 'provider', ARGV[3], 'domain', ARGV[4],
      'op', operation, 'reserved', int(now), 'phase', 'reserved', 'attempt', ARGV[at + 1],
      'manager', ARGV[8], 'lease', int(now + ARGV[9]), 'revision', ARGV[11])
    redis.call('ZADD', K.pending .. pool, int(now), vm)
    take_slot(vm, pool, int(now + ARGV[10]))
    event('vm.reserved', pool, vm)
    table.insert(mine, vm)
  end
end
if #mine > 0 then
  redis.call('HSET', K.pools, pool, ARGV[3])
  redis.call('ZREMRANGEBYSCORE', K.slots, '-inf', '(' .. int(now))
  redis.call('ZREMRANGEBYSCORE', K.cloning .. pool, '-inf', '(' .. int(now))
end
return mine
