-- resume_deletion: resume deletion at a provider because an operator says so.
-- What is known by now to be missing or unknown there is named, and counts against no safety limit for a day.
-- ARGS provider
--
-- Returns how many VMs are named.

local provider = ARG.provider
local refused, released = K.refused .. provider, K.released .. provider
if redis.call('HEXISTS', K.deletion_paused, provider) == 0 then return redis.call('SCARD', released) end

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
return redis.call('SCARD', released)
