-- needs requests
-- close: end an on-demand request; its VMs go to destruction.
-- ARGV operation, request, 'deleted' or 'failed', reason, '1' only after its deadline,
--      token digest or '', '1' when a token is needed
-- Returns 'ok', 'already' when it was deleted before, 'missing', 'unauthorized', or 'refused'.

local operation, request, status = ARGV[1], ARGV[2], ARGV[3]
local known = redis.call('HMGET', K.request .. request, 'status', 'closed_by', 'deadline', 'error')
if ARGV[7] == '1' and (ARGV[6] == '' or redis.call('EXISTS', K.token .. ARGV[6]) == 0) then return 'unauthorized' end
if not known[1] then return 'missing' end
if known[2] == operation then return 'ok' end
if known[1] == 'deleted' then return 'already' end
local now = now_ms()
if status == 'failed' and known[1] ~= 'open' then return 'refused' end
if ARGV[5] == '1' and tonumber(known[3]) > now then return 'refused' end

if ARGV[6] ~= '' and redis.call('EXISTS', K.token .. ARGV[6]) == 1 then
  redis.call('HSET', K.token .. ARGV[6], 'last', int(now))
end
redis.call('HSET', K.request .. request, 'closed_by', operation)
local reason = ARGV[4]
if ARGV[5] == '1' and known[4] then reason = known[4] .. '. ' .. reason end
close(request, status, now, reason)
return 'ok'
