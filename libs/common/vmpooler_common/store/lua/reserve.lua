-- reserve: take names for new VMs of a pool, as many as it lacks and as there are free clone slots.
-- ARGV operation, pool, provider, domain, size of the pool, limit of clone slots, manager,
--      lease in ms, life of a slot in ms, then (name, attempt)...
-- Returns the names that are reserved for this operation; names that are in use are passed over.

local operation, pool = ARGV[1], ARGV[2]
local mine = {}
for at = 10, #ARGV, 2 do
  if redis.call('HGET', K.vm .. ARGV[at], 'op') == operation then table.insert(mine, ARGV[at]) end
end
if #mine > 0 then return mine end

local now = now_ms()
local alive = redis.call('ZCARD', K.pending .. pool) + redis.call('ZCARD', K.ready .. pool)
local slots = tonumber(ARGV[6]) - redis.call('ZCOUNT', K.slots, int(now), '+inf')
local free = math.min(tonumber(ARGV[5]) - alive, slots)
for at = 10, #ARGV, 2 do
  local vm = ARGV[at]
  if free > 0 and redis.call('EXISTS', K.vm .. vm) == 0 then
    free = free - 1
    redis.call('HSET', K.vm .. vm, 'state', 'pending', 'pool', pool, 'provider', ARGV[3], 'domain', ARGV[4],
      'op', operation, 'reserved', int(now), 'phase', 'reserved', 'attempt', ARGV[at + 1],
      'manager', ARGV[7], 'lease', int(now + ARGV[8]))
    redis.call('ZADD', K.pending .. pool, int(now), vm)
    redis.call('ZADD', K.slots, int(now + ARGV[9]), vm)
    event('pending', pool, vm)
    table.insert(mine, vm)
  end
end
if #mine > 0 then
  redis.call('HSET', K.pools, pool, ARGV[3])
  redis.call('ZREMRANGEBYSCORE', K.slots, '-inf', '(' .. int(now))
end
return mine
