-- note_destroyed: the provider has no such VM any more. Its record is kept for a while.
-- ARGS vm, attempt, provider_id, keep
--
-- `provider_id` is that of what was removed, or ''; the record is kept for `keep` seconds, or until its DNS
-- records are removed and so long after that.
-- Returns 'ok', or the state that it is in.

local known = redis.call('HMGET', K.vm .. ARG.vm, 'state', 'pool', 'attempt', 'id', 'dns')
if known[1] == 'gone' then return 'ok' end
if known[1] ~= 'destroying' or (known[3] or '') ~= ARG.attempt then return known[1] or '' end
if (known[4] or '') ~= '' and known[4] ~= ARG.provider_id then
  -- Its id became known while none was found: it is there after all, and due at once.
  redis.call('ZADD', K.destroying .. known[2], int(now_ms()), ARG.vm)
  event('vm.adopted', known[2], ARG.vm)
  return 'destroying'
end

redis.call('HSET', K.vm .. ARG.vm, 'state', 'gone', 'gone', int(now_ms()))
redis.call('ZREM', K.destroying .. known[2], ARG.vm)
redis.call('SREM', K.unmade .. known[2], ARG.vm)
if known[5] then
  -- Its name stays taken until its DNS records are removed.
  redis.call('ZADD', K.dns_due .. known[2], int(now_ms()), ARG.vm)
else
  redis.call('EXPIRE', K.vm .. ARG.vm, ARG.keep)
end
event('vm.destroyed', known[2], ARG.vm)
return 'ok'
