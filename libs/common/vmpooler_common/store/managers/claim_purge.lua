-- claim_purge: is it this manager that looks for unused places of a provider? The same one, as long as it
-- asks in time.
-- ARGS provider, manager, life
--
-- `life` is the ms after which another manager may take over.
-- Returns the time when it is, else 0.

local owner = redis.call('GET', K.purge .. ARG.provider)
if owner and owner ~= ARG.manager then return 0 end
redis.call('SET', K.purge .. ARG.provider, ARG.manager, 'PX', ARG.life)
return int(now_ms())
