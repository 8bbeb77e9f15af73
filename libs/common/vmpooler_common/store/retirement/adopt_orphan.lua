-- adopt_orphan: an orphan, a VM with our tag and without a record, goes to destruction.
-- ARGS vm, pool, provider, domain, provider_id, attempt, generation, bound
--
-- `generation` is the one in its tag, `bound` how many orphans may be adopted in ten minutes.
-- Returns 'ok', 'known' when there is a record, 'foreign' when the tag is of another data set,
--         'deletion_paused' when the bound is or was exceeded (deletion at the provider is paused)

local vm, pool, provider, now = ARG.vm, ARG.pool, ARG.provider, now_ms()

-- What is refused is noted, for an operator who releases the provider means these.
local function refuse()
  redis.call('SADD', K.refused .. provider, vm)
  redis.call('EXPIRE', K.refused .. provider, RELEASE_KEPT)
  return 'deletion_paused'
end

local known = redis.call('HMGET', K.vm .. vm, 'id', 'reason')
if known[1] == ARG.provider_id and known[2] == 'orphan' then return 'ok' end
if redis.call('EXISTS', K.vm .. vm) == 1 then return 'known' end
if redis.call('GET', K.generation) ~= ARG.generation then return 'foreign' end
if redis.call('HEXISTS', K.deletion_paused, provider) == 1 then return refuse() end
if not count_against_limit(provider, 'orphan', vm, tonumber(ARG.bound), now) then
  redis.call('HSET', K.deletion_paused, provider,
    'orphan ' .. pool .. ' more unknown VMs appeared than may be destroyed in ten minutes')
  event('provider.deletion_paused', pool, vm)
  return refuse()
end

redis.call('ZADD', K.completed .. pool, int(now), vm)
redis.call('HSET', K.vm .. vm, 'state', 'completed', 'pool', pool, 'provider', provider, 'domain', ARG.domain,
  'id', ARG.provider_id, 'attempt', ARG.attempt, 'phase', 'created',
  'completed', int(now), 'reason', 'orphan')
redis.call('HSET', K.pools, pool, provider)
event('vm.adopted', pool, vm)
return 'ok'
