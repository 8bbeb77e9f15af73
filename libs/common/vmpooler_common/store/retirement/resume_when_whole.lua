-- resume_when_whole: resume deletion at a provider: the listing that made it pause is whole again.
-- ARGV provider, what is whole again: 'absent POOL' or 'orphan POOL'
-- Returns 1 when nothing is halted now, else 0.

local halted = redis.call('HGET', K.deletion_paused, ARGV[1])
if not halted then return 1 end
if string.sub(halted, 1, #ARGV[2] + 1) ~= ARGV[2] .. ' ' then return 0 end
redis.call('HDEL', K.deletion_paused, ARGV[1])
redis.call('DEL', K.refused .. ARGV[1])
event('provider.deletion_resumed', '', '')
return 1
