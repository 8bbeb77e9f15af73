-- resume_when_whole: resume deletion at a provider: the listing that made it pause is whole again.
-- ARGS provider, whole
--
-- `whole` is `absent POOL` or `orphan POOL`.
-- Returns 1 when nothing is paused now, else 0.

local paused = redis.call('HGET', K.deletion_paused, ARG.provider)
if not paused then return 1 end
if string.sub(paused, 1, #ARG.whole + 1) ~= ARG.whole .. ' ' then return 0 end
redis.call('HDEL', K.deletion_paused, ARG.provider)
redis.call('DEL', K.refused .. ARG.provider)
event('provider.deletion_resumed', '', '')
return 1
