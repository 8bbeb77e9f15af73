-- needs tasks
-- change_vm: change what the user of a running VM may change of it: the end of its lifetime,
-- its tags, its disks.
--
-- Safe to repeat: what a repetition would do again, another change may have replaced in between.
-- ARGS operation, vm, token, access, only_owner, admins, lifetime, tags, most_tags, disk, size, incapable,
-- most_disk
-- REPLY outcome, pool, provider_id, owner, user, ends, what, has, would_have
--
-- `access` says who may: anybody; holder: a VM that was taken with a token needs a known one; known: the
-- same,
-- and any other VM needs a known token, too. With `only_owner` only the owner and admins may change what was
-- taken with a token. `lifetime` is in ms from the checkout, or '' for no change; `tags` are {name,
-- value}...;
-- `disk` is the id of the task that adds one of `size` GB, or ''.
-- The outcome is ok, missing (no such VM runs), unauthorized, foreign, full (the VM would have too many
-- tags),
-- or task_full, task_many, task_incapable or limit: no disk can be added, see `add_task`.

local MOST_TAGS_COUNTED = 10000 -- in the statistics of a day, of one pool

local operation, vm, token, access, lifetime = ARG.operation, ARG.vm, ARG.token, ARG.access, ARG.lifetime
local disk, size, tags, key = ARG.disk, ARG.size, ARG.tags, K.vm .. ARG.vm

local function refuse(outcome)
  return cjson.encode({ outcome = outcome })
end

local done = remembered(operation)
if done then return cjson.encode(done) end
local known = redis.call('HMGET', key, 'state', 'pool', 'id', 'user', 'token', 'checkout', 'ends',
  'tagged', 'client')
if known[1] ~= 'running' then return refuse('missing') end
local user = token ~= '' and redis.call('HGET', K.token .. token, 'user')
if access ~= 'anybody' then
  if access == 'known' and not user then return refuse('unauthorized') end
  local refusal = why_refused((known[5] or '') ~= '', known[4], user, ARG.only_owner == '1', ARG.admins)
  if refusal then return refuse(refusal) end
end
if #tags > 0 then
  local carried, added = 0, 0
  for _, field in ipairs(redis.call('HKEYS', key)) do
    if string.sub(field, 1, 4) == 'tag:' then carried = carried + 1 end
  end
  for _, tag in ipairs(tags) do
    if redis.call('HEXISTS', key, 'tag:' .. tag[1]) == 0 then added = added + 1 end
  end
  if added > 0 and carried + added > tonumber(ARG.most_tags) then return refuse('full') end
end
if disk ~= '' then
  local reason = why_no_task(vm, 'disk', size, ARG.incapable)
  if reason then return refuse('task_' .. reason) end
  local refusal = too_much_disk(known[9] or '', user, tonumber(size), ARG.most_disk)
  if refusal then return cjson.encode(refusal) end
end

local pool, now, ends = known[2], now_ms(), known[7] or ''
if lifetime ~= '' then ends = int(known[6] + lifetime) end
local reply = {
  outcome = 'ok', pool = pool, provider_id = known[3] or '', owner = known[4] or '',
  user = user or '', ends = ends,
}
if lifetime == '' and disk == '' and #tags == 0 then return cjson.encode(reply) end

if lifetime ~= '' then
  redis.call('HSET', key, 'ends', ends)
  redis.call('ZADD', K.running .. pool, ends, vm)
  local due = math.max(now, (tonumber(known[8]) or -TAG_PAUSE) + TAG_PAUSE)
  redis.call('ZADD', K.untagged .. pool, 'NX', int(due), vm)
  event('vm.changed', pool, vm)
end
if disk ~= '' then add_task(vm, disk, 'disk', size, user or '', now) end
local tagged, counted = K.stats .. 'tag:' .. day_of(now), K.stats .. 'tags:' .. day_of(now)
local count = #tags > 0 and tonumber(redis.call('HGET', counted, pool) or '0')
for _, tag in ipairs(tags) do
  redis.call('HSET', key, 'tag:' .. tag[1], tag[2])
  local field = vm .. ':' .. tag[1]
  if count < MOST_TAGS_COUNTED or redis.call('HEXISTS', tagged, field) == 1 then
    if redis.call('HSET', tagged, field, tag[2]) == 1 then count = count + 1 end
  end
end
if #tags > 0 then
  redis.call('HSET', counted, pool, count)
  redis.call('EXPIRE', tagged, STATS_KEPT)
  redis.call('EXPIRE', counted, STATS_KEPT)
end
if user then redis.call('HSET', K.token .. token, 'last', int(now)) end
return cjson.encode(remember(operation, reply))
