-- begin_create: the last step before `create` is sent, which happens at most once for a name.
-- ARGV operation, vm, manager, lease in ms
-- Returns the attempt for the ownership tag, or '' when the VM must not be created (any more).

local known = redis.call('HMGET', K.vm .. ARGV[2], 'state', 'phase', 'attempt', 'op')
if known[1] ~= 'pending' then return '' end
if known[2] == 'creating' and known[4] == ARGV[1] then return known[3] end
if known[2] ~= 'reserved' then return '' end

local now = now_ms()
redis.call('HSET', K.vm .. ARGV[2], 'phase', 'creating', 'op', ARGV[1], 'manager', ARGV[3],
  'lease', int(now + ARGV[4]), 'asked', int(now))
return known[3]
