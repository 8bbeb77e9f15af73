-- promote: a pending VM has booted and can be handed out.
-- ARGV operation, vm, attempt
-- Returns {'ready', milliseconds since its name was reserved}, or only {state} when it isn't pending
-- (ready, too, when another operation has promoted it).

local operation, vm = ARGV[1], ARGV[2]
local known = redis.call('HMGET', K.vm .. vm, 'state', 'attempt', 'pool', 'phase', 'reserved', 'op', 'ready')
local state, pool = known[1], known[3]
if not state or known[2] ~= ARGV[3] then return { '' } end
if state == 'ready' and known[6] == operation then return { 'ready', int(known[7] - known[5]) } end
if state ~= 'pending' or known[4] ~= 'created' then return { state } end

local now = now_ms()
redis.call('ZREM', K.slots, vm)
move(vm, pool, 'pending', 'ready', int(now), 'op', operation, 'ready', int(now))
redis.call('HSET', K.lastboot, pool, int(now))
count_duration('boot', pool, now, now - known[5])
return { 'ready', int(now - known[5]) }
