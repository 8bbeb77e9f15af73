-- revoke_token: forget a token. VMs that were taken with it stay their user's.
-- ARGS operation, token, user, attempt, is_admin
-- REPLY outcome, owner
--
-- `user` is who asks, `attempt` the digest of name and address of the login. The outcome is ok; throttled
-- when such an attempt has failed within a second; missing; or foreign when it is another user's.

local operation, token = ARG.operation, ARG.token
local done = redis.call('GET', K.op .. operation)
if done then return cjson.encode({ outcome = 'ok', owner = done }) end
if redis.call('EXISTS', K.failed .. ARG.attempt) == 1 then return cjson.encode({ outcome = 'throttled' }) end
local owner = redis.call('HGET', K.token .. token, 'user')
if not owner then return cjson.encode({ outcome = 'missing' }) end
if owner ~= ARG.user and ARG.is_admin ~= '1' then return cjson.encode({ outcome = 'foreign' }) end

redis.call('DEL', K.token .. token)
redis.call('ZREM', K.tokens .. owner, token)
redis.call('SET', K.op .. operation, owner, 'PX', OPERATION_KEPT)
return cjson.encode({ outcome = 'ok', owner = owner })
