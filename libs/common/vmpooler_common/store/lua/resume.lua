-- resume: allow the destroying of a provider's VMs again.
-- ARGV provider, what is whole again: 'absent POOL', 'orphan POOL', or '' when an operator says so
-- Returns 1 when nothing is halted now, else 0.

local halted = redis.call('HGET', K.halted, ARGV[1])
if not halted then return 1 end
if ARGV[2] ~= '' and string.sub(halted, 1, #ARGV[2] + 1) ~= ARGV[2] .. ' ' then return 0 end
redis.call('HDEL', K.halted, ARGV[1])
if ARGV[2] == '' then
  redis.call('DEL', K.reaped .. ARGV[1] .. ':absent', K.reaped .. ARGV[1] .. ':orphan')
end
event('resumed', '', '')
return 1
