-- drain_pools: have all VMs of pools that are pending or ready replaced, once.
-- ARGS operation, token, needs_token, only_admins, admins, pools
-- REPLY outcome, user
--
-- The outcome is ok, unauthorized, or foreign: the user may not. `user` is who asks, or ''.

local operation, token = ARG.operation, ARG.token
local done = remembered(operation)
if done then return cjson.encode(done) end
local user = token ~= '' and redis.call('HGET', K.token .. token, 'user')
local refusal = why_refused(ARG.needs_token == '1', nil, user, ARG.only_admins == '1', ARG.admins)
if refusal then return cjson.encode({ outcome = refusal }) end

if user then redis.call('HSET', K.token .. token, 'last', int(now_ms())) end
for _, pool in ipairs(ARG.pools) do drain(pool) end
return cjson.encode(remember(operation, { outcome = 'ok', user = user or '' }))
