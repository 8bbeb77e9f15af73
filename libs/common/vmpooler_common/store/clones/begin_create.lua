-- begin_create: the last step before `create` is sent, which happens at most once for a name.
-- ARGS operation, vm, manager, lease
--
-- Returns the attempt for the ownership tag, or '' when the VM must not be created (any more).

local known = redis.call('HMGET', K.vm .. ARG.vm, 'state', 'phase', 'attempt', 'op')
if known[1] ~= 'pending' then return '' end
if known[2] == 'creating' and known[4] == ARG.operation then return known[3] end
if known[2] ~= 'reserved' then return '' end

local now = now_ms()
redis.call('HSET', K.vm .. ARG.vm, 'phase', 'creating', 'op', ARG.operation, 'manager', ARG.manager,
  'lease', int(now + ARG.lease), 'create_sent', int(now))
return known[3]
