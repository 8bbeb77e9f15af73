-- defer_destruction: a destruction failed or must wait; try again later.
-- ARGS vm, manager, delay, error, tries
--
-- With an error, so many tries have failed so far.
-- Returns 'ok', or 'refused' when another manager has taken it over.

local known = redis.call('HMGET', K.vm .. ARG.vm, 'state', 'pool', 'manager')
if known[1] ~= 'destroying' or known[3] ~= ARG.manager then return 'refused' end

redis.call('ZADD', K.destroying .. known[2], int(now_ms() + ARG.delay), ARG.vm)
if ARG.error ~= '' then
  redis.call('HSET', K.vm .. ARG.vm, 'error', ARG.error, 'tries', ARG.tries)
end
return 'ok'
