-- note_destroyed: the provider has no such VM any more. Its record is kept for a while.
-- ARGV vm, attempt or '', the provider's id of what was removed or '', seconds to keep the record
-- Returns 'ok', or the state that it is in.

local known = redis.call('HMGET', K.vm .. ARGV[1], 'state', 'pool', 'attempt', 'id')
if known[1] == 'gone' then return 'ok' end
if known[1] ~= 'destroying' or (known[3] or '') ~= ARGV[2] then return known[1] or '' end
if (known[4] or '') ~= '' and known[4] ~= ARGV[3] then
  -- Its id became known while none was found: it is there after all, and due at once.
  redis.call('ZADD', K.destroying .. known[2], int(now_ms()), ARGV[1])
  event('vm.adopted', known[2], ARGV[1])
  return 'destroying'
end

redis.call('HSET', K.vm .. ARGV[1], 'state', 'gone', 'gone', int(now_ms()))
redis.call('ZREM', K.destroying .. known[2], ARGV[1])
redis.call('EXPIRE', K.vm .. ARGV[1], ARGV[4])
event('vm.destroyed', known[2], ARGV[1])
return 'ok'
