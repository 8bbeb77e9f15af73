-- note_tagged: note that the cloud says who has a running VM until when.
-- ARGS pool, vm, ends
--
-- `ends` is the end that was noted there, or '' for none.
-- Returns 1, or 0 when this isn't so any more: its end was changed, and is to be noted again after a pause,
--         or it was given back.

local known, now = redis.call('HMGET', K.vm .. ARG.vm, 'state', 'ends'), now_ms()
local runs = known[1] == 'running'
if runs then redis.call('HSET', K.vm .. ARG.vm, 'tagged', int(now)) end
if runs and (known[2] or '') ~= ARG.ends then
  redis.call('ZADD', K.untagged .. ARG.pool, int(now + TAG_PAUSE), ARG.vm)
  return 0
end
redis.call('ZREM', K.untagged .. ARG.pool, ARG.vm)
return runs and 1 or 0
