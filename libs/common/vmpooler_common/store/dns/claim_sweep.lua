-- claim_sweep: is it this manager that looks for orphaned DNS records? The same one, as long as it asks in
-- time.
-- ARGS dns, manager, life
-- REPLY now, generation
--
-- `dns` is the entry of dns_configs, `life` the ms after which another manager may take over; `now` is 0 when
-- it isn't this manager.

local owner = redis.call('GET', K.dns_sweep .. ARG.dns)
if owner and owner ~= ARG.manager then return cjson.encode({ now = '0', generation = '' }) end
redis.call('SET', K.dns_sweep .. ARG.dns, ARG.manager, 'PX', ARG.life)
return cjson.encode({ now = int(now_ms()), generation = redis.call('GET', K.generation) or '' })
