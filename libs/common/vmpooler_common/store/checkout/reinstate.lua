-- reinstate: a ready VM whose tag in the cloud gives it to somebody is theirs again.
--
-- No VM becomes ready again after a grant, and tags name owners only after one: the grant was lost, as when
-- an older copy of the data took Redis's place. The token that it was taken with can't be known any more, so
-- that of a user is put down as one that nobody has: it is given back with any other token of the same user.
-- ARGS operation, vm, provider_id, user, ends
--
-- `ends` is '' for a lifetime without end.
-- Returns 'ok', or 'refused' when this VM isn't ready.

local operation, vm, user, ends = ARG.operation, ARG.vm, ARG.user, ARG.ends
local known = redis.call('HMGET', K.vm .. vm, 'state', 'op', 'pool', 'id')
if known[1] == 'running' and known[2] == operation then return 'ok' end
if known[1] ~= 'ready' or known[4] ~= ARG.provider_id then return 'refused' end

local pool, index, now, token = known[3], 'ready', int(now_ms()), user ~= '' and 'lost' or ''
for _, aside in ipairs({ 'suspect', 'stale' }) do
  if redis.call('ZSCORE', K[aside] .. pool, vm) then index = aside end
end
move(vm, pool, index, 'running', ends == '' and '+inf' or ends,
  'op', operation, 'checkout', now, 'ends', ends, 'user', user, 'token', token,
  'client', user ~= '' and 'u:' .. user or '')
if user ~= '' then redis.call('ZADD', K.taken .. 'u:' .. user, now, vm) end
return 'ok'
