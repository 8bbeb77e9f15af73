-- end_migration: the provider has moved a VM, or left it where it was. Safe to repeat.
-- ARGS vm, attempt, host
--
-- `host` is where the VM runs now, or '' when the provider failed.
-- Returns 1 when it was moved, else 0.

local vm, host = ARG.vm, ARG.host
redis.call('ZREM', K.migrations, vm)
local known = redis.call('HMGET', K.vm .. vm, 'attempt', 'host', 'migrated')
if host == '' or known[1] ~= ARG.attempt then return 0 end
if known[2] == host then return known[3] and 1 or 0 end
redis.call('HSET', K.vm .. vm, 'host', host)
if not known[2] then return 0 end
redis.call('HSET', K.vm .. vm, 'migrated', 'true')
return 1
