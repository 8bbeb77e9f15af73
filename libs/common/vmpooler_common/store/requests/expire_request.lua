-- needs requests
-- expire_request: fail an open on-demand request that is past its deadline; its VMs go to destruction.
-- ARGS operation, request, reason
--
-- Returns 'ok', or 'refused'.

local operation, request, reason = ARG.operation, ARG.request, ARG.reason
local known = redis.call('HMGET', K.request .. request, 'status', 'closed_by', 'deadline', 'error')
if known[1] and known[2] == operation then return 'ok' end
local now = now_ms()
if known[1] ~= 'open' or tonumber(known[3]) > now then return 'refused' end

if known[4] then reason = known[4] .. '. ' .. reason end
redis.call('HSET', K.request .. request, 'closed_by', operation)
close(request, 'failed', now, reason)
return 'ok'
