-- needs requests
-- open_request: open an on-demand request and leave it in the managers' inbox.
-- ARGV operation, request, token digest or '', lifetime in ms or 0 for no end, the same with a token,
--      ms until its deadline, seconds to keep it when it is over, then (requested name, pool)...
-- Returns {'opened', request}, {'exists'} when the id is taken by another operation,
--         {'unauthorized'} when the token is unknown,
--         {'cancelled'} when the operation was given up before it ran.

local operation, request, token = ARGV[1], ARGV[2], ARGV[3]
local key, user = K.request .. request, ''
local done = remembered(operation)
if done then return done end
if token ~= '' then
  user = redis.call('HGET', K.token .. token, 'user')
  if not user then return { 'unauthorized' } end
end
if redis.call('EXISTS', key) == 1 then return { 'exists' } end

local now = now_ms()
redis.call('HSET', key, 'status', 'open', 'created', int(now), 'deadline', int(now + ARGV[6]),
  'keep', ARGV[7], 'user', user, 'token', token, 'lifetime', token == '' and ARGV[4] or ARGV[5],
  'total', (#ARGV - 7) / 2, 'granted', 0)
for at = 8, #ARGV, 2 do
  local want = { name = ARGV[at], pool = ARGV[at + 1], vm = '', charges = 0, error = '' }
  redis.call('HSET', K.wants .. request, (at - 8) / 2, cjson.encode(want))
end
if token ~= '' then redis.call('HSET', K.token .. token, 'last', int(now)) end
redis.call('ZADD', K.open, int(now + ARGV[6]), request)
redis.call('ZADD', K.unaccepted, int(now), request)
redis.call('XADD', K.requests, '*', 'request', request)
return remember(operation, { 'opened', request })
