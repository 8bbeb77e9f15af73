-- release: give a running VM back for destruction.
-- ARGV operation, vm, token, reason, only_owner, (admin)...
--
-- `token` is its digest or ''; `only_owner` is '1' when only the owner and admins may.
-- Returns {'ok', pool, provider id, user, tag jenkins_build_url or ''}, {'missing'} when no such VM runs,
--         {'unauthorized'} when it was taken with a token and none that is known was given,
--         {'foreign'} when the token is another user's, who is no admin.

local operation, vm, token = ARGV[1], ARGV[2], ARGV[3]
local known = redis.call('HMGET', K.vm .. vm, 'state', 'op', 'pool', 'id', 'user', 'token',
  'tag:jenkins_build_url')
if not known[1] then return { 'missing' } end
local user = token ~= '' and redis.call('HGET', K.token .. token, 'user')
local refusal = why_refused((known[6] or '') ~= '', known[5], user, ARGV[5] == '1', { unpack(ARGV, 6) })
if refusal then return { refusal } end
local reply = { 'ok', known[3], known[4] or '', known[5] or '', known[7] or '' }
if known[1] ~= 'running' then
  return known[2] == operation and reply or { 'missing' }
end

local now = int(now_ms())
if user then redis.call('HSET', K.token .. token, 'last', now) end
redis.call('ZREM', K.untagged .. known[3], vm)
move(vm, known[3], 'running', 'completed', now, 'op', operation, 'completed', now, 'reason', ARGV[4])
return reply
