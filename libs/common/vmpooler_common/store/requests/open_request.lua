-- needs requests
-- open_request: open an on-demand request and leave it in the managers' inbox.
-- ARGS operation, request, token, lifetime, lifetime_with_token, ttl, keep, items
--
-- Lifetimes are in ms, 0 for no end; `ttl` the ms until its deadline; it is kept for `keep` seconds when it
-- is over.
-- Each item is {requested name, pool...}: of its pools the first one that is neither broken nor paused is
-- taken, else the first.
-- Returns 'opened'; 'exists' when the id is taken by another operation, 'foreign' when it is by another
--         user; 'unauthorized' when the token is unknown;
--         'cancelled' when the operation was given up before it ran.

local operation, request, token = ARG.operation, ARG.request, ARG.token
local key, user = K.request .. request, ''
local done = remembered(operation)
if done then return done[1] end
if token ~= '' then
  user = redis.call('HGET', K.token .. token, 'user')
  if not user then return 'unauthorized' end
end
if redis.call('EXISTS', key) == 1 then
  local owner = redis.call('HGET', key, 'user') or ''
  return (owner == '' or owner == user) and 'exists' or 'foreign'
end

local now = now_ms()
redis.call('HSET', key, 'status', 'open', 'created', int(now), 'deadline', int(now + ARG.ttl),
  'keep', ARG.keep, 'user', user, 'token', token,
  'lifetime', token == '' and ARG.lifetime or ARG.lifetime_with_token,
  'total', #ARG.items, 'granted', 0)
local function pool_for(asked)
  for at = 2, #asked do
    if redis.call('HEXISTS', K.broken, asked[at]) == 0 and not is_paused(asked[at]) then return asked[at] end
  end
  return asked[2]
end
for number, asked in ipairs(ARG.items) do
  local item = { name = asked[1], pool = pool_for(asked), vm = '', failed_attempts = 0, error = '' }
  redis.call('HSET', K.items .. request, number - 1, cjson.encode(item))
end
if token ~= '' then redis.call('HSET', K.token .. token, 'last', int(now)) end
redis.call('ZADD', K.open, int(now + ARG.ttl), request)
redis.call('ZADD', K.unaccepted, int(now), request)
redis.call('XADD', K.requests, '*', 'request', request)
remember(operation, { 'opened', request })
return 'opened'
