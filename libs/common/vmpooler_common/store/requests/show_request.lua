-- show_request: an on-demand request as it is now. Writes nothing.
-- ARGV request
-- Returns {status, created, deadline, user, accepted or '', reason or '', error or '',
--          then per wanted VM: JSON, domain of the VM or ''}, or {} when there is no such request.

local known = redis.call('HMGET', K.request .. ARGV[1],
  'status', 'created', 'deadline', 'user', 'accepted', 'reason', 'error', 'total')
if not known[1] then return {} end
local found = {}
for at = 1, 7 do found[at] = known[at] or '' end
for n = 0, tonumber(known[8]) - 1 do
  local want = redis.call('HGET', K.wants .. ARGV[1], n)
  local vm = cjson.decode(want).vm
  table.insert(found, want)
  table.insert(found, vm ~= '' and redis.call('HGET', K.vm .. vm, 'domain') or '')
end
return found
