-- override_pools: set what goes before the configured size, template or clone target of pools, or remove it.
-- All or nothing. Where VMs are made otherwise from now on, the pool is drained.
-- ARGS operation, token, needs_token, only_admins, admins, property, changes
-- REPLY outcome, user, before
--
-- `property` is size, template or clone_target. Each change is {pool, configured, value}, each value '' for
-- none;
-- without one, what is configured counts again.
-- The outcome is ok, unauthorized, or foreign: the user may not. `before` is what counted, for each change.

local operation, token, property = ARG.operation, ARG.token, ARG.property
local done = remembered(operation)
if done then return cjson.encode(done) end
local user = token ~= '' and redis.call('HGET', K.token .. token, 'user')
local refusal = why_refused(ARG.needs_token == '1', nil, user, ARG.only_admins == '1', ARG.admins)
if refusal then return cjson.encode({ outcome = refusal }) end

local reply, is_changed = { outcome = 'ok', user = user or '', before = {} }, false
if user then redis.call('HSET', K.token .. token, 'last', int(now_ms())) end
for _, change in ipairs(ARG.changes) do
  local pool, configured, value = change.pool, change.configured, change.value
  local before = redis.call('HGET', K[property], pool) or configured
  local after = value ~= '' and value or configured
  table.insert(reply.before, before)
  if value == '' then
    redis.call('HDEL', K[property], pool)
  elseif after ~= before then
    redis.call('HSET', K[property], pool, value)
  end
  if after ~= before then
    is_changed = true
    if property ~= 'size' then drain(pool) end
    event('pool.changed', pool, '')
  end
end
if is_changed then remember(operation, reply) end
return cjson.encode(reply)
