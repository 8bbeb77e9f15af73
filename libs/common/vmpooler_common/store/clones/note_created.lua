-- note_created: note the provider's id of a VM. Safe to repeat, also by a manager that was thought dead.
--
-- A VM that was given up in the meantime goes (back) to destruction under its id, so that it can't leak.
-- ARGV vm, attempt, provider_id, ip, host, cloned
--
-- `ip` and `host` may be ''; `cloned` is '1' when the cloud has finished cloning it.
-- Returns the state that the VM is in now, or '' when this attempt isn't known.

local vm, id = ARGV[1], ARGV[3]
local known = redis.call('HMGET', K.vm .. vm,
  'state', 'attempt', 'pool', 'id', 'create_sent', 'cloned', 'phase', 'provider', 'dns', 'ip')
local state, pool = known[1], known[3]
if not state or known[2] ~= ARGV[2] then return '' end

local now = now_ms()
local facts = { 'id', id }
if ARGV[4] ~= '' then table.insert(facts, 'ip'); table.insert(facts, ARGV[4]) end
if ARGV[5] ~= '' then table.insert(facts, 'host'); table.insert(facts, ARGV[5]) end

if state == 'gone' then
  redis.call('PERSIST', K.vm .. vm)
  redis.call('ZADD', K.completed .. pool, int(now), vm)
  redis.call('HSET', K.vm .. vm, 'state', 'completed', 'completed', int(now), 'reason', 'late', unpack(facts))
  redis.call('HDEL', K.vm .. vm, 'gone')
  redis.call('ZREM', K.dns_due .. pool, vm) -- its records are removed when it is gone again
  redis.call('HSET', K.pools, pool, known[8]) -- it may have been forgotten
  event('vm.adopted', pool, vm)
  return 'completed'
end
if state == 'completed' and not known[4] then
  redis.call('ZADD', K.completed .. pool, 'LT', int(now), vm)
  event('vm.adopted', pool, vm)
end
if state == 'completed' or state == 'destroying' then redis.call('SREM', K.unmade .. pool, vm) end
if state == 'pending' then
  table.insert(facts, 'phase'); table.insert(facts, 'created')
  if ARGV[6] == '1' and not known[6] then
    table.insert(facts, 'cloned'); table.insert(facts, int(now))
    free_slot(vm, pool)
    count_duration('clone', pool, now, now - tonumber(known[5] or now))
  end
end
if known[9] and (state == 'ready' or state == 'running') and ARGV[4] ~= '' and ARGV[4] ~= known[10] then
  redis.call('ZADD', K.dns_due .. pool, int(now), vm)
end
redis.call('HSET', K.vm .. vm, unpack(facts))
return state
