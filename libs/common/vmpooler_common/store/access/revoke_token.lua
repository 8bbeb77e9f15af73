-- revoke_token: forget a token. VMs that were taken with it stay their user's.
-- ARGV operation, token digest, user who asks, digest of that name, '1' for an admin
-- Returns {'ok', user whose token it was}, {'throttled'} when a login of the user who asks has failed within
--         a second, {'missing'}, or {'foreign'} when it is another user's.

local operation, token = ARGV[1], ARGV[2]
local done = redis.call('GET', K.op .. operation)
if done then return { 'ok', done } end
if redis.call('EXISTS', K.failed .. ARGV[4]) == 1 then return { 'throttled' } end
local owner = redis.call('HGET', K.token .. token, 'user')
if not owner then return { 'missing' } end
if owner ~= ARGV[3] and ARGV[5] ~= '1' then return { 'foreign' } end

redis.call('DEL', K.token .. token)
redis.call('ZREM', K.tokens .. owner, token)
redis.call('SET', K.op .. operation, owner, 'PX', OPERATION_KEPT)
return { 'ok', owner }
