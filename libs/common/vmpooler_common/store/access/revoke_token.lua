-- needs tokens
-- revoke_token: forget a token. VMs that were taken with it stay their user's.
-- ARGS operation, token, beginning, owner, user, attempt, is_admin
-- REPLY outcome, owner
--
-- `token` is tried first, as a whole one, then `beginning` (or '') as the first characters of a token of
-- `owner`. `user` is who asks, `attempt` the digest of name and address of the login. The outcome is ok;
-- throttled when such an attempt has failed within a second; missing; foreign when it is another user's; or
-- several when more than one token begins so.

local operation, token = ARG.operation, ARG.token
local done = redis.call('GET', K.op .. operation)
if done then return cjson.encode({ outcome = 'ok', owner = done }) end
local refusal = login_refusal(ARG.user, ARG.attempt, ARG.owner, ARG.is_admin)
if refusal == 'throttled' then return cjson.encode({ outcome = refusal }) end
local owner = redis.call('HGET', K.token .. token, 'user')
if not owner and ARG.beginning ~= '' then
  if refusal then return cjson.encode({ outcome = refusal }) end
  local found = tokens_beginning(ARG.beginning, ARG.owner)
  if #found > 1 then return cjson.encode({ outcome = 'several' }) end
  token = found[1] or token
  owner = found[1] and ARG.owner
end
if not owner then return cjson.encode({ outcome = 'missing' }) end
if owner ~= ARG.user and ARG.is_admin ~= '1' then return cjson.encode({ outcome = 'foreign' }) end

redis.call('DEL', K.token .. token)
redis.call('ZREM', K.tokens .. owner, token)
redis.call('SET', K.op .. operation, owner, 'PX', OPERATION_KEPT)
return cjson.encode({ outcome = 'ok', owner = owner })
