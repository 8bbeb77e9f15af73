-- drain_pools: have all VMs of pools that are pending or ready replaced, once.
-- ARGV operation, token digest or '', '1' when a token is needed, '1' when it must be an admin's,
--      number of pools, pool..., then admin...
-- Returns {'ok', user who asks or ''}, {'unauthorized'} or {'foreign'}: the user may not.

local operation, token, count = ARGV[1], ARGV[2], tonumber(ARGV[5])
local done = redis.call('GET', K.op .. operation)
if done then return cjson.decode(done) end
local user = token ~= '' and redis.call('HGET', K.token .. token, 'user')
local refusal = why_refused(ARGV[3] == '1', nil, user, ARGV[4] == '1', 6 + count)
if refusal then return { refusal } end

if user then redis.call('HSET', K.token .. token, 'last', int(now_ms())) end
for at = 6, 5 + count do drain(ARGV[at]) end
local reply = { 'ok', user or '' }
redis.call('SET', K.op .. operation, cjson.encode(reply), 'PX', OPERATION_KEPT)
return reply
