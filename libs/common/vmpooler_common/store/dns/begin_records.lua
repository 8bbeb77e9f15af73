-- begin_records: the last step before DNS records of a booted VM are written. From here on they are removed
-- with it, whatever dies.
-- ARGS vm, attempt, dns
-- REPLY generation, provider, domain
--
-- `dns` is the entry of dns_configs. All are '' when the VM isn't pending (any more). The time of waiting for
-- DNS doesn't count against the VM: the last try is noted.

local known = redis.call('HMGET', K.vm .. ARG.vm, 'state', 'attempt', 'provider', 'domain')
if known[1] ~= 'pending' or known[2] ~= ARG.attempt then
  return cjson.encode({ generation = '', provider = '', domain = '' })
end
redis.call('HSET', K.vm .. ARG.vm, 'dns', ARG.dns, 'dns_tried', int(now_ms()))
return cjson.encode({
  generation = redis.call('GET', K.generation) or '', provider = known[3] or '', domain = known[4] or '',
})
