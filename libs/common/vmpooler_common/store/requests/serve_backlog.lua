-- needs requests queue
-- serve_backlog: give ready VMs of a pool to its backlog, the longest ready one first; not those that are
-- owed to checkouts that came before it.
-- ARGS operation, pool, most
-- REPLY vm, provider_id, request, user, waited
--
-- One reply for each of at most `most` VMs; `waited` is in ms since the request was made.

local operation, pool, now = ARG.operation, ARG.pool, now_ms()
local served = remembered(operation)
if served then return cjson.encode(served) end
served = {}
if is_paused(pool) then return cjson.encode(served) end
for _, vm in ipairs(redis.call('ZRANGE', K.ready .. pool, 0, tonumber(ARG.most) - 1)) do
  local item = head(pool)
  if not item then break end
  local ready = redis.call('ZCARD', K.ready .. pool)
  if owed(pool, ready, item.turn) >= ready then break end
  local user, waited = grant(item, vm, 'ready', operation, now)
  table.insert(served, {
    vm = vm, provider_id = redis.call('HGET', K.vm .. vm, 'id') or '', request = item.request, user = user,
    waited = waited,
  })
end
if #served > 0 then remember(operation, served) end
return cjson.encode(served)
