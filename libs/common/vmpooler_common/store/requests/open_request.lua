-- needs requests
-- open_request: open an on-demand request and leave it in the managers' inbox.
-- ARGS operation, request, token, client, lifetime, lifetime_with_token, ttl, keep, items, most_running,
-- most_wanted, most_anonymous, most_finished
-- REPLY outcome, user, what, has, would_have, retry_after
--
-- `client` is who asks without a token, or ''; of one with a token it is the user. Lifetimes are in ms, 0 for
-- no end; `ttl` the ms until its deadline; it is kept for `keep` seconds when it is over.
-- Each item is {requested name, pool...}: of its pools the first one that is neither broken nor paused is
-- taken, else the first.
-- A client has at most `most_wanted` VMs on demand that are still to come, `most_running` with those that
-- run, and `most_finished` requests that were over in the last hour; all without a token have at most
-- `most_anonymous` to come. 0 is no limit.
-- The outcome is opened; exists: the id is taken by another operation; foreign: it is by another user;
-- unauthorized: the token is unknown; cancelled: the operation was given up before it ran; limit: the client
-- (`user` is its name, or '') has so many of `what` and would have so many; busy: it had too many requests,
-- and may ask again after `retry_after` seconds.

local operation, request, token = ARG.operation, ARG.request, ARG.token
local key, user, wanted = K.request .. request, '', #ARG.items

local function reply(outcome, facts)
  facts = facts or {}
  facts.outcome, facts.user = outcome, user
  return cjson.encode(facts)
end

local done = remembered(operation)
if done then return reply(done[1]) end
if token ~= '' then
  local known = redis.call('HGET', K.token .. token, 'user')
  if not known then return reply('unauthorized') end
  user = known
end
if redis.call('EXISTS', key) == 1 then
  local owner = redis.call('HGET', key, 'user') or ''
  return reply((owner == '' or owner == user) and 'exists' or 'foreign')
end

local now, client = now_ms(), token ~= '' and 'u:' .. user or ARG.client
local function limited(what, has, most)
  if tonumber(most) > 0 and has + wanted > tonumber(most) then
    return reply('limit', { what = what, has = has, would_have = has + wanted })
  end
end
if client ~= '' then
  local finished, most = K.finished .. client, tonumber(ARG.most_finished)
  local since = int(now - FINISHED_COUNTED)
  if most > 0 and redis.call('ZCOUNT', finished, since, '+inf') >= most then
    local oldest = redis.call('ZRANGEBYSCORE', finished, since, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)[2]
    return reply('busy', { retry_after = math.ceil((oldest + FINISHED_COUNTED - now) / 1000) })
  end
  local to_come = redis.call('SCARD', K.wanted .. client)
  local running = redis.call('ZCARD', K.taken .. client)
  local refusal = limited('ondemand_vms', to_come, ARG.most_wanted)
    or limited('running_vms', running + to_come, ARG.most_running)
  if refusal then return refusal end
end
if token == '' then
  local anonymous = redis.call('SCARD', K.wanted .. 'anonymous')
  local refusal = limited('anonymous_ondemand_vms', anonymous, ARG.most_anonymous)
  if refusal then return refusal end
end

redis.call('HSET', key, 'status', 'open', 'created', int(now), 'deadline', int(now + ARG.ttl),
  'keep', ARG.keep, 'user', user, 'client', client, 'token', token,
  'lifetime', token == '' and ARG.lifetime or ARG.lifetime_with_token,
  'total', wanted, 'granted', 0)
local function pool_for(asked)
  for at = 2, #asked do
    if redis.call('HEXISTS', K.broken, asked[at]) == 0 and not is_paused(asked[at]) then return asked[at] end
  end
  return asked[2]
end
for number, asked in ipairs(ARG.items) do
  local item = { name = asked[1], pool = pool_for(asked), vm = '', failed_attempts = 0, error = '' }
  redis.call('HSET', K.items .. request, number - 1, cjson.encode(item))
  want('SADD', request, int(number - 1), client, token)
end
if token ~= '' then redis.call('HSET', K.token .. token, 'last', int(now)) end
redis.call('ZADD', K.open, int(now + ARG.ttl), request)
redis.call('ZADD', K.unaccepted, int(now), request)
redis.call('XADD', K.requests, '*', 'request', request)
remember(operation, { 'opened', request })
return reply('opened')
