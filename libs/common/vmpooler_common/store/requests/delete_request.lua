-- needs requests
-- delete_request: delete an on-demand request; its VMs go to destruction.
-- ARGV operation, request, reason, token digest or '', '1' when a token is needed for any request,
--      '1' when only the owner and admins may, admin...
-- Returns {'ok', user, (vm, pool, provider id, tag jenkins_build_url or '')... of those that ran: flat},
--         'already' when it was deleted before, 'missing', 'unauthorized' when it was made with a token,
--         or one is needed, and none that is known was given, 'foreign' when the token is another user's.

local operation, request, token = ARGV[1], ARGV[2], ARGV[4]
local known = redis.call('HMGET', K.request .. request, 'status', 'user', 'token')
local user = token ~= '' and redis.call('HGET', K.token .. token, 'user')
if ARGV[5] == '1' and not user then return 'unauthorized' end
if not known[1] then return 'missing' end
local refusal = why_refused(known[3] ~= '', known[2], user, ARGV[6] == '1', 7)
if refusal then return refusal end
local done = remembered(operation)
if done then return done end
if known[1] == 'deleted' then return 'already' end

local now = now_ms()
if user then redis.call('HSET', K.token .. token, 'last', int(now)) end
local reply = { 'ok', known[2] or '' }
for _, vm in ipairs(close(request, 'deleted', now, ARGV[3])) do
  local record = redis.call('HMGET', K.vm .. vm, 'pool', 'id', 'tag:jenkins_build_url')
  for _, value in ipairs({ vm, record[1], record[2] or '', record[3] or '' }) do
    table.insert(reply, value)
  end
end
return remember(operation, reply)
