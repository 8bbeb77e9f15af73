-- defer_destruction: a destruction failed or must wait; try again later.
-- ARGV vm, manager, milliseconds to wait, error or '', number of tries so far
-- Returns 'ok', or 'refused' when another manager has taken it over.

local known = redis.call('HMGET', K.vm .. ARGV[1], 'state', 'pool', 'manager')
if known[1] ~= 'destroying' or known[3] ~= ARGV[2] then return 'refused' end

redis.call('ZADD', K.destroying .. known[2], int(now_ms() + ARGV[3]), ARGV[1])
if ARGV[4] ~= '' then
  redis.call('HSET', K.vm .. ARGV[1], 'error', ARGV[4], 'tries', ARGV[5])
end
return 'ok'
