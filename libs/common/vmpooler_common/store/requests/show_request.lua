-- show_request: an on-demand request as it is now. Writes nothing.
-- ARGS request
-- REPLY status, created, deadline, user, accepted, granted, reason, error, items
--
-- The status is '' when there is no such request. Each item is the one in the key `items`, with its VM's
-- domain.

local known = redis.call('HMGET', K.request .. ARG.request,
  'status', 'created', 'deadline', 'user', 'accepted', 'reason', 'error', 'total', 'granted')
if not known[1] then return cjson.encode({ status = '' }) end
local items = {}
for n = 0, tonumber(known[8]) - 1 do
  local text = redis.call('HGET', K.items .. ARG.request, n)
  if text then -- those of a request that has failed or was deleted are gone
    local item = cjson.decode(text)
    item.domain = item.vm ~= '' and redis.call('HGET', K.vm .. item.vm, 'domain') or ''
    table.insert(items, item)
  end
end
return cjson.encode({
  status = known[1], created = known[2], deadline = known[3], user = known[4] or '',
  accepted = known[5] or '', granted = tonumber(known[9] or '0'),
  reason = known[6] or '', error = known[7] or '', items = items,
})
