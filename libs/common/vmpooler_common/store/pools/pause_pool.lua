-- pause_pool: have no VM of a pool made or handed out, or let it work again.
-- ARGS operation, token, needs_token, only_admins, admins, pool, paused, reason
-- REPLY outcome, user, is_change, since
--
-- `paused` is '1' to pause it. A pool that is paused already gets the new reason and keeps its time.
-- The outcome is ok, unauthorized, or foreign: the user may not. `user` is who asks, or ''; `since` is when
-- it was paused, or '' when it wasn't.

local operation, token, pool = ARG.operation, ARG.token, ARG.pool
local done = remembered(operation)
if done then return cjson.encode(done) end
local user = token ~= '' and redis.call('HGET', K.token .. token, 'user')
local refusal = why_refused(ARG.needs_token == '1', nil, user, ARG.only_admins == '1', ARG.admins)
if refusal then return cjson.encode({ outcome = refusal }) end

local now = int(now_ms())
if user then redis.call('HSET', K.token .. token, 'last', now) end
local known = redis.call('HGET', K.paused, pool)
local before = known and cjson.decode(known)
local since = before and before.since or ''
if ARG.paused == '1' then
  since = before and before.since or now
  redis.call('HSET', K.paused, pool,
    cjson.encode({ reason = ARG.reason, since = since, user = user or '' }))
else
  redis.call('HDEL', K.paused, pool)
end
local is_change = (ARG.paused == '1') == (not before)
-- Checkouts that wait try again.
if is_change and ARG.paused == '' then event('queue.moved', pool, '') end
if is_change then event(ARG.paused == '1' and 'pool.paused' or 'pool.resumed', pool, '') end
return cjson.encode(remember(operation, {
  outcome = 'ok', user = user or '', is_change = is_change and '1' or '', since = since,
}))
