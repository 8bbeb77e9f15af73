-- needs tasks
-- change_vm: change what the user of a running VM may change of it: the end of its lifetime,
-- its tags, its disks.
--
-- Safe to repeat: what a repetition would do again, another change may have replaced in between.
-- ARGV operation, vm, token digest or '',
--      who may: 'anybody', 'holder' (a VM that was taken with a token needs a known one) or
--               'known' (the same, and any other VM needs a known token, too),
--      '1' when only the owner and admins may change what was taken with a token,
--      lifetime in ms from the checkout or '' for no change, most tags of a VM,
--      number of tags, id of the task that adds a disk or '', the disk's size in GB,
--      (name, value)..., admin...
-- Returns {'ok', pool, provider id, owner, user who asks or '', end or ''},
--         {'missing'} when no such VM runs, {'unauthorized'}, {'foreign'},
--         {'full'} when the VM would have too many tags,
--         {'no task', 'full' or 'many'} when no disk can be added, see `task`

local operation, vm, token, access, lifetime = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[6]
local disk, size = ARGV[9], ARGV[10]
local key, first_tag = K.vm .. vm, 11
local admins = first_tag + 2 * tonumber(ARGV[8])

local done = remembered(operation)
if done then return done end
local known = redis.call('HMGET', key, 'state', 'pool', 'id', 'user', 'token', 'checkout', 'ends')
if known[1] ~= 'running' then return { 'missing' } end
local user = token ~= '' and redis.call('HGET', K.token .. token, 'user')
if access ~= 'anybody' then
  if access == 'known' and not user then return { 'unauthorized' } end
  local refusal = why_refused((known[5] or '') ~= '', known[4], user, ARGV[5] == '1', admins)
  if refusal then return { refusal } end
end
if admins > first_tag then
  local carried, added = 0, 0
  for _, field in ipairs(redis.call('HKEYS', key)) do
    if string.sub(field, 1, 4) == 'tag:' then carried = carried + 1 end
  end
  for at = first_tag, admins - 1, 2 do
    if redis.call('HEXISTS', key, 'tag:' .. ARGV[at]) == 0 then added = added + 1 end
  end
  if added > 0 and carried + added > tonumber(ARGV[7]) then return { 'full' } end
end
if disk ~= '' then
  local reason = why_no_task(vm, 'disk', size)
  if reason then return { 'no task', reason } end
end

local pool, now, ends = known[2], now_ms(), known[7] or ''
if lifetime ~= '' then ends = int(known[6] + lifetime) end
local reply = { 'ok', pool, known[3] or '', known[4] or '', user or '', ends }
if lifetime == '' and disk == '' and admins == first_tag then return reply end

if lifetime ~= '' then
  redis.call('HSET', key, 'ends', ends)
  redis.call('ZADD', K.running .. pool, ends, vm)
  redis.call('ZADD', K.untagged .. pool, int(now), vm)
  event('vm.changed', pool, vm)
end
if disk ~= '' then add_task(vm, disk, 'disk', size, user or '', now) end
local tagged = K.stats .. 'tag:' .. day_of(now)
for at = first_tag, admins - 1, 2 do
  redis.call('HSET', key, 'tag:' .. ARGV[at], ARGV[at + 1])
  redis.call('HSET', tagged, vm .. ':' .. ARGV[at], ARGV[at + 1])
end
if admins > first_tag then redis.call('EXPIRE', tagged, STATS_KEPT) end
if user then redis.call('HSET', K.token .. token, 'last', int(now)) end
return remember(operation, reply)
