-- show_managers: who looks after pools, and where deletion is paused. Writes nothing.
-- ARGS
-- REPLY now, managers, deletion_paused
--
-- managers: {name, beat, held, providers}...: when it was registered last, how many pools it holds, and the
-- providers that it can use. deletion_paused: {provider → `kind pool reason`}.

local now, managers = now_ms(), {}
for _, name in ipairs(redis.call('ZRANGEBYSCORE', K.managers, int(now), '+inf')) do
  local fields = redis.call('HGETALL', K.manager .. name)
  local known, providers = {}, {}
  for at = 1, #fields, 2 do
    known[fields[at]] = fields[at + 1]
    local provider = string.match(fields[at], '^ at (.*)$')
    if provider then table.insert(providers, provider) end
  end
  table.insert(managers,
    { name = name, beat = known[' beat'] or '', held = known[' held'] or '0', providers = providers })
end
local paused, flat = {}, redis.call('HGETALL', K.deletion_paused)
for at = 1, #flat, 2 do paused[flat[at]] = flat[at + 1] end
return cjson.encode({ now = int(now), managers = managers, deletion_paused = paused })
