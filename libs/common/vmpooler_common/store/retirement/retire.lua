-- needs requests
-- retire: take a VM out of its pool, or end a user's use of it, and leave it to destruction.
--
-- The guard is the fact that the plan relied on; it is checked again, since a plan may be old.
-- ARGS operation, vm, state, reason, delay, guard, bound, error, most_failures
--
-- `state` is the one that it must be in (pending, ready or running), `delay` the ms until its destruction is
-- due.
-- For a failed clone, `error` is noted with the item that the pool would serve next; after `most_failures` of
-- them its request fails; '' when it doesn't count.
-- Guards: 'none'; 'excess' the pool has more VMs pending and ready than its backlog and its size, which is
--                `bound` as configured; 'left' the pool has more than its backlog, and no manager was
--                configured for it for `bound` ms while managers lived;
--         'stale' the pool was drained since its name was reserved, and no request needs it;
--         'ready-before' it became ready before `bound`; 'ended' its lifetime is over;
--         'operation' it was checked out by the operation `bound`;
--         'unseen' a suspect, and fewer than `bound` VMs of its provider were given up in ten minutes
-- Returns 'ok', 'deletion_paused' when that bound is or was exceeded (all destroying of the provider is
--         stopped),
--         or 'refused'.

local operation, vm, state, guard, bound = ARG.operation, ARG.vm, ARG.state, ARG.guard, ARG.bound
local known = redis.call('HMGET', K.vm .. vm, 'state', 'op', 'pool', 'ready', 'ends', 'provider', 'revision',
  'id')
if known[2] == operation and known[1] ~= state then return 'ok' end
if known[1] ~= state then return 'refused' end
if state ~= 'pending' and state ~= 'ready' and state ~= 'running' then return 'refused' end
local pool, provider, now = known[3], known[6], now_ms()

local index = state
if state == 'ready' then
  if redis.call('ZSCORE', K.suspect .. pool, vm) then index = 'suspect' end
  if redis.call('ZSCORE', K.stale .. pool, vm) then index = 'stale' end
end

if guard == 'excess' or guard == 'left' then
  local size = 0
  if guard == 'excess' then
    size = size_of(pool, bound)
  elseif tonumber(redis.call('HGET', K.absent, pool) or '-1') < tonumber(bound) then
    return 'refused'
  end
  if alive(pool) <= size + redis.call('ZCARD', K.backlog .. pool) then return 'refused' end
elseif guard == 'stale' then
  if not is_stale(known[7], pool) then return 'refused' end
  local waiting = redis.call('ZCARD', K.backlog .. pool)
  if state == 'pending' and redis.call('ZCARD', K.pending .. pool) <= waiting then return 'refused' end
elseif guard == 'ready-before' then
  if state ~= 'ready' or tonumber(known[4]) > tonumber(bound) then return 'refused' end
elseif guard == 'ended' then
  if (known[5] or '') == '' or tonumber(known[5]) > now then return 'refused' end
elseif guard == 'operation' then
  if known[2] ~= bound then return 'refused' end
elseif guard == 'unseen' then
  if index ~= 'suspect' then return 'refused' end
  if redis.call('HEXISTS', K.deletion_paused, provider) == 1 then return 'deletion_paused' end
  if not count_against_limit(provider, 'absent', vm, tonumber(bound), now) then
    redis.call('HSET', K.deletion_paused, provider,
      'absent ' .. pool .. ' more VMs vanished than may be given up in ten minutes')
    event('provider.deletion_paused', pool, vm)
    return 'deletion_paused'
  end
end

if state == 'pending' then
  free_slot(vm, pool)
  if not known[8] then redis.call('SADD', K.unmade .. pool, vm) end
end
if state == 'running' then redis.call('ZREM', K.untagged .. pool, vm) end
move(vm, pool, index, 'completed', int(now + ARG.delay),
  'op', operation, 'completed', int(now), 'reason', ARG.reason)
if ARG.error ~= '' then note_failed_attempt(pool, ARG.error, tonumber(ARG.most_failures), now) end
return 'ok'
