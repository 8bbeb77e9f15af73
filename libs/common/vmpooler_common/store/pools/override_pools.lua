-- override_pools: set what goes before the configured size, template or clone target of pools, or remove it.
-- All or nothing. Where VMs are made otherwise from now on, the pool is drained.
-- ARGV operation, token digest or '', '1' when a token is needed, '1' when it must be an admin's,
--      what is set (size, template or clone_target), number of pools,
--      per pool: its name, the configured value or '', the value or '' to take it back; then admin...
-- Returns {'ok', user who asks or '', per pool: the value before}, {'unauthorized'} or {'foreign'}:
--         the user may not.

local operation, token, what, count = ARGV[1], ARGV[2], ARGV[5], tonumber(ARGV[6])
local done = redis.call('GET', K.op .. operation)
if done then return cjson.decode(done) end
local user = token ~= '' and redis.call('HGET', K.token .. token, 'user')
local refusal = why_refused(ARGV[3] == '1', nil, user, ARGV[4] == '1', 7 + 3 * count)
if refusal then return { refusal } end

local reply, is_changed = { 'ok', user or '' }, false
if user then redis.call('HSET', K.token .. token, 'last', int(now_ms())) end
for at = 7, 6 + 3 * count, 3 do
  local pool, configured, value = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local before = redis.call('HGET', K[what], pool) or configured
  local after = value ~= '' and value or configured
  table.insert(reply, before)
  if value == '' then
    redis.call('HDEL', K[what], pool)
  elseif after ~= before then
    redis.call('HSET', K[what], pool, value)
  end
  if after ~= before then
    is_changed = true
    if what ~= 'size' then drain(pool) end
    event('pool.changed', pool, '')
  end
end
if is_changed then redis.call('SET', K.op .. operation, cjson.encode(reply), 'PX', OPERATION_KEPT) end
return reply
