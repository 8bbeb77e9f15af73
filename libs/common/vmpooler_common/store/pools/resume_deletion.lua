-- resume_deletion: resume deletion at a provider because an operator says so.
-- What is known by now to be missing or unknown there is named, and counts against no safety limit for a day.
-- ARGS provider, token, needs_token, only_admins, admins
-- REPLY outcome, user, released
--
-- The outcome is ok, unauthorized, or foreign: the user may not. `user` is who asks, or ''; `released` is how
-- many VMs are named.

local provider, token = ARG.provider, ARG.token
local user = token ~= '' and redis.call('HGET', K.token .. token, 'user')
local refusal = why_refused(ARG.needs_token == '1', nil, user, ARG.only_admins == '1', ARG.admins)
if refusal then return cjson.encode({ outcome = refusal }) end

local function answer(released)
  return cjson.encode({ outcome = 'ok', user = user or '', released = redis.call('SCARD', released) })
end
if user then redis.call('HSET', K.token .. token, 'last', int(now_ms())) end
local refused, released = K.refused .. provider, K.released .. provider
if redis.call('HEXISTS', K.deletion_paused, provider) == 0 then return answer(released) end

redis.call('SUNIONSTORE', released, released, refused)
redis.call('DEL', refused)
local pools = redis.call('HGETALL', K.pools)
for at = 1, #pools, 2 do
  if pools[at + 1] == provider then
    for _, vm in ipairs(redis.call('ZRANGE', K.suspect .. pools[at], 0, -1)) do
      redis.call('SADD', released, vm)
    end
  end
end
redis.call('EXPIRE', released, RELEASE_KEPT)
redis.call('HDEL', K.deletion_paused, provider)
redis.call('DEL', K.reaped .. provider .. ':absent', K.reaped .. provider .. ':orphan')
event('provider.deletion_resumed', '', '')
return answer(released)
